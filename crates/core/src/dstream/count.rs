//! `count` on a stream.

use super::DStream;
use crate::Record;

impl<T: Record> DStream<T> {
    /// One number per batch: how many records it has. An empty batch gives 0.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// check([vec!['a', 'b'], vec![]], |letters| letters.count(), [vec![2], vec![0]]);
    /// ```
    #[track_caller]
    pub fn count(&self) -> DStream<u64> {
        self.derive("count", |rdd, _| {
            let partial = rdd.fold_partitions("count", || 0, |count, chunk| *count += chunk.len() as u64, Some);
            let all = partial.repartition(1);
            all.fold_partitions("count", || 0, |sum, counts| *sum += counts.iter().sum::<u64>(), Some)
        })
    }
}
