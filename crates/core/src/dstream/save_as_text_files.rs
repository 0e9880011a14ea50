//! `save_as_text_files`: a folder of text per batch.

use super::node::Tick;
use super::{DStream, OutputOperation};
use crate::rdd::{Rdd, Target};
use crate::time::Time;
use crate::{Error, Record, TextRecord};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// An output operation: writes each batch into the folder `prefix-<ms>[.suffix]`, one line a record and one file a
    /// partition, and `_SUCCESS` when it is whole. An empty batch makes a folder too. A batch that runs again replaces
    /// its folder. Without a prefix the folder is named by the time alone, as in Spark.
    ///
    /// ```
    /// use headwater::testkit;
    /// let folder = testkit::temporary_folder();
    /// let prefix = format!("{folder}/numbers");
    /// testkit::printed([vec![1, 2]], |numbers| numbers.save_as_text_files(&prefix, "txt"));
    /// assert_eq!(std::fs::read_to_string(format!("{prefix}-1000.txt/part-00001")).unwrap(), "2\n");
    /// ```
    #[track_caller]
    pub fn save_as_text_files(&self, prefix: &str, suffix: &str) -> OutputOperation
    where
        T: TextRecord,
    {
        self.save_batches("save_as_text_files", prefix, suffix, |rdd, path| rdd.text_parts(path))
    }
}

impl<T: Record> DStream<T> {
    /// Registers an output that writes each batch into a folder of its own, by the tasks of what `parts` makes.
    #[track_caller]
    pub(super) fn save_batches(
        &self,
        operation: &'static str,
        prefix: &str,
        suffix: &str,
        parts: impl Fn(&Rdd<T>, &str) -> Rdd<()> + Send + Sync + 'static,
    ) -> OutputOperation {
        let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
        if prefix.contains('\0') || suffix.contains('\0') {
            self.graph.refuse(Error::program(format!("{operation}({prefix:?}, {suffix:?}): a name with a NUL byte")));
        }
        let folder = Arc::new(move |time| rdd_to_file_name(&prefix, &suffix, time));
        let named = folder.clone();
        let make = move |rdd: Rdd<T>, tick: &Tick| parts(&rdd, &named(tick.time));
        self.output(operation, make, move |parts, time| parts.save_parts(operation, &folder(time), Target::Replaced))
    }
}

/// The name of a batch's folder: `prefix-<ms>[.suffix]`, or `<ms>[.suffix]` without a prefix.
///
/// ```
/// use headwater_core::{dstream::rdd_to_file_name, time::Time};
/// let time = Time::from_millis(12300);
/// assert_eq!(rdd_to_file_name("counts", "txt", time), "counts-12300.txt");
/// assert_eq!(rdd_to_file_name("", "", time), "12300");
/// ```
pub fn rdd_to_file_name(prefix: &str, suffix: &str, time: Time) -> String {
    let dash = if prefix.is_empty() { "" } else { "-" };
    let dot = if suffix.is_empty() { "" } else { "." };
    format!("{prefix}{dash}{}{dot}{suffix}", time.milliseconds())
}
