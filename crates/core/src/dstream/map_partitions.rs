//! `map_partitions` and its kin on a stream.

use super::DStream;
use crate::rdd::PartitionRecords;
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// Applies `f` to each partition of each batch as a whole. The partition is held in memory while `f` runs.
    ///
    /// ```
    /// use headwater::testkit::Check;
    /// let program = |numbers: headwater::DStream<i32>| numbers.map_partitions(|records| [records.sum::<i32>()]);
    /// Check::new().input_partitions(2).run([vec![1, 2, 3, 4]], program, [vec![3, 7]]);
    /// ```
    #[track_caller]
    pub fn map_partitions<I>(&self, f: impl Fn(PartitionRecords<T>) -> I + Closure) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let f = Arc::new(f);
        self.derive("map_partitions", move |rdd, _| {
            let f = f.clone();
            rdd.map_partitions(move |records| f(records))
        })
    }
    /// As [`DStream::map_partitions`]; `f` also gets the number of the partition within its batch, from 0.
    ///
    /// ```
    /// use headwater::testkit::Check;
    /// let program = |numbers: headwater::DStream<i32>| {
    ///     numbers.map_partitions_with_index(|index, records| [(index, records.sum::<i32>())])
    /// };
    /// Check::new().input_partitions(2).run([vec![1, 2, 3, 4]], program, [vec![(0, 3), (1, 7)]]);
    /// ```
    #[track_caller]
    pub fn map_partitions_with_index<I>(
        &self,
        f: impl Fn(usize, PartitionRecords<T>) -> I + Closure,
    ) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let f = Arc::new(f);
        self.derive("map_partitions_with_index", move |rdd, _| {
            let f = f.clone();
            rdd.map_partitions_with_index(move |index, records| f(index, records))
        })
    }

    /// As [`DStream::map_partitions`], where `f` promises to leave every key as it is, so that a later operation by
    /// key need not shuffle; Spark's `preservePartitioning = true`. If `f` breaks its promise, equal keys are no
    /// longer brought together.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |pairs: headwater::DStream<(char, i32)>| {
    ///     let sums = pairs.reduce_by_key(|a, b| a + b);
    ///     sums.map_partitions_preserving(|sums| sums.filter(|(_, sum)| *sum > 2)).join(&sums)
    /// };
    /// check([vec![('a', 1), ('b', 2), ('a', 3)]], program, [vec![('a', (4, 4))]]);
    /// ```
    #[track_caller]
    pub fn map_partitions_preserving<I>(&self, f: impl Fn(PartitionRecords<T>) -> I + Closure) -> DStream<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let f = Arc::new(f);
        self.derive("map_partitions_preserving", move |rdd, _| {
            let f = f.clone();
            rdd.map_partitions_preserving(move |records| f(records))
        })
    }
}
