//! [`Storing`]: a partition on its way into the block store, chunk by chunk: as records, as bytes, in a file or, where
//! there is no room, straight to who asked for it.

use super::{ReadStop, push_file, push_memory, push_segments};
use crate::Data;
use crate::StorageLevel;
use crate::block_store::{BlockFile, Bytes, DiskProblem, Insertion, Records, Stored};
use crate::frames::{Segment, SegmentWriter, name_of};
use crate::origin::Origin;
use crate::rdd::retain::truncate;
use crate::rdd::{Outcome, Sink, Stop, Task};
use crate::record_size::bytes_of;
use std::mem::replace;
use std::sync::Arc;

/// A partition that is being computed. Nothing goes to the sink before the partition is whole, unless there is no room
/// for it: then all that is there goes on, and from then on each chunk.
pub(super) struct Storing<'a, T> {
    insertion: Insertion<'a>,
    /// Whose code the serialising of records is.
    origin: Origin,
    form: Form,
    records: Records<T>,
    writer: SegmentWriter<T>,
    /// There in [`Form::File`].
    file: Option<BlockFile>,
}
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Records,
    Bytes,
    File,
    PassedOn,
}

/// Where a partition is that was computed.
pub(super) enum Computed {
    Pushed,
    /// In the store, in a file.
    Stored,
}

impl<'a, T: Data> Storing<'a, T> {
    pub(super) fn new(insertion: Insertion<'a>, level: StorageLevel, origin: Origin) -> Storing<'a, T> {
        let form = if level.deserialized() { Form::Records } else { Form::Bytes };
        let (records, writer) = (Records(Vec::new()), SegmentWriter::new());
        let mut storing = Storing { insertion, origin, form, records, writer, file: None };
        if !level.use_memory() {
            storing.leave_memory();
        }
        storing
    }

    /// Takes in a chunk that was computed.
    pub(super) fn take(&mut self, chunk: &mut Vec<T>, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        if self.form == Form::PassedOn {
            return sink(chunk);
        }
        task.enter(self.origin);
        if self.form == Form::Records {
            if self.insertion.grow(bytes_of(chunk)) {
                self.records.append(chunk);
                return Ok(());
            }
            self.leave_memory();
            let stored = replace(&mut self.records, Records(Vec::new()));
            stored.0.into_iter().try_for_each(|mut stored| self.take(&mut stored, task, sink))?;
            self.insertion.shrink();
            return self.take(chunk, task, sink);
        }
        let before = self.writer.bytes();
        self.writer.push(chunk)?;
        truncate(chunk, 0);
        if self.form == Form::Bytes {
            if self.insertion.grow(self.writer.bytes() - before) {
                return Ok(());
            }
            self.leave_memory();
        }
        let full = self.writer.take_full();
        self.take_segments(full, task, sink)?;
        self.insertion.shrink();
        Ok(())
    }

    /// There are no more chunks: enters the block. What is in a file then is not pushed.
    pub(super) fn finish(mut self, task: &Task<'_>, sink: Sink<'_, T>) -> Result<Computed, Stop> {
        if self.form == Form::File {
            self.finish_file(task, sink)?;
        }
        let stored: Arc<dyn Stored> = match self.form {
            Form::PassedOn => return Ok(Computed::Pushed),
            Form::File => {
                let (file, _) = self.file.expect("this form has a file").stop();
                self.insertion.into_disk(Arc::new(file));
                return Ok(Computed::Stored);
            }
            Form::Records => {
                self.records.close();
                Arc::new(self.records)
            }
            Form::Bytes => Arc::new(Bytes(self.writer.finish())),
        };
        self.insertion.into_memory(stored.clone());
        push_memory(&*stored, task, sink)?;
        Ok(Computed::Pushed)
    }

    /// There is no room in memory: from here on chunks go to a file, if the level and the disk let them, or on.
    fn leave_memory(&mut self) {
        self.file = self.insertion.file(name_of::<T>());
        self.form = if self.file.is_some() { Form::File } else { Form::PassedOn };
        if self.form == Form::PassedOn {
            self.insertion.give_up();
        }
    }
    /// Writes segments or passes them on, and with them what the writer has left.
    fn take_segments(&mut self, segments: Vec<Segment>, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        for segment in segments {
            if let Some(file) = &mut self.file {
                match file.write(&segment) {
                    Ok(()) => continue,
                    Err(problem) => self.leave_file(problem, task, sink)?,
                }
            }
            push_segments(&[segment], task, sink)?;
        }
        if self.form == Form::PassedOn {
            let left = replace(&mut self.writer, SegmentWriter::new()).finish();
            push_segments(&left, task, sink)?;
        }
        Ok(())
    }
    fn finish_file(&mut self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let last = replace(&mut self.writer, SegmentWriter::new()).finish();
        self.take_segments(last, task, sink)?;
        match self.file.as_mut().map(BlockFile::finish) {
            Some(Err(error)) => self.leave_file(error.into(), task, sink),
            _ => Ok(()),
        }
    }
    /// The file takes no more: what it has is passed on.
    fn leave_file(&mut self, problem: DiskProblem, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        self.insertion.disk_problem(problem);
        self.insertion.give_up();
        self.form = Form::PassedOn;
        let (file, segments) = self.file.take().expect("there is a file in this form").stop();
        let read = file.open().map_err(ReadStop::Damaged);
        match read.and_then(|mut file| push_file(&mut file, segments, &mut false, task, sink)) {
            Ok(()) => Ok(()),
            Err(ReadStop::Sink(stop)) => Err(stop),
            Err(ReadStop::Damaged(error)) => {
                // The task begins anew, and keeps off the disk then.
                self.insertion.disk_problem(error.into());
                Err(Stop::Lost)
            }
        }
    }
}
