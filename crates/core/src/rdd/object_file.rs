//! `save_as_object_file` and `object_file`: records of any type, as they are, to be read by a program that has the type.

use super::input_files::{InputFile, input_files};
use super::persist::{ReadStop, push_file};
use super::retain::truncate;
use super::save::Target;
use super::{FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::env::Env;
use crate::frames::{FrameReader, FrameWriter, SegmentWriter, name_of};
use crate::{Data, Record, Result};
use std::sync::atomic::{AtomicBool, Ordering};

impl<T: Record> Rdd<T> {
    /// Writes the records into `path/part-00000`, ..., one file per partition, and `_SUCCESS` at the end, as
    /// [`Rdd::save_as_text_file`] does; [`RddContext::object_file`] reads them. The files have a version, and checksums
    /// by which damage is found. A record is written without the names of its fields: the type must be read as it was
    /// written, with the same fields in the same order. Source: Spark's `saveAsObjectFile`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// let path = format!("{folder}/pairs");
    /// context.parallelize(vec![("a".to_string(), 1), ("b".to_string(), 2)], 2).save_as_object_file(&path)?;
    /// assert_eq!(context.object_file::<(String, i32)>(&path)?.count()?, 2);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn save_as_object_file(&self, path: &str) -> Result<()>
    where
        T: Data,
    {
        self.object_parts(path).save_parts("save_as_object_file", path, Target::New)
    }

    #[track_caller]
    pub(crate) fn object_parts(&self, path: &str) -> Rdd<()>
    where
        T: Data,
    {
        self.parts("save_as_object_file", path, |node, task, origin, part| {
            let failed = part.failing();
            let mut file = FrameWriter::new(&mut part.file, name_of::<T>()).map_err(&failed)?;
            let mut records = SegmentWriter::new();
            node.compute(task, &mut |chunk| {
                task.enter(origin);
                records.push(chunk)?;
                truncate(chunk, 0);
                records.take_full().iter().try_for_each(|segment| file.write(segment)).map_err(&failed)
            })?;
            records.finish().iter().try_for_each(|segment| file.write(segment)).map_err(&failed)?;
            file.finish().map_err(failed)
        })
    }
}

impl RddContext {
    /// The records that [`Rdd::save_as_object_file`] wrote, one partition per file; `path` is its folder, or whatever
    /// [`RddContext::text_file`] takes. A file that is damaged, or holds records that do not read as `T`, fails the job
    /// by its name. Records of a type of another name that read as `T` cause a warning: they are right where the type
    /// was renamed or moved, and not where it is another one. Source: Spark's `objectFile`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// # let folder = headwater::testkit::temporary_folder();
    /// let path = format!("{folder}/numbers");
    /// context.parallelize(vec![1u64, 2, 3], 2).save_as_object_file(&path)?;
    /// assert_eq!(context.object_file::<u64>(&path)?.collect()?, [1, 2, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn object_file<T: Data>(&self, path: &str) -> Result<Rdd<T>> {
        let files = input_files(&*self.env().files, path)?;
        let (env, told_of_type) = (self.env().clone(), AtomicBool::new(false));
        Ok(Rdd::from_node(self, ObjectFiles { files, env, told_of_type }))
    }
}

struct ObjectFiles {
    files: Vec<InputFile>,
    env: Env,
    /// Whether it was told that the records were written as another type.
    told_of_type: AtomicBool,
}

impl<T: Data> Node<T> for ObjectFiles {
    fn num_partitions(&self) -> usize {
        self.files.len()
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let path = &self.files[task.partition()].path;
        let mut file = FrameReader::open(self.env.files.open(path, 0)?, path)?;
        let (written, read) = (file.name().to_owned(), name_of::<T>());
        if written != read && !self.told_of_type.swap(true, Ordering::Relaxed) {
            self.env.console.warn(&format!(
                "object file {path} has records of type {written}, which are read as {read}: right only if that is the \
                 same type by another name"
            ));
        }
        push_file(&mut file, u64::MAX, &mut false, task, sink).map_err(|stop| match stop {
            ReadStop::Sink(stop) => stop,
            ReadStop::Damaged(error) => error.within(format!("object file {path} of type {written}")).into(),
        })
    }
}
