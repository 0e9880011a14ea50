//! The forms that a partition has in memory: [`Records`] as they are, [`Bytes`] in segments.

use super::disk::{BlockFile, DiskProblem};
use crate::Data;
use crate::frames::{Segment, SegmentWriter};
use crate::rdd::CHUNK;
use crate::text::{Text, pack};
use std::any::Any;

/// A partition in memory, without its type.
pub(crate) trait Stored: Any + Send + Sync {
    /// Writes the partition into a file. Runs the records' `Serialize`.
    fn spill(&self, file: &mut BlockFile) -> Result<(), DiskProblem>;
}

/// Records in chunks, all of them full but the last.
pub(crate) struct Records<T>(pub(crate) Vec<Vec<T>>);

impl<T: Data> Records<T> {
    /// Takes the records out of `chunk`.
    pub(crate) fn append(&mut self, chunk: &mut Vec<T>) {
        while !chunk.is_empty() {
            match self.0.last_mut().filter(|last| last.len() < CHUNK) {
                Some(last) => {
                    let room = CHUNK - last.len();
                    last.extend(chunk.drain(..room.min(chunk.len())));
                    if last.len() == CHUNK {
                        pack_texts(last);
                    }
                }
                None => self.0.push(Vec::with_capacity(CHUNK)),
            }
        }
    }
    /// There will be no more.
    pub(crate) fn close(&mut self) {
        if let Some(last) = self.0.last_mut().filter(|last| last.len() < CHUNK) {
            last.shrink_to_fit();
            pack_texts(last);
        }
    }
}
impl<T: Data> Stored for Records<T> {
    fn spill(&self, file: &mut BlockFile) -> Result<(), DiskProblem> {
        let mut writer = SegmentWriter::new();
        for chunk in &self.0 {
            writer.push(chunk)?;
            writer.take_full().iter().try_for_each(|segment| file.write(segment))?;
        }
        writer.finish().iter().try_for_each(|segment| file.write(segment))
    }
}

/// Lets texts go of the large blocks in which they were received, where the type of the records shows them. The types
/// are compared at compile time.
fn pack_texts<T: 'static>(records: &mut [T]) {
    fn all<T: 'static, U: 'static>(records: &mut [T]) -> impl Iterator<Item = &mut U> {
        records.iter_mut().filter_map(|record| (record as &mut dyn Any).downcast_mut())
    }
    pack(all::<T, Text>(records));
    pack(all::<T, (Text, Text)>(records).flat_map(|(left, right)| [left, right]));
}

/// Records as bytes.
pub(crate) struct Bytes(pub(crate) Vec<Segment>);

impl Stored for Bytes {
    fn spill(&self, file: &mut BlockFile) -> Result<(), DiskProblem> {
        self.0.iter().try_for_each(|segment| file.write(segment))
    }
}
