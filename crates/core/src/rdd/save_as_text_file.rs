//! `save_as_text_file`: a line for each record.

use super::Rdd;
use super::save::Target;
use crate::{Record, Result, TextRecord};
use std::io::Write;

/// Bytes that a task gathers before it writes them.
const WRITE_BYTES: usize = 256 << 10;

impl<T: Record> Rdd<T> {
    /// Writes each record as a line into `path/part-00000`, `part-00001`, ..., one file per partition, empty ones
    /// too, and an empty `_SUCCESS` at the end. The files are written to `path/_temporary` and renamed when whole; when
    /// this returns, they survive a crash of the machine. An existing or empty `path` is an error. Source: Spark's
    /// `saveAsTextFile`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// let path = format!("{folder}/numbers");
    /// context.parallelize(vec![1, 2, 3], 2).save_as_text_file(&path)?;
    /// assert_eq!(std::fs::read_to_string(format!("{path}/part-00001")).unwrap(), "2\n3\n");
    /// assert_eq!(context.text_file(&path, 1)?.collect()?, ["1", "2", "3"]);
    /// assert!(context.parallelize(vec![1], 1).save_as_text_file(&path).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn save_as_text_file(&self, path: &str) -> Result<()>
    where
        T: TextRecord,
    {
        self.text_parts(path).save_parts("save_as_text_file", path, Target::New)
    }

    #[track_caller]
    pub(crate) fn text_parts(&self, path: &str) -> Rdd<()>
    where
        T: TextRecord,
    {
        self.parts("save_as_text_file", path, |node, task, origin, part| {
            let (failed, mut bytes) = (part.failing(), Vec::with_capacity(WRITE_BYTES));
            node.compute(task, &mut |chunk| {
                task.enter(origin);
                for record in chunk.drain(..) {
                    writeln!(bytes, "{record}").map_err(&failed)?;
                    if bytes.len() >= WRITE_BYTES {
                        part.file.write_all(&bytes).map_err(&failed)?;
                        bytes.clear();
                    }
                }
                Ok(())
            })?;
            part.file.write_all(&bytes).map_err(failed)
        })
    }
}
