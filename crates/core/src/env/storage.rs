//! [`Storage`]: the durable files of logs and snapshots. What a file system and an object store can both do: no rename
//! and no truncation, whole files written at once, and, where the store can, one that grows.

use crate::Result;
use std::any::Any;

/// A store of files, named by full paths as the user wrote them, with `/` between folders. A folder is there when a
/// file is in it; nobody makes one.
///
/// Errors name the path and what was tried. Their kind says what helps: `Resources` is a full disk, `Program` a store
/// that may not be written to or a file that somebody removed while it was in use, and all else is `Outside`, which may
/// work when tried again. After an error of a write its effect may be there or not, unless its own words say more.
///
/// ```
/// use headwater_core::env::Storage;
/// # let storage = headwater_storage::MemoryStorage::new();
/// storage.put("run/name", b"counts")?;
/// assert!(storage.put_new("run/owner", b"me")?);
/// assert!(!storage.put_new("run/owner", b"you")?);
/// assert_eq!(storage.read("run/owner")?, Some(b"me".to_vec()));
/// assert_eq!(storage.read_range("run/name", 1, 3)?, Some(b"oun".to_vec()));
/// let names: Vec<_> = storage.list("run")?.into_iter().map(|file| file.name).collect();
/// assert_eq!(names, ["name", "owner"]);
/// storage.remove("run/name")?;
/// assert_eq!(storage.read("run/name")?, None);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub trait Storage: Send + Sync {
    /// Whether [`append`](Storage::append) works. Where it does not, each write must be a file of its own.
    fn appends(&self) -> bool;
    /// Opens the file to go on at its end, and makes it, empty, if it is not there; its name is durable on return. One
    /// writer at a time.
    fn append(&self, path: &str) -> Result<Box<dyn AppendFile>>;
    /// Makes `bytes` the whole content of the file, old or new. A reader, and the next process after a crash, sees all
    /// of it or what was there before; on return it is durable.
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()>;
    /// Makes the file with `bytes` as its whole content if there is none of this name: of all who try, one is told
    /// `true`. Durable then. `false` changes nothing.
    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<bool>;
    /// The whole content; `None` if there is no such file.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;
    /// `length` bytes from byte `offset` on, fewer where the file ends before; `None` if there is no such file.
    fn read_range(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>>;
    /// The files directly inside of the folder, sorted by name, without half-written ones and without folders. A folder
    /// that is not there is empty.
    fn list(&self, folder: &str) -> Result<Vec<StoredFile>>;
    /// The one spelling of all paths that name the same file or folder, to compare them by. By default without `.`, and
    /// without slashes that are doubled or stand at the end.
    ///
    /// ```
    /// # use headwater_core::env::Storage;
    /// # let storage = headwater_storage::MemoryStorage::new();
    /// assert_eq!(storage.full_path("./runs//a/./b/"), "runs/a/b");
    /// assert_eq!(storage.full_path("/runs/a"), "/runs/a");
    /// ```
    fn full_path(&self, path: &str) -> String {
        let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        let root = if path.starts_with('/') { "/" } else { "" };
        format!("{root}{}", parts.join("/"))
    }
    /// Locks the file of this name, made if need be, against all other processes, for as long as the returned value and the
    /// process live. A store that knows no such locks, as by default, says so.
    fn lock(&self, _path: &str) -> Result<StorageLock> {
        Ok(StorageLock::Unknown)
    }
    /// Removes the file; none there is no error. After a crash it may be back, until a later `put`, `put_new` or
    /// `append` in the same folder has returned.
    fn remove(&self, path: &str) -> Result<()>;
}

/// What came of an attempt to lock a file.
pub enum StorageLock {
    /// It is locked until this is dropped.
    Held(Box<dyn Any + Send + Sync>),
    /// Another process has it.
    Taken,
    /// The store has no locks.
    Unknown,
}

/// A file that grows. After an error it takes no more: what was appended since the last [`sync`](AppendFile::sync) may
/// be there in part.
///
/// ```
/// use headwater_core::env::Storage;
/// # let storage = headwater_storage::MemoryStorage::new();
/// let mut file = storage.append("run/log")?;
/// file.append(b"one ")?;
/// file.append(b"two")?;
/// file.sync()?;
/// assert_eq!(storage.read("run/log")?, Some(b"one two".to_vec()));
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub trait AppendFile: Send {
    /// Writes `bytes` behind what is there. A crash may lose any part of what is not synced, also the middle of it.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;
    /// Makes all that was appended durable, also what an earlier process appended to this file and did not sync.
    fn sync(&mut self) -> Result<()>;
}

/// A file in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredFile {
    /// Its name, without the folder's.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}
