//! `map_partitions` and its kin: a whole partition in, any number of records out.

use super::node::push_all;
use super::{Node, Rdd, Stop, Task};
use crate::origin::Origin;
use crate::{Closure, Record};

/// The records of one partition, in order.
pub type PartitionRecords<T> = std::vec::IntoIter<T>;

impl<T: Record> Rdd<T> {
    /// Applies `f` to each partition as a whole. The partition is held in memory while `f` runs.
    /// Keys count as moved: a later shuffle by key does not trust the old partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sums = context.parallelize(vec![1, 2, 3, 4], 2).map_partitions(|records| [records.sum::<i32>()]);
    /// assert_eq!(sums.collect()?, [3, 7]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_partitions<I>(&self, f: impl Fn(PartitionRecords<T>) -> I + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        self.partitions_mapped("map_partitions", false, move |_, records| f(records))
    }

    /// As [`Rdd::map_partitions`]; `f` also gets the number of the partition, from 0.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let letters = context.parallelize(vec!['a', 'b', 'c', 'd'], 2);
    /// let firsts = letters.map_partitions_with_index(|index, records| records.take(1).map(move |c| (index, c)));
    /// assert_eq!(firsts.collect()?, [(0, 'a'), (1, 'c')]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_partitions_with_index<I>(&self, f: impl Fn(usize, PartitionRecords<T>) -> I + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        self.partitions_mapped("map_partitions_with_index", false, f)
    }

    /// As [`Rdd::map_partitions`], where `f` promises to leave every key as it is, so that a later operation by key
    /// need not shuffle; Spark's `preservesPartitioning = true`. If `f` breaks its promise, equal keys are no longer
    /// brought together.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sums = context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).reduce_by_key(|a, b| a + b);
    /// let large = sums.map_partitions_preserving(|sums| sums.filter(|(_, sum)| *sum > 2));
    /// assert_eq!(large.collect()?, [('a', 4)]);
    /// assert_eq!(large.partitioner(), sums.partitioner());
    /// assert_eq!(sums.map_partitions(|sums| sums).partitioner(), None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_partitions_preserving<I>(&self, f: impl Fn(PartitionRecords<T>) -> I + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        self.partitions_mapped("map_partitions_preserving", true, move |_, records| f(records))
    }

    /// As [`Rdd::map_partitions_with_index`], with the promise of [`Rdd::map_partitions_preserving`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2)], 2).partition_by(context.hash_partitioner(1));
    /// let placed = pairs.map_partitions_with_index_preserving(|index, pairs| pairs.map(move |(c, _)| (c, index)));
    /// assert_eq!(placed.collect()?, [('a', 0), ('b', 0)]);
    /// assert_eq!(placed.partitioner(), pairs.partitioner());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_partitions_with_index_preserving<I>(
        &self,
        f: impl Fn(usize, PartitionRecords<T>) -> I + Closure,
    ) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        self.partitions_mapped("map_partitions_with_index_preserving", true, f)
    }

    #[track_caller]
    fn partitions_mapped<I>(
        &self,
        kind: &'static str,
        keeps_partitioner: bool,
        f: impl Fn(usize, PartitionRecords<T>) -> I + Closure,
    ) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let origin = Origin::here(kind);
        self.narrow(keeps_partitioner, move |parent, task, sink| {
            let records = whole(parent, task)?;
            task.enter(origin);
            let mut produced = f(task.partition(), records.into_iter()).into_iter();
            let entered = || {
                task.enter(origin);
                produced.next()
            };
            push_all(task, std::iter::from_fn(entered), sink)
        })
    }
}

/// All records of the task's partition, in memory.
pub(super) fn whole<T>(parent: &dyn Node<T>, task: &Task<'_>) -> Result<Vec<T>, Stop> {
    let mut records = Vec::new();
    parent.compute(task, &mut |chunk| {
        records.append(chunk);
        Ok(())
    })?;
    Ok(records)
}
