//! `repartition` on a stream.

use super::DStream;
use crate::{Data, Record};

impl<T: Record> DStream<T> {
    /// The same records, dealt out evenly over `partitions`: more tasks for what follows. The start fails for 0.
    ///
    /// ```
    /// use headwater::testkit::Check;
    /// let program = |numbers: headwater::DStream<i32>| numbers.repartition(5).glom().map(|part| part.len());
    /// Check::new().input_partitions(2).run([(1..=100).collect()], program, [vec![20; 5]]);
    /// ```
    #[track_caller]
    pub fn repartition(&self, partitions: usize) -> DStream<T>
    where
        T: Data,
    {
        let repartitioned = self.derive("repartition", move |rdd, _| rdd.repartition(partitions));
        repartitioned.check_partitions("repartition", partitions);
        repartitioned
    }
}
