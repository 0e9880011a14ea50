//! [`cut_log`]: gives up what stands behind a point of a damaged log.

use super::header::Header;
use super::{frame, path_of, segments};
use headwater_core::env::Storage;
use headwater_core::{Error, Result};

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
