//! [`Kept`]: the partitions of a checkpoint, in this process or, where the application has several, with the others.

use crate::frames::{FrameReader, FrameWriter, Segment, name_of};
use crate::item::ItemId;
use crate::rdd::persist::{ReadStop, push_file, push_segments};
use crate::rdd::{Outcome, RddContext, Sink, Stop, Task};
use crate::transport::{Role, Transport};
use crate::{Data, Error, ErrorKind, Result};
use std::io::Cursor;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// As bytes, and never given out by move.
pub(super) struct Kept {
    pub(super) id: ItemId,
    partitions: usize,
    place: Place,
}
enum Place {
    Here {
        partitions: Vec<OnceLock<Vec<Segment>>>,
        /// Partitions that are not there yet.
        left: AtomicUsize,
    },
    /// As the buckets of a shuffle, of which each map task leaves one for the partition of its own number.
    Away {
        transport: Arc<dyn Transport>,
        /// Whether all were there when somebody asked.
        complete: AtomicBool,
    },
}

impl Kept {
    pub(super) fn new(context: &RddContext, partitions: usize) -> Kept {
        let place = match context.transport() {
            Some(transport) => Place::Away { transport: transport.clone(), complete: AtomicBool::new(partitions == 0) },
            None => Place::Here {
                partitions: (0..partitions).map(|_| OnceLock::new()).collect(),
                left: AtomicUsize::new(partitions),
            },
        };
        Kept { id: context.next_item(), partitions, place }
    }
    pub(super) fn partitions(&self) -> usize {
        self.partitions
    }
    pub(super) fn is_complete(&self) -> bool {
        match &self.place {
            Place::Here { left, .. } => left.load(Ordering::Acquire) == 0,
            Place::Away { complete, .. } => complete.load(Ordering::Relaxed) || self.missing().is_empty(),
        }
    }
    pub(super) fn missing(&self) -> Vec<usize> {
        match &self.place {
            Place::Here { partitions, .. } => {
                (0..self.partitions).filter(|at| partitions[*at].get().is_none()).collect()
            }
            Place::Away { transport, complete } => {
                let missing = transport.missing_maps(self.id, self.partitions);
                complete.store(missing.is_empty(), Ordering::Relaxed);
                missing
            }
        }
    }
    /// Whether this process has the partition.
    pub(super) fn has_here(&self, partition: usize) -> bool {
        matches!(&self.place, Place::Here { partitions, .. } if partitions[partition].get().is_some())
    }
    /// Keeps a partition, which is entered once in a process.
    pub(super) fn put<T>(&self, partition: usize, segments: Vec<Segment>) -> Result<()> {
        match &self.place {
            Place::Here { partitions, left } => {
                let fresh = partitions[partition].set(segments);
                assert!(fresh.is_ok(), "who computes a partition has its claim");
                left.fetch_sub(1, Ordering::AcqRel);
            }
            Place::Away { transport, .. } => {
                let mut buckets = vec![Vec::new(); self.partitions];
                buckets[partition] = to_bytes::<T>(&segments)?;
                transport.put_buckets(self.id, partition, buckets);
            }
        }
        Ok(())
    }
    /// Pushes a partition; [`Stop::Lost`] if it is not there.
    pub(super) fn push<T: Data>(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        match &self.place {
            Place::Here { partitions, .. } => {
                push_segments(partitions[task.partition()].get().ok_or(Stop::Lost)?, task, sink)
            }
            Place::Away { transport, .. } => {
                let mut buckets = transport.buckets(self.id, self.partitions, task.partition())?;
                let bytes = Cursor::new(buckets.swap_remove(task.partition()));
                let mut reader = FrameReader::open(Box::new(bytes), "a checkpointed partition")?;
                push_file(&mut reader, u64::MAX, &mut false, task, sink).map_err(|stop| match stop {
                    ReadStop::Sink(stop) => stop,
                    ReadStop::Damaged(error) => error.into(),
                })
            }
        }
    }
}
impl Drop for Kept {
    fn drop(&mut self) {
        if let Place::Away { transport, .. } = &self.place
            && transport.role() == Role::Driver
        {
            transport.forget_shuffle(self.id);
        }
    }
}

fn to_bytes<T>(segments: &[Segment]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = FrameWriter::new(&mut bytes, name_of::<T>()).and_then(|mut writer| {
        segments.iter().try_for_each(|segment| writer.write(segment))?;
        writer.finish()
    });
    let failed = |error| Error::new(ErrorKind::Resources, "a checkpointed partition cannot be sent").because(error);
    written.map(|()| bytes).map_err(failed)
}
