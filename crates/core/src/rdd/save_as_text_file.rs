//! `save_as_text_file`: a folder of one file per partition, complete or not there.

use super::{Node, Rdd, Stop, Task};
use crate::env::FileSystem;
use crate::origin::Origin;
use crate::{Error, Record, Result};
use std::fmt::Display;
use std::io::Write;

/// Bytes that a task gathers before it writes them.
const WRITE_BYTES: usize = 256 << 10;

impl<T: Record + Display> Rdd<T> {
    /// Writes each record as a line into `path/part-00000`, `part-00001`, ..., one file per partition, empty ones
    /// too, and an empty `_SUCCESS` at the end. The files are written to `path/_temporary` and renamed when whole.
    /// An existing or empty `path` is an error. Source: Spark's `saveAsTextFile`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// let path = format!("{folder}/numbers");
    /// context.parallelize(vec![1, 2, 3], 2).save_as_text_file(&path)?;
    /// assert_eq!(std::fs::read_to_string(format!("{path}/part-00001")).unwrap(), "2\n3\n");
    /// assert!(context.parallelize(vec![1], 1).save_as_text_file(&path).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn save_as_text_file(&self, path: &str) -> Result<()> {
        if path.is_empty() {
            return Err(Error::program("save_as_text_file(\"\"): the output folder needs a name"));
        }
        if self.context.env().files.exists(path)? {
            return Err(Error::program(format!("output folder {path} exists already; remove it or choose another")));
        }
        self.write_text_files(path)
    }

    /// As [`Rdd::save_as_text_file`], over what an earlier try at the same batch may have left.
    #[track_caller]
    pub(crate) fn replace_text_files(&self, path: &str) -> Result<()> {
        self.context.env().files.remove_folder(path)?;
        self.write_text_files(path)
    }

    #[track_caller]
    fn write_text_files(&self, path: &str) -> Result<()> {
        let files = self.context.env().files.clone();
        let temporary = format!("{path}/_temporary");
        files.create_folder(&temporary)?;
        let (task_files, task_path) = (files.clone(), path.to_owned());
        let origin = Origin::here("save_as_text_file");
        let written = self.run_job(0..self.num_partitions(), move |node, task| {
            write_part(node, task, origin, &*task_files, &task_path)
        });
        // Also what failed attempts have left, of which a full disk has the least need.
        let cleared = files.remove_folder(&temporary);
        written?;
        cleared?;
        files.create(&format!("{path}/_SUCCESS")).map(drop)
    }
}

fn write_part<T: Display>(
    node: &dyn Node<T>,
    task: &Task<'_>,
    origin: Origin,
    files: &dyn FileSystem,
    path: &str,
) -> Result<(), Stop> {
    let part = format!("part-{:05}", task.partition());
    let temporary = format!("{path}/_temporary/{part}.{}", task.attempt());
    let failed = |error| Stop::from(Error::outside(format!("cannot write {temporary}"), error));
    let mut file = files.create(&temporary)?;
    let mut bytes = Vec::with_capacity(WRITE_BYTES);
    node.compute(task, &mut |chunk| {
        task.enter(origin);
        for record in chunk.drain(..) {
            writeln!(bytes, "{record}").map_err(failed)?;
            if bytes.len() >= WRITE_BYTES {
                file.write_all(&bytes).map_err(failed)?;
                bytes.clear();
            }
        }
        Ok(())
    })?;
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(failed)?;
    drop(file);
    Ok(files.rename(&temporary, &format!("{path}/{part}"))?)
}
