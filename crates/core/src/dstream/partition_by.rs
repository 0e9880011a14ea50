//! `partition_by` on a stream of pairs.

use super::DStream;
use crate::partitioner::{Partitioner, Partitioning};
use crate::{Data, Key, Record};

impl<K: Record, V: Record> DStream<(K, V)> {
    /// The same records, each in the partition of its batch that `partitioner` gives its key. What follows by key, with
    /// the same partitioner, need not shuffle again.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |pairs: headwater::DStream<(i32, char)>| {
    ///     let placed = pairs.partition_by(pairs.context().hash_partitioner(3));
    ///     placed.glom().flat_map(|partition| [partition.len()]).map(|len| (len > 0) as usize).reduce(|a, b| a + b)
    /// };
    /// check([vec![(7, 'a'), (7, 'b'), (7, 'c')]], program, [vec![1]]);
    /// ```
    #[track_caller]
    pub fn partition_by(&self, partitioner: impl Partitioner<K>) -> DStream<(K, V)>
    where
        K: Key,
        V: Data,
    {
        self.check_partitions("partition_by", partitioner.num_partitions());
        let by = Partitioning::of::<K, _>(partitioner, self.context().seed()).typed().expect("made for this key");
        self.derive("partition_by", move |rdd, _| rdd.placed(&by))
    }
}
