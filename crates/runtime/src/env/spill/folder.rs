//! The folder of spilled tables: named after the process, locked while it lives, removed with its last table. What a
//! killed process left is not locked any more and is removed by the next one that spills to the same place.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::{Error, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "headwater-spill-";
const LOCK: &str = "lock";
const TABLES: &str = "tables";

/// A folder of this process alone.
pub(super) struct SpillFolder {
    path: PathBuf,
    /// Held while the folder is in use.
    lock: Option<File>,
    tables: AtomicU64,
}

impl SpillFolder {
    /// A new one below `parent` or, without one, below the system's folder for temporary files; removes what dead
    /// processes left there.
    pub(super) fn create(parent: Option<&str>) -> Result<SpillFolder> {
        let parent = parent.map_or_else(std::env::temp_dir, |parent| Path::new(parent).to_owned());
        create_below(&parent).map_err(|error| {
            let parent = parent.display();
            let message = format!(
                "cannot make a folder in {parent} for state that has no room in memory; set headwater.local_dir to a \
                 folder that can be written"
            );
            Error::outside(message, error)
        })
    }
}

impl Drop for SpillFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to the next process; there is nobody to be told.
        let _removed = remove(&self.path, self.lock.take());
    }
}

/// The folder of one table, in that of the process; removed when it is dropped.
pub(super) struct TableFolder {
    path: PathBuf,
    /// Lives as long as there are tables in it.
    _parent: Arc<SpillFolder>,
}

impl TableFolder {
    /// One whose path no other has had; there is nothing yet.
    pub(super) fn new(parent: Arc<SpillFolder>) -> TableFolder {
        let number = parent.tables.fetch_add(1, Ordering::Relaxed);
        TableFolder { path: parent.path.join(TABLES).join(number.to_string()), _parent: parent }
    }
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TableFolder {
    fn drop(&mut self) {
        // What cannot be removed goes with the folder above.
        let _removed = fs::remove_dir_all(&self.path);
    }
}

fn create_below(parent: &Path) -> io::Result<SpillFolder> {
    fs::create_dir_all(parent)?;
    remove_left_folders(parent)?;
    loop {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("{PREFIX}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(name);
        match fs::create_dir(&path).and_then(|()| occupy(&path)) {
            Ok(Some(lock)) => {
                fs::create_dir(path.join(TABLES))?;
                return Ok(SpillFolder { path, lock: Some(lock), tables: AtomicU64::new(0) });
            }
            // Another process took it for a dead one's, just before it was locked.
            Ok(None) => {}
            // A process of the same number, in another container, lives.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Locks a folder that was just made, unless another process is about to remove it.
fn occupy(path: &Path) -> io::Result<Option<File>> {
    let lock = match File::create(path.join(LOCK)) {
        Err(error) if error.kind() == ErrorKind::NotFound && !fs::exists(path)? => return Ok(None),
        result => result?,
    };
    match lock.try_lock() {
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        // Where files cannot be locked, nobody removes what others left.
        Ok(()) | Err(fs::TryLockError::Error(_)) => {}
    }
    Ok(fs::exists(path.join(LOCK))?.then_some(lock))
}

fn remove_left_folders(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        // An entry that is gone by now, or is another user's, is nothing to fail for.
        let Ok(entry) = entry else { continue };
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let _removed = match File::open(path.join(LOCK)) {
            Ok(lock) if lock.try_lock().is_ok() => remove(&path, Some(lock)),
            Ok(_living) => Ok(()),
            // Without a lock it is new, or its process died in between: then it is empty, and only then it goes.
            Err(_) => fs::remove_dir(&path),
        };
    }
    Ok(())
}

/// The lock goes last, so that a removal that is cut short can be taken up again.
fn remove(path: &Path, lock: Option<File>) -> io::Result<()> {
    match fs::remove_dir_all(path.join(TABLES)) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Some systems remove no file that is open.
    drop(lock);
    fs::remove_dir_all(path)
}
