//! [`LogWriter`]: appends records behind what was read, and makes them durable together.

use super::header::Header;
use super::reader::{fenced, read_header};
use super::{
    LOG_RECORD_BYTES_MAX, LOG_UNSYNCED_BYTES_MAX, LogOptions, Position, frame, path_of, read_record, segments,
};
use headwater_core::env::{AppendFile, Storage};
use headwater_core::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Memory that is kept from one sync to the next.
const KEPT_BYTES_MAX: usize = 8 << 20;

/// Writes a log. [`append`](LogWriter::append) gathers, [`sync`](LogWriter::sync) makes durable: in a segment that
/// grows, or, on a store without append, in a segment of its own each time.
///
/// After an error of a sync all that was appended since the last good one is void: its positions mean nothing, and
/// append it again or leave it. It is not read again once something later was synced; until then a reader may find it,
/// as after any write whose end is not known.
///
/// ```
/// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new().without_append());
/// let mut log = LogReader::open(storage, "log", LogOptions::new("counts", 0))?.write()?.unwrap();
/// let one = log.append(b"one")?;
/// assert!(log.read(one).is_err());
/// log.sync()?;
/// assert_eq!(log.read(one)?, b"one");
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct LogWriter {
    storage: Arc<dyn Storage>,
    folder: String,
    options: LogOptions,
    place: Place,
    /// Frames since the last sync.
    unsynced: Vec<u8>,
}

/// Where the next record goes.
enum Place {
    /// Into a segment that grows, of which `end` bytes are synced.
    Open { file: Box<dyn AppendFile>, segment: u64, end: u64 },
    /// Into a new segment. `empty` says that the one before it is ours and has no records.
    Next { segment: u64, previous_end: u64, empty: bool },
    /// Into a new segment, which may be there by an attempt of ours that reported an error.
    Unsure { segment: u64, previous_end: u64 },
}

impl LogWriter {
    /// Begins a segment behind one that ends at `previous_end`; `None` if another process has.
    pub(super) fn claim(
        storage: Arc<dyn Storage>,
        folder: String,
        options: LogOptions,
        segment: u64,
        previous_end: u64,
    ) -> Result<Option<LogWriter>> {
        let place = Place::Next { segment, previous_end, empty: false };
        let mut log = LogWriter { storage, folder, options, place, unsynced: Vec::new() };
        let made = log.create(segment, previous_end)?;
        Ok(made.then_some(log))
    }
    /// Takes over a record of up to [`LOG_RECORD_BYTES_MAX`] bytes. It is not durable and need not be found where this
    /// says before the next [`sync`](LogWriter::sync) has worked. Errors: of the kind `Resources` where the record, or
    /// what waits for a sync ([`LOG_UNSYNCED_BYTES_MAX`]), is too long. After a failed sync this looks at the storage
    /// to learn what became of it, and may fail as a sync does.
    pub fn append(&mut self, record: &[u8]) -> Result<Position> {
        self.append_parts(&[record])
    }
    /// As [`append`](LogWriter::append), of a record that lies in several places.
    ///
    /// ```
    /// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// use std::sync::Arc;
    /// let storage = Arc::new(MemoryStorage::new());
    /// let mut log = LogReader::open(storage, "log", LogOptions::new("counts", 0))?.write()?.unwrap();
    /// let both = log.append_parts(&[b"head ", b"and body"])?;
    /// log.sync()?;
    /// assert_eq!(log.read(both)?, b"head and body");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn append_parts(&mut self, record: &[&[u8]]) -> Result<Position> {
        self.settle()?;
        let bytes = record.iter().map(|part| part.len()).sum::<usize>();
        if bytes > LOG_RECORD_BYTES_MAX {
            return Err(self.too_long(format!("a record has {bytes} bytes; {LOG_RECORD_BYTES_MAX} are the limit")));
        }
        if self.unsynced.len() + bytes > LOG_UNSYNCED_BYTES_MAX {
            let bytes = self.unsynced.len();
            return Err(self.too_long(format!("{bytes} bytes wait for a sync, {LOG_UNSYNCED_BYTES_MAX} are the limit")));
        }
        let (segment, synced) = self.end();
        let offset = synced + self.unsynced.len() as u64;
        frame::push(&mut self.unsynced, (segment, offset), synced, record);
        Ok(Position { segment, offset, bytes: bytes as u32 })
    }
    /// Makes durable what was appended. Errors: of the kind `Fenced` if another process has begun to write behind this
    /// one, else those of the storage.
    pub fn sync(&mut self) -> Result<()> {
        if self.unsynced.is_empty() {
            return Ok(());
        }
        let mut frames = std::mem::take(&mut self.unsynced);
        let written = self.write(&frames);
        if frames.capacity() <= KEPT_BYTES_MAX {
            frames.clear();
            self.unsynced = frames;
        }
        written
    }
    /// Makes sure that what comes from now on is in no segment that has records, and returns the segment it will be in:
    /// all older ones may be removed once what they say is durable elsewhere. Syncs first.
    ///
    /// ```
    /// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// use std::sync::Arc;
    /// let storage = Arc::new(MemoryStorage::new());
    /// let mut log = LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0))?.write()?.unwrap();
    /// log.append(b"one")?;
    /// let next = log.roll()?;
    /// assert_eq!((log.append(b"two")?.segment, log.segment()), (next, next));
    /// log.sync()?;
    /// log.remove_before(next)?;
    /// let mut left = LogReader::open(storage, "log", LogOptions::new("counts", 0).first(next))?;
    /// assert_eq!((left.next()?.unwrap().1, left.next()?), (b"two".to_vec(), None));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn roll(&mut self) -> Result<u64> {
        self.sync()?;
        self.settle()?;
        match self.place {
            Place::Open { segment, end, .. } if end == self.header(segment, 0).length() => return Ok(segment),
            Place::Open { segment, end, .. } => {
                self.place = Place::Next { segment: segment + 1, previous_end: end, empty: false };
            }
            Place::Next { segment, empty: true, .. } => return Ok(segment - 1),
            _ => {}
        }
        let (segment, previous_end) = self.next_segment();
        if self.create(segment, previous_end)? { Ok(segment) } else { Err(self.taken(segment)) }
    }
    /// Reads a synced record.
    pub fn read(&self, position: Position) -> Result<Vec<u8>> {
        if (position.segment, position.offset) >= self.end() {
            let message = format!("the record at {position:?} of the log {} is not synced yet", self.folder);
            return Err(Error::program(message));
        }
        read_record(&*self.storage, &self.folder, position)
    }
    /// Removes the segments before `segment`, oldest first; never the newest one.
    pub fn remove_before(&mut self, segment: u64) -> Result<()> {
        let newest = match self.place {
            Place::Open { segment, .. } => segment,
            Place::Next { segment, .. } | Place::Unsure { segment, .. } => segment - 1,
        };
        remove_before(&*self.storage, &self.folder, segment.min(newest))
    }
    /// The segment that the next record goes to.
    pub fn segment(&self) -> u64 {
        self.end().0
    }

    /// Gives up what was appended since the last sync.
    ///
    /// ```
    /// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
    /// use std::sync::Arc;
    /// let storage = Arc::new(MemoryStorage::new());
    /// let mut log = LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0))?.write()?.unwrap();
    /// log.append(b"one")?;
    /// log.forget_unsynced();
    /// log.sync()?;
    /// assert!(LogReader::open(storage, "log", LogOptions::new("counts", 0))?.next()?.is_none());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn forget_unsynced(&mut self) {
        self.unsynced.clear();
    }

    /// Where the synced part ends: the segment, and the offset there.
    fn end(&self) -> (u64, u64) {
        match self.place {
            Place::Open { segment, end, .. } => (segment, end),
            Place::Next { segment, .. } | Place::Unsure { segment, .. } => (segment, self.header(segment, 0).length()),
        }
    }
    /// The segment that is to be made, and where the one before it ends.
    fn next_segment(&self) -> (u64, u64) {
        match self.place {
            Place::Open { segment, end, .. } => (segment + 1, end),
            Place::Next { segment, previous_end, .. } | Place::Unsure { segment, previous_end } => {
                (segment, previous_end)
            }
        }
    }
    fn header(&self, segment: u64, previous_end: u64) -> Header {
        let LogOptions { name, epoch, .. } = &self.options;
        Header { segment, epoch: *epoch, previous_end, whole: 0, name: name.clone() }
    }
    fn path(&self, segment: u64) -> String {
        path_of(&self.folder, segment)
    }

    /// Makes a segment without records, and goes on there or, on a store without append, behind it. `false` if there is
    /// one already.
    fn create(&mut self, segment: u64, previous_end: u64) -> Result<bool> {
        if !self.storage.appends() {
            return self.create_whole(segment, previous_end, &[]);
        }
        let header = self.header(segment, previous_end);
        self.place = Place::Unsure { segment, previous_end };
        if !self.storage.put_new(&self.path(segment), &header.encode())? {
            return Ok(false);
        }
        let end = header.length();
        self.place = Place::Next { segment: segment + 1, previous_end: end, empty: false };
        let file = self.storage.append(&self.path(segment))?;
        self.place = Place::Open { file, segment, end };
        Ok(true)
    }
    /// Makes a segment of all the frames there are, and goes on behind it. `false` if there is one already.
    fn create_whole(&mut self, segment: u64, previous_end: u64, frames: &[u8]) -> Result<bool> {
        let mut header = self.header(segment, previous_end);
        let end = header.length() + frames.len() as u64;
        header.whole = end;
        let bytes = [&header.encode(), frames].concat();
        self.place = Place::Unsure { segment, previous_end };
        let made = self.storage.put_new(&self.path(segment), &bytes)?;
        if made {
            self.place = Place::Next { segment: segment + 1, previous_end: end, empty: frames.is_empty() };
        }
        Ok(made)
    }

    fn write(&mut self, frames: &[u8]) -> Result<()> {
        if let Place::Next { .. } | Place::Unsure { .. } = self.place {
            let (segment, previous_end) = self.next_segment();
            let made = match self.storage.appends() {
                true => self.create(segment, previous_end)?,
                false => self.create_whole(segment, previous_end, frames)?,
            };
            if !made {
                return Err(self.taken(segment));
            }
        }
        let Place::Open { file, segment, end } = &mut self.place else { return Ok(()) };
        let (segment, start) = (*segment, *end);
        let result = file.append(frames).and_then(|()| file.sync());
        let previous_end = if result.is_ok() { start + frames.len() as u64 } else { start };
        if result.is_ok() && previous_end < self.options.segment_bytes {
            *end = previous_end;
        } else {
            // The segment is full, or what it holds behind its synced part is not known.
            self.place = Place::Next { segment: segment + 1, previous_end, empty: false };
        }
        result
    }

    /// After a failed attempt to make a segment: goes behind it if it is there, so that nothing of it counts.
    fn settle(&mut self) -> Result<()> {
        let Place::Unsure { segment, previous_end } = self.place else { return Ok(()) };
        self.place = match read_header(&*self.storage, &self.folder, segment)? {
            None => Place::Next { segment, previous_end, empty: false },
            Some(header) if header.epoch == self.options.epoch => {
                Place::Next { segment: segment + 1, previous_end: header.length(), empty: false }
            }
            Some(header) => return Err(fenced(&self.path(segment), header.epoch, self.options.epoch)),
        };
        Ok(())
    }
    /// The error of a segment that is there before we made it: by another process, or by an earlier attempt.
    fn taken(&mut self, segment: u64) -> Error {
        let late = format!("{} was written by an attempt that had failed; sync again", self.path(segment));
        self.settle().err().unwrap_or_else(|| Error::new(ErrorKind::Outside, late))
    }
    fn too_long(&self, what: String) -> Error {
        Error::new(ErrorKind::Resources, format!("cannot append to the log {}: {what}", self.folder))
    }
}

/// Removes the segments before `segment`, which must be there, oldest first.
pub(crate) fn remove_before(storage: &dyn Storage, folder: &str, segment: u64) -> Result<()> {
    let old = segments(storage, folder)?.into_iter().filter(|number| *number < segment);
    old.into_iter().try_for_each(|number| storage.remove(&path_of(folder, number)))
}
