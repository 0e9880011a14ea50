//! A log of records in a folder, cut into numbered segments. One process writes it; whoever opens it to write begins a
//! new segment, whose header says where the one before it ended, so that what a crash, or a process that was replaced,
//! left behind that point is never read.
//!
//! ```text
//! FOLDER/00000000000000000001.log = header frame*
//! header = "HWLOGSEG" version:u16 checksum segment:u64 epoch:u64 previous_end:u64 whole:u64 name checksum
//! name   = length:u8 text
//! frame  = length:u32 synced:u32 head_checksum payload:[u8; length] checksum
//! ```
//! `whole` is the size of a segment that was written at once, 0 of one that grows. `synced` is the offset up to which
//! the segment was synced when the record was appended: a valid head proves that all before it was durable once. So a
//! broken record is a torn write if nothing that was appended after a later sync stands behind it, and damage
//! otherwise. Checksums of frames include the segment's number and the offset.

mod check;
mod cut;
mod damage;
mod frame;
mod header;
mod reader;
mod writer;

pub use check::{FileCheck, FileCondition, FolderCheck, check_log};
pub use cut::{copy_log, cut_log};
pub use damage::{LogDamage, TornTail};
pub(crate) use frame::FRAME_BYTES;
pub(crate) use reader::fenced;
pub use reader::{LogReader, read_record};
pub use writer::LogWriter;
pub(crate) use writer::remove_before;

use headwater_core::Result;
use headwater_core::env::Storage;

/// Bytes of a record at most; a longer one is an error of [`LogWriter::append`].
pub const LOG_RECORD_BYTES_MAX: usize = 64 << 20;
/// Bytes that wait for a sync at most, frames included; behind them [`LogWriter::append`] is an error.
pub const LOG_UNSYNCED_BYTES_MAX: usize = 256 << 20;
/// What [`LogOptions::segment_bytes`] may be at most.
pub const LOG_SEGMENT_BYTES_MAX: u64 = 1 << 30;
const SEGMENT_BYTES: u64 = 8 << 20;

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct LogOptions {
    name: String,
    epoch: u64,
    segment_bytes: u64,
    first: u64,
}

impl LogOptions {
    /// The log of the application `name` (up to 255 bytes), for a process that has the epoch of a
    /// [`Fence`](crate::Fence), or 0 where nothing but the caller sees to it that there is one writer.
    ///
    /// ```
    /// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// use std::sync::Arc;
    /// let mut log = LogReader::open(Arc::new(MemoryStorage::new()), "log", LogOptions::new("counts", 0))?;
    /// assert!(log.next()?.is_none());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn new(name: &str, epoch: u64) -> LogOptions {
        LogOptions { name: name.to_owned(), epoch, segment_bytes: SEGMENT_BYTES, first: 0 }
    }
    /// A segment ends with the sync behind so many bytes: 8 MiB by default, [`LOG_SEGMENT_BYTES_MAX`] at most. It is
    /// longer by what was synced last.
    ///
    /// ```
    /// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// use std::sync::Arc;
    /// let options = LogOptions::new("counts", 0).segment_bytes(100);
    /// let mut log = LogReader::open(Arc::new(MemoryStorage::new()), "log", options)?.write()?.unwrap();
    /// let mut append = |record| log.append(record).and_then(|at| log.sync().map(|()| at.segment));
    /// assert_eq!([append(b"20 bytes of a record")?, append(b"30")?, append(b"40")?], [1, 1, 2]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn segment_bytes(self, bytes: u64) -> LogOptions {
        LogOptions { segment_bytes: bytes.min(LOG_SEGMENT_BYTES_MAX), ..self }
    }
    /// The first segment that matters: it must be there if any behind it is, and older ones are passed over. By default
    /// the oldest there is; who removes segments remembers from where on they matter, since a crash may bring removed
    /// ones back, and a process that was replaced may make one under a number that was removed.
    ///
    /// ```
    /// # use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// # use std::sync::Arc;
    /// let storage = Arc::new(MemoryStorage::new());
    /// let open = |first| LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0).first(first));
    /// let mut log = open(1)?.write()?.unwrap();
    /// log.append(b"one")?;
    /// log.sync()?;
    /// let next = log.roll()?;
    /// assert!(open(1)?.next()?.is_some() && open(next)?.next()?.is_none());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn first(self, segment: u64) -> LogOptions {
        LogOptions { first: segment, ..self }
    }
}

/// Where a record is. Made by [`LogWriter::append`], and good once the next sync has worked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Position {
    /// The number of its segment.
    pub segment: u64,
    /// Where it begins there, in bytes.
    pub offset: u64,
    /// How many bytes the record has, without its frame.
    pub bytes: u32,
}

/// The application whose log is in the folder: what its oldest good segment says; none where there is none.
pub(crate) fn application_of(storage: &dyn Storage, folder: &str) -> Result<Option<String>> {
    for segment in segments(storage, folder)? {
        if let Some(header) = reader::read_header(storage, folder, segment)? {
            return Ok(Some(header.name));
        }
    }
    Ok(None)
}

/// The path of a segment.
pub(crate) fn path_of(folder: &str, segment: u64) -> String {
    crate::path::join(folder, &format!("{segment:020}.log"))
}

/// The numbers of the segments in the folder, sorted.
fn segments(storage: &dyn Storage, folder: &str) -> Result<Vec<u64>> {
    let number = |name: &str| crate::path::number(name.strip_suffix(".log")?);
    let mut numbers: Vec<u64> = storage
        .list(folder)?
        .iter()
        .filter_map(|file| number(&file.name))
        .filter(|number| *number < u64::MAX)
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests;
