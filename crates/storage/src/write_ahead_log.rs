//! [`SegmentedWriteAheadLog`]: the write-ahead log of received blocks, over a log of segments.

use crate::log::{Position, fenced, read_record, remove_before};
use crate::{Fence, LogOptions, LogReader, LogWriter, path};
use headwater_core::env::Storage;
use headwater_core::receiver::{RecordHandle, WriteAheadLog};
use headwater_core::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A segment ends with the write behind so many bytes.
const SEGMENT_BYTES: u64 = 32 << 20;
/// What the segments say they belong to, so that another log's are not taken for them.
const NAME: &str = "received blocks";
/// The first byte of a handle. Behind it are the segment and the offset as u64, and the bytes as u32, little-endian.
const HANDLE_VERSION: u8 = 1;
const HANDLE_BYTES: usize = 1 + 8 + 8 + 4;

/// A write-ahead log in a folder: segments that grow, and are removed whole. On a store without append each write is a
/// segment of its own, as by Spark's `closeFileAfterWrite`. A write is durable, and the right to write was looked at behind
/// it, before it returns: so a process that was replaced, and paused anywhere, is told of nothing that is lost.
///
/// ```
/// use headwater_core::receiver::WriteAheadLog;
/// use headwater_storage::{MemoryStorage, SegmentedWriteAheadLog};
/// let storage = std::sync::Arc::new(MemoryStorage::new());
/// let open = |epoch| SegmentedWriteAheadLog::new(storage.clone(), "run/lines", epoch);
/// let log = open(1);
/// log.read_all(None, &mut |_, _| Ok(()))?;
/// let handles = log.write(&[b"to be", b"or not"])?;
/// assert_eq!(open(2).read(&handles[0])?, b"to be");
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct SegmentedWriteAheadLog {
    storage: Arc<dyn Storage>,
    folder: String,
    epoch: u64,
    segment_bytes: u64,
    /// Once everything was read.
    open: Mutex<Option<Open>>,
    /// Segments before this one are removed.
    cleaned: AtomicU64,
}
struct Open {
    log: LogWriter,
    fence: Fence,
}

impl SegmentedWriteAheadLog {
    /// The log in `folder`, for the process with this epoch: higher than that of every process before it.
    pub fn new(storage: Arc<dyn Storage>, folder: &str, epoch: u64) -> SegmentedWriteAheadLog {
        let (folder, open, cleaned) = (folder.to_owned(), Mutex::default(), AtomicU64::new(0));
        SegmentedWriteAheadLog { storage, folder, epoch, segment_bytes: SEGMENT_BYTES, open, cleaned }
    }
    /// A segment ends with the write behind so many bytes, 32 MiB by default: as [`LogOptions::segment_bytes`].
    ///
    /// ```
    /// use headwater_core::receiver::WriteAheadLog;
    /// use headwater_storage::{MemoryStorage, SegmentedWriteAheadLog};
    /// let storage = MemoryStorage::new();
    /// let log = SegmentedWriteAheadLog::new(std::sync::Arc::new(storage.clone()), "lines", 1).segment_bytes(1);
    /// log.read_all(None, &mut |_, _| Ok(()))?;
    /// let last = [log.write(&[b"to be"])?, log.write(&[b"or not"])?].concat().pop().unwrap();
    /// let before = storage.paths().len();
    /// log.clean(&last)?;
    /// assert_eq!((storage.paths().len(), log.read(&last)?), (before - 1, b"or not".to_vec()));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn segment_bytes(self, bytes: u64) -> SegmentedWriteAheadLog {
        SegmentedWriteAheadLog { segment_bytes: bytes, ..self }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriteAheadLog for SegmentedWriteAheadLog {
    fn read_all(
        &self,
        from: Option<&RecordHandle>,
        each: &mut dyn FnMut(RecordHandle, Vec<u8>) -> Result<()>,
    ) -> Result<Vec<String>> {
        let mut open = self.lock();
        // In this order: what an earlier process was told to be durable is read, or was told behind this and is refused.
        let fence = path::join(&self.folder, "fence");
        let fence =
            Fence::enter(self.storage.clone(), &fence, self.epoch, &format!("the process of epoch {}", self.epoch))?;
        let first = from.map_or(Ok(0), |from| position(from).map(|position| position.segment))?;
        let options = LogOptions::new(NAME, self.epoch).segment_bytes(self.segment_bytes).first(first);
        let mut reader = LogReader::open(self.storage.clone(), &self.folder, options)?;
        while let Some((position, record)) = reader.next()? {
            each(handle(position), record)?;
        }
        let warnings = reader.torn().map(ToString::to_string).into_iter().collect();
        let log = reader.write()?.ok_or_else(|| fenced(&self.folder, self.epoch + 1, self.epoch))?;
        *open = Some(Open { log, fence });
        Ok(warnings)
    }
    fn write(&self, records: &[&[u8]]) -> Result<Vec<RecordHandle>> {
        let mut open = self.lock();
        let Some(Open { log, fence }) = &mut *open else {
            return Err(Error::program(format!("the log {} is written before it was read", self.folder)));
        };
        let appended: Result<Vec<Position>> = records.iter().map(|record| log.append(record)).collect();
        if appended.is_err() {
            log.forget_unsynced();
        }
        let positions = appended?;
        log.sync()?;
        fence.check()?;
        Ok(positions.into_iter().map(handle).collect())
    }
    fn read(&self, handle: &RecordHandle) -> Result<Vec<u8>> {
        read_record(&*self.storage, &self.folder, position(handle)?)
    }
    fn clean(&self, before: &RecordHandle) -> Result<()> {
        let segment = position(before)?.segment;
        if segment > self.cleaned.load(Ordering::Relaxed) {
            remove_before(&*self.storage, &self.folder, segment)?;
            self.cleaned.fetch_max(segment, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn handle(position: Position) -> RecordHandle {
    let mut bytes = [0; HANDLE_BYTES];
    bytes[0] = HANDLE_VERSION;
    bytes[1..9].copy_from_slice(&position.segment.to_le_bytes());
    bytes[9..17].copy_from_slice(&position.offset.to_le_bytes());
    bytes[17..].copy_from_slice(&position.bytes.to_le_bytes());
    RecordHandle::new(&bytes).expect("it is short")
}
fn position(handle: &RecordHandle) -> Result<Position> {
    match handle.as_bytes().split_first() {
        Some((&HANDLE_VERSION, rest)) if rest.len() == HANDLE_BYTES - 1 => Ok(Position {
            segment: u64::from_le_bytes(rest[..8].try_into().expect("eight of them")),
            offset: u64::from_le_bytes(rest[8..16].try_into().expect("eight of them")),
            bytes: u32::from_le_bytes(rest[16..].try_into().expect("four of them")),
        }),
        _ => {
            let message =
                format!("{handle:?} is no handle of a record in segments: was the write-ahead log exchanged?");
            Err(Error::new(ErrorKind::Data, message))
        }
    }
}
