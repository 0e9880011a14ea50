//! [`check_log`]: reads all that a log has and says of each file what it is like, without taking the log over and without
//! ending at the first damage.

use super::header::{Header, VERSION};
use super::reader::was_synced;
use super::{frame, path_of, segments};
use crate::format::{self, Wrong};
use headwater_core::Result;
use headwater_core::env::{Storage, StoredFile};
use std::fmt;

/// How often the check begins anew because a process that writes has removed what was about to be read.
const TRIES_MAX: usize = 8;

/// What a file is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileCheck {
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Records that are good, up to the first that is not.
    pub records: u64,
    /// The rest.
    pub condition: FileCondition,
}

/// See [`FileCheck`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FileCondition {
    /// All of it is as it was written.
    Good,
    /// What a crash left at its end, or a process that writes it now has not finished: it is passed over.
    TornTail {
        /// Where the valid part ends.
        offset: u64,
        /// How many bytes stand behind it.
        bytes: u64,
    },
    /// What was durable is not there any more.
    Damaged {
        /// Where the damage begins.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// It is older than what is needed, and was not read.
    Unneeded,
    /// It is missing or damaged, and needed only where something newer, which is good, gets damaged too.
    Spare {
        /// What is wrong.
        what: String,
    },
}

impl fmt::Display for FileCondition {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            FileCondition::Good => write!(f, "good"),
            FileCondition::TornTail { offset, bytes } => {
                write!(f, "torn tail: {bytes} bytes from byte {offset} on, passed over")
            }
            FileCondition::Damaged { offset, what } => write!(f, "damaged at byte {offset}: {what}"),
            FileCondition::Unneeded => write!(f, "not needed"),
            FileCondition::Spare { what } => write!(f, "not needed while the newest snapshot is good: {what}"),
        }
    }
}

/// What the files of a log or a journal are like.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FolderCheck {
    /// In the order of their numbers; a journal's snapshots stand first.
    pub files: Vec<FileCheck>,
    /// Where the log is damaged, the newest good point before: a segment and an offset that [`cut_log`](crate::cut_log)
    /// takes, if there is one.
    pub good: Option<(u64, u64)>,
}

impl FolderCheck {
    /// The files that are damaged or missing.
    pub fn damaged(&self) -> impl Iterator<Item = &FileCheck> {
        self.files.iter().filter(|file| matches!(file.condition, FileCondition::Damaged { .. }))
    }
    /// How many good records there are.
    pub fn records(&self) -> u64 {
        self.files.iter().map(|file| file.records).sum()
    }
}

/// Reads the log in the folder from the segment `first` on; 0 is the oldest there is. The process that writes it goes on
/// meanwhile. An error of the kind `Program` if another release wrote it.
///
/// ```
/// use headwater_storage::{FileCondition, LogOptions, LogReader, MemoryStorage, check_log};
/// use std::sync::Arc;
/// let storage = MemoryStorage::new();
/// let open = || LogReader::open(Arc::new(storage.clone()), "log", LogOptions::new("counts", 0));
/// let mut log = open()?.write()?.unwrap();
/// log.append(b"one")?;
/// log.sync()?;
/// let two = log.append(b"two")?;
/// log.sync()?;
/// log.append(b"three")?;
/// log.sync()?;
/// assert!(check_log(&storage, "log", 0)?.damaged().next().is_none());
/// storage.flip_bit(&storage.paths()[0].0, two.offset * 8);
/// let check = check_log(&storage, "log", 0)?;
/// assert!(matches!(&check.files[0].condition, FileCondition::Damaged { offset, .. } if *offset == two.offset));
/// assert_eq!((check.records(), check.good), (1, Some((two.segment, two.offset))));
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn check_log(storage: &dyn Storage, folder: &str, first: u64) -> Result<FolderCheck> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (check, has_lost) = check_once(storage, folder, first)?;
        if !has_lost || tries == TRIES_MAX {
            return Ok(check);
        }
    }
}

/// Whether a file was missing stands behind the check.
fn check_once(storage: &dyn Storage, folder: &str, first: u64) -> Result<(FolderCheck, bool)> {
    let sizes = storage.list(folder)?;
    let mut checking = Checking { folder, sizes, check: FolderCheck::default(), has_lost: false, before: None };
    let (needed, older): (Vec<u64>, Vec<u64>) =
        segments(storage, folder)?.into_iter().partition(|number| *number >= first.max(1));
    older.into_iter().for_each(|number| checking.report(number, None, 0, FileCondition::Unneeded));
    let mut expected = if first > 0 { first } else { needed.first().copied().unwrap_or(0) };
    let mut next = None;
    for (at, number) in needed.iter().enumerate() {
        let current = next.take().map_or_else(|| load(storage, folder, *number), Ok)?;
        next = needed.get(at + 1).map(|number| load(storage, folder, *number)).transpose()?;
        if *number != expected {
            let what = "it is missing, though later segments are there; was the folder copied in part?".to_owned();
            checking.has_lost = true;
            checking.report(expected, None, 0, FileCondition::Damaged { offset: 0, what });
        }
        expected = number + 1;
        let behind = next.as_ref().filter(|_| needed[at + 1] == expected);
        checking.segment(*number, current, behind.and_then(|behind| behind.as_ref().ok()).map(|(header, _)| header));
    }
    let Checking { mut check, has_lost, .. } = checking;
    if check.damaged().next().is_none() {
        check.good = None;
    }
    Ok((check, has_lost))
}

/// A segment and its header, or what is wrong.
type Loaded = Result<(Header, Vec<u8>), String>;

struct Checking<'a> {
    folder: &'a str,
    sizes: Vec<StoredFile>,
    check: FolderCheck,
    has_lost: bool,
    /// Of the newest good segment so far.
    before: Option<Header>,
}

impl Checking<'_> {
    fn segment(&mut self, number: u64, loaded: Loaded, behind: Option<&Header>) {
        let was_good = self.check.damaged().next().is_none();
        match loaded {
            Ok((header, bytes)) => {
                let (records, end, condition) = of_segment(&header, &bytes, number, behind, self.before.as_ref());
                self.check.good = Some((number, end)).filter(|_| was_good && end > 0).or(self.check.good);
                self.report(number, Some(bytes.len() as u64), records, condition);
                self.before = Some(header);
            }
            Err(what) => {
                self.has_lost |= what == REMOVED;
                self.report(number, None, 0, FileCondition::Damaged { offset: 0, what });
            }
        }
    }
    fn report(&mut self, number: u64, bytes: Option<u64>, records: u64, condition: FileCondition) {
        let path = path_of(self.folder, number);
        let listed =
            || self.sizes.iter().find(|file| crate::path::split(&path).1 == file.name).map_or(0, |file| file.bytes);
        let bytes = bytes.unwrap_or_else(listed);
        self.check.files.push(FileCheck { path, bytes, records, condition });
    }
}

const REMOVED: &str = "it was removed while it was read";

fn load(storage: &dyn Storage, folder: &str, number: u64) -> Result<Loaded> {
    let path = path_of(folder, number);
    let Some(bytes) = storage.read(&path)? else { return Ok(Err(REMOVED.to_owned())) };
    match Header::decode(&bytes) {
        Ok(header) if header.segment == number => Ok(Ok((header, bytes))),
        Ok(header) => Ok(Err(format!("it is segment {} under a wrong name", header.segment))),
        Err(Wrong::Damaged(what)) => Ok(Err(what.to_owned())),
        Err(Wrong::Version(found)) => Err(format::other_version(&path, found, VERSION)),
    }
}

/// How many good records a segment has, where they end, and its condition, between those `before` and `behind` it.
fn of_segment(
    header: &Header,
    bytes: &[u8],
    number: u64,
    behind: Option<&Header>,
    before: Option<&Header>,
) -> (u64, u64, FileCondition) {
    let (mut records, mut at, length) = (0, header.length(), bytes.len() as u64);
    let damaged = |offset: u64, what: String| FileCondition::Damaged { offset, what };
    if let Some(before) = before.filter(|before| before.name != header.name) {
        return (0, 0, damaged(0, format!("it belongs to {:?}, and the one before to {:?}", header.name, before.name)));
    }
    if before.is_some_and(|before| before.epoch > header.epoch) {
        return (0, 0, damaged(0, "an earlier process wrote behind a later one".to_owned()));
    }
    if header.whole != 0 && header.whole != length {
        return (0, at, damaged(at, format!("it has {length} bytes and was written with {}", header.whole)));
    }
    let end = behind.map_or(length, |behind| behind.previous_end);
    let valid = &bytes[..end.min(length) as usize];
    while at < end {
        match frame::read(valid.get(at as usize..).unwrap_or_default(), number, at) {
            Ok(payload) => {
                records += 1;
                at += frame::FRAME_BYTES + payload.len() as u64;
            }
            Err(what) if behind.is_some() || header.whole != 0 || was_synced(bytes, number, at as usize) => {
                return (records, at, damaged(at, what.to_owned()));
            }
            Err(_) => break,
        }
    }
    let condition = match length.saturating_sub(at) {
        0 => FileCondition::Good,
        bytes => FileCondition::TornTail { offset: at, bytes },
    };
    (records, at, condition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LogOptions, LogReader, MemoryStorage, cut_log};
    use std::sync::Arc;

    fn reader(storage: &MemoryStorage) -> Result<LogReader> {
        LogReader::open(Arc::new(storage.clone()), "log", LogOptions::new("counts", 0).segment_bytes(1))
    }
    /// A log of three segments with a record each, of which each was synced.
    fn log() -> MemoryStorage {
        let storage = MemoryStorage::new();
        let mut log = reader(&storage).unwrap().write().unwrap().unwrap();
        for record in [b"one", b"two", b"six"] {
            log.append(record).unwrap();
            log.sync().unwrap();
        }
        storage
    }
    fn path(number: u64) -> String {
        path_of("log", number)
    }

    #[test]
    fn every_changed_byte_is_found_and_a_cut_at_the_good_point_mends_it() {
        for (path, bytes) in log().paths() {
            for byte in 0..bytes {
                let storage = log();
                storage.flip_bit(&path, byte * 8 + byte % 8);
                let check = check_log(&storage, "log", 1).unwrap();
                let is_read = reader(&storage).and_then(|mut log| {
                    while log.next()?.is_some() {}
                    Ok(())
                });
                assert_eq!(check.damaged().next().is_some(), is_read.is_err(), "byte {byte} of {path}: {check:?}");
                if let Some((segment, offset)) = check.good {
                    cut_log(&storage, "log", segment, offset).unwrap();
                    assert!(check_log(&storage, "log", 1).unwrap().damaged().next().is_none());
                }
            }
        }
    }

    #[test]
    fn missing_and_old_segments_are_told_apart() {
        let storage = log();
        storage.remove(&path(2)).unwrap();
        let check = check_log(&storage, "log", 1).unwrap();
        let missing: Vec<_> = check.damaged().map(|file| file.path.clone()).collect();
        assert_eq!((missing, check.good.map(|(segment, _)| segment)), (vec![path(2)], Some(1)));
        let check = check_log(&storage, "log", 3).unwrap();
        assert_eq!((check.files[0].condition.clone(), check.records()), (FileCondition::Unneeded, 1));
    }

    #[test]
    fn a_newer_release_is_named() {
        let storage = log();
        let newer = format::preamble(b"HWLOGSEG", VERSION + 1);
        storage.put(&path(2), &newer).unwrap();
        let error = check_log(&storage, "log", 1).unwrap_err().to_string();
        assert!(error.contains("was written by a newer release of Headwater (format 2;"), "{error}");
    }
}
