//! [`check_journal`]: reads all that a journal has, without taking it over.

use super::snapshot::{self, Snapshot};
use crate::log::{self, FileCheck, FileCondition, FolderCheck, check_log};
use crate::path;
use headwater_core::Result;
use headwater_core::env::Storage;

/// How often the check begins anew because the process that writes has taken a snapshot meanwhile.
const TRIES_MAX: usize = 8;

/// Reads the snapshots in the folder and the log behind the older of the two newest, which is what a recovery may need. What
/// is wrong before the newest, where that is good, is a [`FileCondition::Spare`]: a recovery does not read it. The process that writes it goes on meanwhile. An error of the kind `Program` if another release wrote it.
///
/// ```
/// use headwater_storage::{MemoryStorage, check_journal};
/// assert!(check_journal(&MemoryStorage::new(), "run/journal")?.files.is_empty());
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn check_journal(storage: &dyn Storage, folder: &str) -> Result<FolderCheck> {
    let mut tries = 0;
    loop {
        tries += 1;
        let numbers = snapshot::snapshots(storage, folder)?;
        let mut files = Vec::new();
        for number in &numbers {
            files.push(check_snapshot(storage, folder, *number)?);
        }
        // Before the second snapshot the whole log stands in for it.
        let first = numbers.iter().rev().nth(1).copied().unwrap_or(1);
        let is_good = |file: &FileCheck| file.condition == FileCondition::Good;
        let newest = numbers.last().copied().filter(|_| files.last().is_some_and(is_good));
        let mut log = check_log(storage, folder, first)?;
        if let Some(newest) = newest.filter(|_| log.damaged().next().is_some()) {
            log = excused(log, check_log(storage, folder, newest)?, newest);
        }
        if numbers == snapshot::snapshots(storage, folder)? || tries == TRIES_MAX {
            if log.files.is_empty() && !numbers.is_empty() {
                let what = "the log behind the snapshots is missing; was the folder copied in part?".to_owned();
                let (path, condition) = (folder.to_owned(), FileCondition::Damaged { offset: 0, what });
                files.push(FileCheck { path, bytes: 0, records: 0, condition });
            }
            log.files.splice(..0, files);
            return Ok(log);
        }
    }
}

/// The check of all of a log, of which `needed` is that of the segments from `newest` on: what is wrong before is spare.
fn excused(all: FolderCheck, needed: FolderCheck, newest: u64) -> FolderCheck {
    let is_older = |file: &FileCheck| path::split(&file.path).1 < path::split(&log::path_of("", newest)).1;
    let older = all.files.into_iter().filter(is_older).map(|file| match file.condition {
        FileCondition::Damaged { what, .. } => FileCheck { condition: FileCondition::Spare { what }, ..file },
        _ => file,
    });
    let behind = needed.files.into_iter().filter(|file| !is_older(file));
    FolderCheck { files: older.chain(behind).collect(), good: needed.good }
}

fn check_snapshot(storage: &dyn Storage, folder: &str, number: u64) -> Result<FileCheck> {
    let path = snapshot::path_of(folder, number);
    let bytes =
        storage.list(folder)?.iter().find(|file| crate::path::split(&path).1 == file.name).map_or(0, |file| file.bytes);
    let (records, condition) = match Snapshot::read(storage, folder, number)? {
        Ok(_) => (1, FileCondition::Good),
        Err(said) => {
            let what = said.split_once("is damaged: ").map_or(said.as_str(), |(_, what)| what).to_owned();
            (0, FileCondition::Damaged { offset: 0, what })
        }
    };
    Ok(FileCheck { path, bytes, records, condition })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fence, Journal, JournalEvent, JournalOptions, JournalState, MemoryStorage};
    use std::sync::Arc;

    struct Byte(u8);
    impl JournalEvent for Byte {
        fn encode(&self) -> Vec<u8> {
            vec![self.0]
        }
        fn decode(bytes: &[u8]) -> Result<Byte> {
            Ok(Byte(bytes[0]))
        }
    }
    #[derive(Default)]
    struct Bytes(Vec<u8>);
    impl JournalState for Bytes {
        type Event = Byte;
        fn apply(&mut self, event: &Byte) {
            self.0.push(event.0);
        }
        fn snapshot(&self) -> Vec<u8> {
            self.0.clone()
        }
        fn restore(bytes: &[u8]) -> Result<Bytes> {
            Ok(Bytes(bytes.to_vec()))
        }
    }
    fn open(storage: &MemoryStorage) -> Result<Journal<Bytes>> {
        let fence = Fence::take(Arc::new(storage.clone()), "fence", "a test")?;
        let options = JournalOptions::new("bytes");
        Ok(Journal::open(Arc::new(storage.clone()), "journal", options, fence.into(), Bytes::default)?.0)
    }

    /// Each of the segments is removed, or changed: whatever a start reads without is no damage, and all else is.
    #[test]
    fn what_a_start_does_not_need_is_no_damage() {
        let storage = MemoryStorage::new();
        for byte in 0..4 {
            let journal = open(&storage).unwrap();
            journal.record(&Byte(byte)).and_then(|()| journal.sync()).unwrap();
            journal.record(&Byte(byte)).unwrap();
            // Behind the first and the third process there is a snapshot.
            if byte % 2 == 0 { journal.snapshot() } else { journal.sync() }.unwrap();
        }
        let mut spare = 0;
        for (path, _) in storage.paths().into_iter().filter(|(path, _)| path.ends_with(".log")) {
            for removes in [true, false] {
                let storage = storage.copy();
                if removes {
                    storage.remove(&path).unwrap()
                } else {
                    storage.flip_bit(&path, 8 * 20)
                }
                let check = check_journal(&storage, "journal").unwrap();
                let starts = open(&storage).is_ok();
                assert_eq!(check.damaged().next().is_none(), starts, "without {path}: {check:?}");
                spare +=
                    usize::from(check.files.iter().any(|file| matches!(file.condition, FileCondition::Spare { .. })));
            }
        }
        assert!(spare >= 2, "some segments lie between the two snapshots");
    }
}
