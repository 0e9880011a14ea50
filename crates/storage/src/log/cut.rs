//! [`cut_log`]: gives up what stands behind a point of a damaged log.

use super::header::Header;
use super::{frame, path_of, segments};
use crate::path;
use headwater_core::env::Storage;
use headwater_core::{Error, Result};

/// Copies the segments of the log in the folder, from `first` on, to the folder `to`: what a cut in that segment changes and
/// removes. How many they are.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::{LogOptions, LogReader, MemoryStorage, copy_log};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new());
/// LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0))?.write()?;
/// assert_eq!((copy_log(&*storage, "log", 1, "copy")?, copy_log(&*storage, "log", 2, "copy")?), (1, 0));
/// assert_eq!(storage.list("copy")?, storage.list("log")?);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn copy_log(storage: &dyn Storage, folder: &str, first: u64, to: &str) -> Result<usize> {
    let numbers = segments(storage, folder)?.into_iter().filter(|number| *number >= first);
    let mut copied = 0;
    for from in numbers.map(|number| path_of(folder, number)) {
        storage.put(&path::join(to, path::split(&from).1), &storage.read(&from)?.unwrap_or_default())?;
        copied += 1;
    }
    Ok(copied)
}

/// Cuts the log in the folder at byte `offset` of `segment`, for good: whatever stands behind is removed. What
/// [`LogDamage::good`](crate::LogDamage::good) says is such a point; nobody may be writing. Errors of the kind
/// `Program` say that no record ends there, and nothing is changed then.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::{LogOptions, LogReader, MemoryStorage, cut_log};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new());
/// let open = || LogReader::open(storage.clone(), "log", LogOptions::new("counts", 0));
/// let mut log = open()?.write()?.unwrap();
/// log.append(b"one")?;
/// log.sync()?;
/// let two = log.append(b"two")?;
/// log.sync()?;
/// cut_log(&*storage, "log", two.segment, two.offset)?;
/// let mut log = open()?;
/// assert_eq!((log.next()?.unwrap().1, log.next()?), (b"one".to_vec(), None));
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn cut_log(storage: &dyn Storage, folder: &str, segment: u64, offset: u64) -> Result<()> {
    let path = path_of(folder, segment);
    let no_point = |what: &str| Error::program(format!("cannot cut {path} at byte {offset}: {what}"));
    let bytes = storage.read(&path)?.ok_or_else(|| no_point("there is no such segment"))?;
    let mut header = Header::decode(&bytes).map_err(|_| no_point("the segment's header is damaged"))?;
    let mut at = header.length();
    while at < offset {
        let rest = bytes.get(at as usize..).unwrap_or_default();
        let payload = frame::read(rest, segment, at).map_err(no_point)?;
        at += frame::FRAME_BYTES + payload.len() as u64;
    }
    if at != offset {
        return Err(no_point("no record ends there"));
    }
    // From the end, so that a crash in between leaves a log that can be cut again.
    for later in segments(storage, folder)?.into_iter().rev().filter(|number| *number > segment) {
        storage.remove(&path_of(folder, later))?;
    }
    header.whole = if header.whole == 0 { 0 } else { offset };
    let kept = &bytes[header.length() as usize..offset as usize];
    storage.put(&path, &[&header.encode(), kept].concat())
}
