//! `cartesian`: each record of one dataset with each of another.

use super::map_partitions::whole;
use super::{CHUNK, FoundShuffles, Node, Outcome, PARTITIONS_MAX, Rdd, Sink, Task};
use crate::Record;
use crate::origin::Origin;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// All pairs of a record of this dataset and one of the other. There is a partition for each pair of partitions,
    /// up to 1,048,576; more is an error of the job. A task holds one partition of the other dataset in memory while
    /// one of this passes by, and each partition of either is computed as often as the other has partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![1, 2], 1).cartesian(&context.parallelize(vec!['a', 'b'], 2));
    /// assert_eq!(pairs.collect()?, [(1, 'a'), (2, 'a'), (1, 'b'), (2, 'b')]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cartesian<U: Record + Clone>(&self, other: &Rdd<U>) -> Rdd<(T, U)>
    where
        T: Clone,
    {
        let origin = Origin::here("cartesian");
        let pairs = Cartesian { left: self.node.clone(), right: other.node.clone(), origin };
        let pairs = Rdd::from_node(&self.context, pairs);
        let (here, there) = (self.num_partitions(), other.num_partitions());
        if here.saturating_mul(there) <= PARTITIONS_MAX {
            return pairs;
        }
        pairs.broken(format!(
            "{origin}: {here} times {there} partitions are more than the {PARTITIONS_MAX} that a dataset can have; \
             coalesce one of the datasets first"
        ))
    }
}

struct Cartesian<T, U> {
    left: Arc<dyn Node<T>>,
    right: Arc<dyn Node<U>>,
    origin: Origin,
}
impl<T: Record + Clone, U: Record + Clone> Node<(T, U)> for Cartesian<T, U> {
    fn num_partitions(&self) -> usize {
        self.left.num_partitions() * self.right.num_partitions()
    }
    /// Each twice: more than one task reads each partition of either side, so that their buckets must stay.
    fn shuffles(&self, found: &mut FoundShuffles) {
        for _ in 0..2 {
            self.left.shuffles(found);
            self.right.shuffles(found);
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (T, U)>) -> Outcome {
        let others = self.right.num_partitions();
        let (left, right) = (task.at(task.partition() / others), task.at(task.partition() % others));
        let right = whole(&*self.right, &right)?;
        let mut out = Vec::with_capacity(CHUNK);
        self.left.compute(&left, &mut |chunk| {
            for left in chunk.drain(..) {
                for run in right.chunks(CHUNK) {
                    task.enter(self.origin);
                    out.extend(run.iter().map(|right| (left.clone(), right.clone())));
                    if out.len() >= CHUNK {
                        sink(&mut out)?;
                        task.check()?;
                    }
                }
            }
            Ok(())
        })?;
        sink(&mut out)
    }
}
