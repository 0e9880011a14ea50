//! [`LogReader`]: the records of a log, in order, and the way to write behind them.

use super::header::{HEADER_BYTES_MAX, Header, VERSION};
use super::{LogDamage, LogOptions, LogWriter, Position, TornTail, frame, path_of, segments};
use crate::format::{self, Wrong};
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use std::mem;
use std::sync::Arc;

/// Reads a log from its first segment to its end. It holds two segments in memory: what
/// [`LogOptions::segment_bytes`] allows, and what was synced last in each.
///
/// ```
/// use headwater_storage::{LogOptions, LogReader, MemoryStorage};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new());
/// let open = || LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0));
/// let mut log = open()?.write()?.expect("nobody else writes");
/// log.append(b"one")?;
/// log.append(b"two")?;
/// log.sync()?;
/// let mut again = open()?;
/// assert_eq!(again.next()?.unwrap().1, b"one");
/// assert_eq!(again.next()?.unwrap().1, b"two");
/// assert!(again.next()?.is_none() && again.torn().is_none());
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct LogReader {
    storage: Arc<dyn Storage>,
    folder: String,
    options: LogOptions,
    /// The number of the newest segment; 0 if there is none.
    newest: u64,
    /// The segment that is being read.
    current: Option<Segment>,
    /// The one behind it, which says where it ends; `None` behind the newest.
    next: Option<Result<Segment, LogDamage>>,
    /// Where the next record begins in `current`.
    offset: u64,
    records: u64,
    /// Of the records' frames.
    bytes: u64,
    torn: Option<TornTail>,
}

/// A segment in memory.
struct Segment {
    header: Header,
    bytes: Vec<u8>,
}

impl LogReader {
    /// Opens the log in the folder; none there is an empty one. Errors: of the kind `Data` if segments are damaged or
    /// missing (see [`LogDamage`]), `Program` if they belong to another application or another release, `Fenced` if a
    /// process with a later epoch has written to it.
    pub fn open(storage: Arc<dyn Storage>, folder: &str, options: LogOptions) -> Result<LogReader> {
        format::check_name(&options.name)?;
        let numbers = segments(&*storage, folder)?;
        let mut numbers = numbers.into_iter().filter(|number| *number >= options.first.max(1));
        let oldest = numbers.next();
        let first = if options.first > 0 { options.first } else { oldest.unwrap_or(1) };
        let newest = numbers.next_back().or(oldest).unwrap_or(0);
        let (folder, torn) = (folder.to_owned(), None);
        let (current, next, offset, records, bytes) = (None, None, 0, 0, 0);
        let mut reader = LogReader { storage, folder, options, newest, current, next, offset, records, bytes, torn };
        if newest > 0 {
            reader.next = Some(Ok(reader.load(first)??));
            reader.enter_next()?;
        }
        Ok(reader)
    }
    /// The next record; `None` at the end of the log. Errors as in [`open`](LogReader::open).
    #[expect(clippy::should_implement_trait, reason = "every step can fail, and the end comes but once")]
    pub fn next(&mut self) -> Result<Option<(Position, Vec<u8>)>> {
        loop {
            let Some(current) = &self.current else { return Ok(None) };
            let segment = current.header.segment;
            let end = self.end_of_current(current);
            if self.offset == end && !matches!(self.next, Some(Err(_))) {
                if segment == self.newest {
                    return Ok(None);
                }
                self.enter_next()?;
                continue;
            }
            let valid = &current.bytes[..(end as usize).min(current.bytes.len())];
            let rest = valid.get(self.offset as usize..).unwrap_or_default();
            match frame::read(rest, segment, self.offset) {
                Ok(payload) => {
                    let position = Position { segment, offset: self.offset, bytes: payload.len() as u32 };
                    let payload = payload.to_vec();
                    let bytes = frame::FRAME_BYTES + payload.len() as u64;
                    self.offset += bytes;
                    self.bytes += bytes;
                    self.records += 1;
                    return Ok(Some((position, payload)));
                }
                Err(what) => self.broken(what)?,
            }
        }
    }
    /// What a crash left at the end of the log; known once [`next`](LogReader::next) has come there.
    pub fn torn(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }
    /// Goes to the end, past what was not read, and begins a segment behind it. `None` if another process has done that
    /// in the meantime: what was read need not be all then, or right, and reading must begin anew.
    pub fn write(mut self) -> Result<Option<LogWriter>> {
        while self.next()?.is_some() {}
        if let Some(newest) = &self.current
            && self.storage.appends()
            && newest.header.whole == 0
        {
            // What was read may never have been synced by its writer; from here on it counts.
            self.storage.append(&path_of(&self.folder, newest.header.segment))?.sync()?;
        }
        let segment = (self.newest + 1).max(self.options.first);
        LogWriter::claim(self.storage, self.folder, self.options, segment, self.offset)
    }

    /// How many records were read.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }
    /// How many bytes their frames have.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
    /// The number of the newest segment; 0 if there is none.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Where the segment ends, as the one behind it says. The newest one ends with its bytes.
    fn end_of_current(&self, current: &Segment) -> u64 {
        match &self.next {
            Some(Ok(next)) => next.header.previous_end,
            _ => current.bytes.len() as u64,
        }
    }

    /// Makes the next segment the current one.
    fn enter_next(&mut self) -> Result<()> {
        let Some(Ok(next)) = &self.next else { return Ok(()) };
        let (number, epoch) = (next.header.segment, next.header.epoch);
        let behind = if number < self.newest { Some(self.load(number + 1)?) } else { None };
        let behind = behind.map(|behind| match behind {
            Ok(behind) if behind.header.epoch < epoch => {
                Err(self.damage(number + 1, 0, "an earlier process wrote behind a later one"))
            }
            behind => behind,
        });
        self.current = mem::replace(&mut self.next, behind).and_then(Result::ok);
        self.offset = self.current.as_ref().map_or(0, |current| current.header.length());
        Ok(())
    }

    /// Reads a segment. Damage is not an error yet: what stands before it is good.
    fn load(&self, number: u64) -> Result<Result<Segment, LogDamage>> {
        let path = path_of(&self.folder, number);
        let Some(bytes) = self.storage.read(&path)? else {
            let what = "it is missing, though later segments are there; was the folder copied in part?";
            return Ok(Err(self.damage(number, 0, what)));
        };
        let header = match Header::decode(&bytes) {
            Ok(header) => header,
            Err(Wrong::Damaged(what)) => return Ok(Err(self.damage(number, 0, what))),
            Err(Wrong::Version(found)) => return Err(format::other_version(&path, found, VERSION)),
        };
        if header.name != self.options.name {
            return Err(format::other_application(&path, &header.name, &self.options.name));
        }
        if header.epoch > self.options.epoch {
            return Err(fenced(&path, header.epoch, self.options.epoch));
        }
        if header.segment != number {
            return Ok(Err(self.damage(number, 0, &format!("it is segment {} under a wrong name", header.segment))));
        }
        if header.whole != 0 && header.whole != bytes.len() as u64 {
            let what = format!("it has {} bytes and was written with {}", bytes.len(), header.whole);
            return Ok(Err(self.damage(number, header.length(), &what)));
        }
        Ok(Ok(Segment { header, bytes }))
    }

    /// No record begins at `offset`: the end of the log, or an error.
    fn broken(&mut self, what: &str) -> Result<()> {
        if let Some(Err(damage)) = &self.next {
            let LogDamage { path, offset, what, .. } = damage.clone();
            let good = self.good();
            return Err(LogDamage { path, offset, what, good, records: self.records }.into());
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        let (segment, offset) = (current.header.segment, self.offset as usize);
        let grows = segment == self.newest && current.header.whole == 0;
        if !grows || was_synced(&current.bytes, segment, offset) {
            return Err(self.damage(segment, self.offset, what).into());
        }
        let bytes = (current.bytes.len() - offset) as u64;
        // From here on the segment ends where its valid part does.
        current.bytes.truncate(offset);
        self.torn = Some(TornTail { path: path_of(&self.folder, segment), offset: self.offset, bytes });
        Ok(())
    }

    fn damage(&self, segment: u64, offset: u64, what: &str) -> LogDamage {
        let (path, what) = (path_of(&self.folder, segment), what.to_owned());
        LogDamage { path, offset, what, good: self.good(), records: self.records }
    }
    fn good(&self) -> Option<(u64, u64)> {
        self.current.as_ref().map(|current| (current.header.segment, self.offset))
    }
}

/// Whether something behind `offset` was appended after that place had been synced.
pub(super) fn was_synced(bytes: &[u8], segment: u64, offset: usize) -> bool {
    let mut heads = (offset + 1..bytes.len()).filter_map(|at| frame::head(&bytes[at..], segment, at as u64));
    heads.any(|head| head.synced > offset as u64)
}

/// The error of a process that was replaced.
pub(crate) fn fenced(path: &str, epoch: u64, own: u64) -> Error {
    let message = format!(
        "{path} was written by a process that began later (epoch {epoch}, this one has {own}), and this one stops; if \
         there is no other, the folder of the fence was lost: restore it together with this one"
    );
    Error::new(ErrorKind::Fenced, message)
}

/// Reads the record at a position of the log in the folder. Errors of the kind `Data` say that it is damaged or its
/// segment was removed.
///
/// ```
/// use headwater_storage::{LogOptions, LogReader, MemoryStorage, read_record};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new());
/// let mut log = LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0))?.write()?.unwrap();
/// let two = [log.append(b"one")?, log.append(b"two")?][1];
/// log.sync()?;
/// assert_eq!(read_record(&*storage, "log", two)?, b"two");
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn read_record(storage: &dyn Storage, folder: &str, position: Position) -> Result<Vec<u8>> {
    let path = path_of(folder, position.segment);
    let wrong = |what: &str| {
        let Position { offset, bytes, .. } = position;
        Error::new(
            ErrorKind::Data,
            format!("cannot read the record of {bytes} bytes at byte {offset} of {path}: {what}"),
        )
    };
    let length = frame::FRAME_BYTES + u64::from(position.bytes);
    let bytes = storage.read_range(&path, position.offset, length)?;
    let bytes = bytes.ok_or_else(|| wrong("the segment is not there; it may have been removed as too old"))?;
    let payload = frame::read(&bytes, position.segment, position.offset).map_err(wrong)?;
    if payload.len() as u64 + frame::FRAME_BYTES == length {
        Ok(payload.to_vec())
    } else {
        Err(wrong("the record there has another length"))
    }
}

/// The header of a segment; `None` if there is no such segment.
pub(super) fn read_header(storage: &dyn Storage, folder: &str, segment: u64) -> Result<Option<Header>> {
    let path = path_of(folder, segment);
    let Some(bytes) = storage.read_range(&path, 0, HEADER_BYTES_MAX as u64)? else { return Ok(None) };
    match Header::decode(&bytes) {
        Ok(header) => Ok(Some(header)),
        Err(Wrong::Version(found)) => Err(format::other_version(&path, found, VERSION)),
        Err(Wrong::Damaged(what)) => Err(Error::new(ErrorKind::Data, format!("{path} is damaged: {what}"))),
    }
}
