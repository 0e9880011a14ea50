//! `count_by_value` on a stream.

use super::DStream;
use crate::{Key, Record};

impl<T: Record> DStream<T> {
    /// How often each different record occurs in the batch.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec!['a', 'b', 'a']], |letters| letters.count_by_value(), [vec![('a', 2), ('b', 1)]]);
    /// ```
    #[track_caller]
    pub fn count_by_value(&self) -> DStream<(T, u64)>
    where
        T: Key,
    {
        self.derive("count_by_value", |rdd, _| rdd.map(|record| (record, 1u64)).reduce_by_key(|a, b| a + b))
            .choosing_partitions()
    }
}
