//! `coalesce`: fewer partitions without a shuffle.

use super::{FoundShuffles, Node, Outcome, Rdd, Sink, Task};
use crate::{Data, Record};
use std::ops::Range;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// The same records in `partitions`, each a run of neighbouring ones, one after the other; nothing is shuffled. A
    /// dataset that does not have more stays as it is. 0 is an error of the job.
    ///
    /// The steps before it run in as few tasks: where they do the work, [`Rdd::repartition`] behind them is faster.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4, 5], 5);
    /// assert_eq!(numbers.coalesce(2).glom().collect()?, [vec![1, 2], vec![3, 4, 5]]);
    /// assert_eq!(numbers.coalesce(9).num_partitions(), 5);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn coalesce(&self, partitions: usize) -> Rdd<T> {
        if let Some(refused) = self.refuse_partitions("coalesce", partitions) {
            return refused;
        }
        if partitions >= self.num_partitions() {
            return self.clone();
        }
        Rdd::from_node(&self.context, Coalesced { parent: self.node.clone(), partitions })
    }

    /// The same records, dealt out evenly: [`Rdd::repartition`] by the name of Spark's `coalesce(n, shuffle = true)`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..100).collect::<Vec<u64>>(), 1).coalesce_with_shuffle(4);
    /// assert_eq!(numbers.glom().map(|records| records.len()).collect()?, [25; 4]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn coalesce_with_shuffle(&self, partitions: usize) -> Rdd<T>
    where
        T: Data,
    {
        self.repartition(partitions)
    }
}

struct Coalesced<T> {
    parent: Arc<dyn Node<T>>,
    partitions: usize,
}
impl<T: Record> Coalesced<T> {
    /// The parent's partitions that make up `partition`.
    fn run(&self, partition: usize) -> Range<usize> {
        let cut = |n: usize| (n as u128 * self.parent.num_partitions() as u128 / self.partitions as u128) as usize;
        cut(partition)..cut(partition + 1)
    }
}
impl<T: Record> Node<T> for Coalesced<T> {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found)
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        self.run(task.partition()).try_for_each(|partition| self.parent.compute(&task.at(partition), sink))
    }
}
