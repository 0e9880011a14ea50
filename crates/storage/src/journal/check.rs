//! [`check_journal`]: reads all that a journal has, without taking it over.

use super::snapshot::{self, Snapshot};
use crate::log::{FileCheck, FileCondition, FolderCheck, check_log};
use headwater_core::Result;
use headwater_core::env::Storage;

/// How often the check begins anew because the process that writes has taken a snapshot meanwhile.
const TRIES_MAX: usize = 8;

/// Reads the snapshots in the folder and the log behind the older of the two newest, which is what a recovery may need.
/// The process that writes it goes on meanwhile. An error of the kind `Program` if another release wrote it.
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
        let mut log = check_log(storage, folder, first)?;
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
