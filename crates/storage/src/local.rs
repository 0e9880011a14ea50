//! [`LocalStorage`]: files on the machine's disk. What is durable here has gone through `fsync`, in the order file,
//! name, folder.
#![allow(clippy::disallowed_methods, reason = "the real disk")]

mod refusal;
mod temporary;

use headwater_core::env::{AppendFile, Storage, StorageLock, StoredFile};
use headwater_core::{Error, Result};
use refusal::refused;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use temporary::Temporary;

/// How many folders are remembered as cleaned; when there are more they are cleaned anew, which costs a listing each.
const CLEANED_FOLDERS_MAX: usize = 1_000;

/// The local disk. Folders are made as files need them.
///
/// A whole file is written under a temporary name, synced, and then renamed (`put`) or linked (`put_new`, which needs a
/// file system with hard links), and its folder is synced. A process that dies in between leaves its temporary file,
/// `.NAME.PROCESS-NUMBER.tmp`: listings pass over it, and the next process that writes into the folder removes it.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::LocalStorage;
/// let folder = std::env::temp_dir().join(format!("headwater-storage-{}", std::process::id()));
/// let path = format!("{}/notes/name", folder.display());
/// let storage = LocalStorage::new();
/// storage.put(&path, b"counts")?;
/// assert_eq!(storage.read(&path)?, Some(b"counts".to_vec()));
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct LocalStorage {
    /// Where relative paths begin: a program may change its folder while it runs.
    base: PathBuf,
    /// Folders in which what dead processes left was looked for.
    cleaned: Mutex<BTreeSet<PathBuf>>,
}

impl LocalStorage {
    /// The disk of this machine. Relative paths are, for good, those of the folder that the process is in now.
    pub fn new() -> LocalStorage {
        // Where there is no such folder, relative paths fail when they are used.
        LocalStorage { base: std::env::current_dir().unwrap_or_default(), cleaned: Mutex::default() }
    }
    fn at(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    /// Makes the folder of `path`, and removes there what dead processes left, once.
    fn prepare<'a>(&self, path: &'a Path) -> io::Result<&'a Path> {
        let folder = folder_of(path);
        make_folder(folder)?;
        let mut cleaned = self.cleaned.lock().unwrap_or_else(PoisonError::into_inner);
        if !cleaned.contains(folder) {
            temporary::clean(folder)?;
            if cleaned.len() == CLEANED_FOLDERS_MAX {
                cleaned.clear();
            }
            cleaned.insert(folder.to_owned());
        }
        Ok(folder)
    }
}

impl Default for LocalStorage {
    fn default() -> Self {
        LocalStorage::new()
    }
}

fn named<T>(what: &str, path: &str, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| refused(what, path, error))
}

/// `None` where there is no such file, also below what is no folder.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        result => result.map(Some),
    }
}

impl Storage for LocalStorage {
    fn appends(&self) -> bool {
        true
    }
    fn append(&self, path: &str) -> Result<Box<dyn AppendFile>> {
        let at = self.at(path);
        let open = || {
            let folder = self.prepare(&at)?;
            let file = OpenOptions::new().append(true).create(true).open(&at)?;
            sync_folder(folder)?;
            Ok(file)
        };
        let file = named("open for appending", path, open())?;
        Ok(Box::new(LocalAppendFile { file, path: path.to_owned(), failed: false }))
    }
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let at = self.at(path);
        let put = || {
            let folder = self.prepare(&at)?;
            Temporary::write(&at, bytes)?.rename(&at)?;
            sync_folder(folder)
        };
        named("write", path, put())
    }
    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let at = self.at(path);
        let put_new = || {
            let folder = self.prepare(&at)?;
            if fs::symlink_metadata(&at).is_ok() {
                return Ok(false);
            }
            let made = Temporary::write(&at, bytes)?.link(&at)?;
            sync_folder(folder)?;
            Ok(made)
        };
        named("create", path, put_new())
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        named("read", path, if_there(fs::read(self.at(path))))
    }
    fn read_range(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>> {
        let read = || {
            let mut file = File::open(self.at(path))?;
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(length).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        named("read", path, if_there(read()))
    }
    fn list(&self, folder: &str) -> Result<Vec<StoredFile>> {
        let list = || {
            let mut files = Vec::new();
            for entry in if_there(fs::read_dir(self.at(folder)))?.into_iter().flatten() {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                // One that was removed since the listing began is not there.
                if let Some(metadata) = if_there(fs::metadata(entry.path()))?
                    && metadata.is_file()
                    && !temporary::is_temporary(&name)
                {
                    files.push(StoredFile { name, bytes: metadata.len() });
                }
            }
            files.sort_by(|left, right| left.name.cmp(&right.name));
            Ok(files)
        };
        named("list folder", folder, list())
    }
    fn full_path(&self, path: &str) -> String {
        let at = self.at(path);
        // What is there may have several names, by links.
        let at = fs::canonicalize(&at).unwrap_or(at);
        let mut full = PathBuf::new();
        for part in at.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => drop(full.pop()),
                part => full.push(part),
            }
        }
        full.to_string_lossy().into_owned()
    }
    fn lock(&self, path: &str) -> Result<StorageLock> {
        let at = self.at(path);
        let lock = || -> io::Result<StorageLock> {
            self.prepare(&at)?;
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&at)?;
            match file.try_lock() {
                Ok(()) => Ok(StorageLock::Held(Box::new(file))),
                Err(TryLockError::WouldBlock) => Ok(StorageLock::Taken),
                // A network file system may have none.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(StorageLock::Unknown),
                Err(TryLockError::Error(error)) => Err(error),
            }
        };
        named("lock", path, lock())
    }
    fn remove(&self, path: &str) -> Result<()> {
        named("remove", path, if_there(fs::remove_file(self.at(path))).map(drop))
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Makes the folder and those above it; their names are durable on return.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match fs::create_dir(folder) {
        // Another thread or process was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
        result => result?,
    }
    sync_folder(above)
}

/// Makes the names in the folder durable. Outside of Unix a folder cannot be opened, and names are durable with files.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether the open file still has a name. Writing to one that was removed works, and is lost.
fn has_name(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok(file.metadata()?.nlink() > 0)
    }
    #[cfg(not(unix))]
    {
        file.metadata().map(|_| true)
    }
}

struct LocalAppendFile {
    file: File,
    path: String,
    /// Whether a write failed: what the file holds behind its synced part is not known, and a later sync that works
    /// would say nothing about it.
    failed: bool,
}

impl LocalAppendFile {
    fn attempt(&mut self, what: &str, attempt: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
        if self.failed {
            return Err(Error::outside(
                format!("cannot {what} {}", self.path),
                io::Error::other("an earlier write to it failed; open it again"),
            ));
        }
        let result = attempt(&mut self.file);
        self.failed = result.is_err();
        named(what, &self.path, result)
    }
}

impl AppendFile for LocalAppendFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.attempt("append to", |file| file.write_all(bytes))
    }
    fn sync(&mut self) -> Result<()> {
        self.attempt("make durable", |file| {
            file.sync_data()?;
            if has_name(file)? { Ok(()) } else { Err(ErrorKind::NotFound.into()) }
        })
    }
}
