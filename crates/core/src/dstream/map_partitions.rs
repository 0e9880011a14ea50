//! `map_partitions` on a stream.

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
}
