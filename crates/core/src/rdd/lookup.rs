//! `lookup`: the values of one key.

use super::Rdd;
use crate::{Data, Key, Record, Result};

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The values of `key`, in the order of partitions. Where the keys are spread by a partitioner only the key's own
    /// partition is computed, otherwise all are.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2);
    /// assert_eq!(pairs.lookup(&'a')?, [1, 3]);
    /// let placed = pairs.partition_by(context.hash_partitioner(8));
    /// assert_eq!(placed.lookup(&'b')?, [2]);
    /// assert_eq!(placed.lookup(&'c')?, [0; 0]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn lookup(&self, key: &K) -> Result<Vec<V>>
    where
        K: Key,
        V: Data,
    {
        let partitions = match self.partitioner().and_then(|partitioning| Some(partitioning.typed()?.partition(key))) {
            Some(partition) => partition..partition + 1,
            None => 0..self.num_partitions(),
        };
        // Who looks one key up looks up another.
        self.keep_shuffles();
        let key = key.clone();
        let found = self.fold_job_at(partitions, move |values: &mut Vec<V>, chunk| {
            values.extend(chunk.drain(..).filter(|record| record.0 == key).map(|record| record.1));
            Ok(())
        })?;
        Ok(found.into_iter().flatten().collect())
    }
}
