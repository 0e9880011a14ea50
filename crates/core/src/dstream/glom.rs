//! `glom` on a stream.

use super::DStream;
use crate::Record;

impl<T: Record> DStream<T> {
    /// One vector per partition of each batch.
    ///
    /// ```
    /// use headwater::testkit::Check;
    /// let program = |numbers: headwater::DStream<i32>| numbers.glom();
    /// Check::new().input_partitions(2).run([vec![1, 2, 3, 4]], program, [vec![vec![1, 2], vec![3, 4]]]);
    /// ```
    #[track_caller]
    pub fn glom(&self) -> DStream<Vec<T>> {
        self.derive("glom", |rdd, _| rdd.glom())
    }
}
