//! [`SaveAsHadoopFiles`]: Spark's `saveAsHadoopFiles`, exactly once.

use crate::FileSink;
use crate::formats::FileFormat;
use headwater_core::dstream::OutputOperation;
use headwater_core::{DStream, Record};

/// `save_as_hadoop_files` on streams of pairs.
pub trait SaveAsHadoopFiles<K, V> {
    /// An output operation: writes each batch into the folder `prefix-<ms>[.suffix]`, exactly once, as
    /// [`FileSink`] does; `format` is [`TextOutputFormat`](crate::formats::TextOutputFormat),
    /// [`SequenceFileOutputFormat`](crate::formats::SequenceFileOutputFormat), or one of your own.
    /// Source: Spark's `saveAsHadoopFiles` and `saveAsNewAPIHadoopFiles`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// use headwater_files::{SaveAsHadoopFiles, formats::TextOutputFormat};
    ///
    /// let folder = testkit::temporary_folder();
    /// testkit::printed([vec![("to".to_string(), 2), ("be".to_string(), 1)]], |counts: DStream<(String, i32)>| {
    ///     counts.save_as_hadoop_files(&format!("{folder}/counts"), "txt", TextOutputFormat).uid("counts")
    /// });
    /// assert_eq!(std::fs::read_to_string(format!("{folder}/counts-1000.txt/part-00000")).unwrap(), "to\t2\n");
    /// ```
    #[track_caller]
    fn save_as_hadoop_files(&self, prefix: &str, suffix: &str, format: impl FileFormat<(K, V)>) -> OutputOperation;
}

impl<K: Record, V: Record> SaveAsHadoopFiles<K, V> for DStream<(K, V)> {
    #[track_caller]
    fn save_as_hadoop_files(&self, prefix: &str, suffix: &str, format: impl FileFormat<(K, V)>) -> OutputOperation {
        self.write_to(FileSink::of(format, prefix).suffix(suffix))
    }
}
