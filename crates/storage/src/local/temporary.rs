//! [`Temporary`]: a whole file on its way to its name. Its writer holds it locked, so that another process can tell what
//! a dead one left from what is being written.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many names are tried. More than one is needed only while another process takes ours for a dead one's.
const NAMES_MAX: usize = 100;

/// A file with all its bytes, synced, under a temporary name; removed when dropped.
pub(super) struct Temporary {
    path: PathBuf,
    /// Keeps the lock.
    _file: File,
}

/// Whether a file of this name is on its way, or was left there by a process that died.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

impl Temporary {
    /// Writes `bytes` beside `target`.
    pub(super) fn write(target: &Path, bytes: &[u8]) -> io::Result<Temporary> {
        let name = target.file_name().ok_or(ErrorKind::InvalidFilename)?;
        let (path, mut file) = create(target, &name.to_string_lossy())?;
        // From here on a failure removes it.
        let temporary = Temporary { path, _file: file.try_clone()? };
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }
    /// Gives it the name, which it takes from the file that had it.
    pub(super) fn rename(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }
    /// Gives it the name if nobody has it.
    pub(super) fn link(self, target: &Path) -> io::Result<bool> {
        match fs::hard_link(&self.path, target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is none. What cannot be removed is for the next cleaning.
        let _removed = fs::remove_file(&self.path);
    }
}

fn create(target: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    for _ in 0..NAMES_MAX {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = target.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            result => {
                let file = result?;
                // Between the two calls a cleaner may have it locked, and removes it. Where there are no locks, no
                // cleaner removes anything.
                let locked = match lock(&file) {
                    Err(error) if error.kind() == ErrorKind::Unsupported => true,
                    result => result?,
                };
                if locked && fs::exists(&path)? {
                    return Ok((path, file));
                }
            }
        }
    }
    Err(io::Error::other("no temporary name is free"))
}

/// Whether nobody has it locked, and now we have.
fn lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes what dead processes left in the folder.
pub(super) fn clean(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if is_temporary(&entry.file_name().to_string_lossy()) {
            // One that is gone has been renamed or removed by its owner; one that cannot be locked or removed stays.
            if let Ok(file) = File::open(entry.path())
                && lock(&file).unwrap_or(false)
            {
                let _removed = fs::remove_file(entry.path());
            }
        }
    }
    Ok(())
}
