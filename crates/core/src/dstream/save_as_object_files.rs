//! `save_as_object_files`: a folder of records as they are per batch.

use super::{DStream, OutputOperation};
use crate::{Data, Record};

impl<T: Record> DStream<T> {
    /// An output operation: as [`DStream::save_as_text_files`], with the records as they are, which
    /// [`RddContext::object_file`](crate::RddContext::object_file) reads.
    ///
    /// ```
    /// use headwater::testkit;
    /// let folder = testkit::temporary_folder();
    /// let prefix = format!("{folder}/numbers");
    /// testkit::printed([vec![1u64, 2]], |numbers| numbers.save_as_object_files(&prefix, ""));
    /// let read = testkit::context().object_file::<u64>(&format!("{prefix}-1000"))?;
    /// assert_eq!(read.collect()?, [1, 2]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    #[track_caller]
    pub fn save_as_object_files(&self, prefix: &str, suffix: &str) -> OutputOperation
    where
        T: Data,
    {
        self.save_batches("save_as_object_files", prefix, suffix, |rdd, path| rdd.object_parts(path))
    }
}
