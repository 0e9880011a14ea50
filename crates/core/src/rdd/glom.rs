//! `glom`: a partition becomes one record.

use super::Rdd;
use crate::Record;

impl<T: Record> Rdd<T> {
    /// One vector per partition.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3, 4], 2).glom().collect()?, [[1, 2], [3, 4]]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn glom(&self) -> Rdd<Vec<T>> {
        self.fold_partitions("glom", Vec::new, |all, chunk| all.append(chunk), Some)
    }
}
