//! `parallelize`: records at hand become a dataset.

use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::Record;
use std::ops::Range;

impl RddContext {
    /// The records of a vector in `partitions` runs of nearly equal length, as Spark cuts them; 0 is an error of the
    /// job. They stay in memory as long as the dataset.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4, 5], 2);
    /// assert_eq!(numbers.glom().collect()?, [vec![1, 2], vec![3, 4, 5]]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn parallelize<T: Record + Clone>(&self, records: Vec<T>, partitions: usize) -> Rdd<T> {
        let rdd = Rdd::from_node(self, Parallelized { records, partitions });
        rdd.refuse_partitions("parallelize", partitions).unwrap_or(rdd)
    }

    /// A dataset without records and without partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.empty_rdd::<u64>().count()?, 0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn empty_rdd<T: Record>(&self) -> Rdd<T> {
        self.union([])
    }
}

impl RddContext {
    /// A dataset without records in one partition: what a batch is to which nothing came, so that outputs still run.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.empty_partition::<u64>().num_partitions(), 1);
    /// assert_eq!(context.empty_partition::<u64>().count()?, 0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn empty_partition<T: Record>(&self) -> Rdd<T> {
        Rdd::from_node(self, EmptyPartition)
    }
}

struct EmptyPartition;
impl<T> Node<T> for EmptyPartition {
    fn num_partitions(&self) -> usize {
        1
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, _task: &Task<'_>, _sink: Sink<'_, T>) -> Outcome {
        Ok(())
    }
}

struct Parallelized<T> {
    records: Vec<T>,
    partitions: usize,
}
impl<T> Parallelized<T> {
    fn range(&self, partition: usize) -> Range<usize> {
        let cut = |n: usize| (n as u128 * self.records.len() as u128 / self.partitions as u128) as usize;
        cut(partition)..cut(partition + 1)
    }
}
impl<T: Record + Clone> Node<T> for Parallelized<T> {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let mut chunk = Vec::with_capacity(CHUNK);
        for records in self.records[self.range(task.partition())].chunks(CHUNK) {
            task.check()?;
            chunk.extend_from_slice(records);
            sink(&mut chunk)?;
        }
        Ok(())
    }
}
