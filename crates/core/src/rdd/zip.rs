//! `zip` and `zip_partitions`: two datasets side by side, partition by partition.

use super::map_partitions::{PartitionRecords, whole};
use super::node::push_all;
use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, Sink, Task};
use crate::origin::Origin;
use crate::{Closure, Error, Record};
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// Each record with the one at the same place of the other dataset. Both must have the same number of partitions
    /// and, partition by partition, the same number of records, as a dataset and a `map` of it have: another number
    /// of partitions is an error of the job, and of records an error of the task. Neither is tried again.
    ///
    /// The other dataset's partition is held in memory; this one's passes by.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3], 2);
    /// assert_eq!(numbers.zip(&numbers.map(|n| n * n)).collect()?, [(1, 1), (2, 4), (3, 9)]);
    /// assert!(numbers.zip(&numbers.filter(|n| *n < 3)).collect().is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn zip<U: Record>(&self, other: &Rdd<U>) -> Rdd<(T, U)> {
        let origin = Origin::here("zip");
        self.side_by_side(other, origin, move |left, right, task, sink| {
            let right = whole(right, task)?;
            let (mut here, there) = (0, right.len());
            let mut right = right.into_iter();
            let mut out = Vec::with_capacity(CHUNK);
            left.compute(task, &mut |chunk| {
                here += chunk.len();
                // The other side comes first: `zip` would otherwise take a record too many, and it is the longer one.
                out.extend(right.by_ref().take(chunk.len()).zip(chunk.drain(..)).map(|(right, left)| (left, right)));
                sink(&mut out)
            })?;
            if here == there {
                return Ok(());
            }
            Err(Error::program(format!(
                "{origin}: partition {} has {here} records here and {there} in the other dataset; only datasets with \
                 records side by side, as a dataset and a map of it, can be zipped",
                task.partition()
            ))
            .into())
        })
    }

    /// Applies `f` to the records of both datasets in each partition. Both must have the same number of partitions,
    /// which is otherwise an error of the job; their records need not be as many. Both partitions are held in memory.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let (numbers, words) = (context.parallelize(vec![1, 2, 3], 2), context.parallelize(vec!["a", "b"], 2));
    /// let zipped = numbers.zip_partitions(&words, |numbers, words| [(numbers.sum::<i32>(), words.count())]);
    /// assert_eq!(zipped.collect()?, [(1, 1), (5, 1)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn zip_partitions<U: Record, I>(
        &self,
        other: &Rdd<U>,
        f: impl Fn(PartitionRecords<T>, PartitionRecords<U>) -> I + Closure,
    ) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let origin = Origin::here("zip_partitions");
        self.side_by_side(other, origin, move |left, right, task, sink| {
            let (left, right) = (whole(left, task)?, whole(right, task)?);
            task.enter(origin);
            let mut produced = f(left.into_iter(), right.into_iter()).into_iter();
            let entered = || {
                task.enter(origin);
                produced.next()
            };
            push_all(task, std::iter::from_fn(entered), sink)
        })
    }

    fn side_by_side<U: Record, O: Record, P>(&self, other: &Rdd<U>, origin: Origin, push: P) -> Rdd<O>
    where
        P: Fn(&dyn Node<T>, &dyn Node<U>, &Task<'_>, Sink<'_, O>) -> Outcome + Closure,
    {
        let (here, there) = (self.num_partitions(), other.num_partitions());
        let sides = SideBySide { left: self.node.clone(), right: other.node.clone(), push };
        let zipped = Rdd::from_node(&self.context, sides);
        if here == there {
            return zipped;
        }
        zipped.broken(format!(
            "{origin}: this dataset has {here} partitions and the other {there}; only datasets with as many partitions \
             as each other can be zipped"
        ))
    }
}

/// Two parents with as many partitions: its whole behaviour is how it pushes.
struct SideBySide<T, U, P> {
    left: Arc<dyn Node<T>>,
    right: Arc<dyn Node<U>>,
    push: P,
}
impl<T: Record, U: Record, O: Record, P> Node<O> for SideBySide<T, U, P>
where
    P: Fn(&dyn Node<T>, &dyn Node<U>, &Task<'_>, Sink<'_, O>) -> Outcome + Closure,
{
    fn num_partitions(&self) -> usize {
        self.left.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.left.shuffles(found);
        self.right.shuffles(found);
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, O>) -> Outcome {
        (self.push)(&*self.left, &*self.right, task, sink)
    }
}
