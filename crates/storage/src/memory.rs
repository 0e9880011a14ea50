//! [`MemoryStorage`]: files in memory, for tests; also as a store that cannot append.

use crate::path;
use headwater_core::env::{AppendFile, Storage, StoredFile};
use headwater_core::{Error, Result};
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Files that live as long as the process. Clones share them; every step is durable at once.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::MemoryStorage;
/// let storage = MemoryStorage::new();
/// storage.put("run/name", b"counts")?;
/// assert_eq!(storage.clone().read("run/name")?, Some(b"counts".to_vec()));
/// # Ok::<(), headwater_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryStorage {
    files: Arc<Mutex<Files>>,
    whole_files_only: bool,
}

impl MemoryStorage {
    /// A store without files.
    pub fn new() -> MemoryStorage {
        MemoryStorage::default()
    }
    /// The same files in a store that cannot append, as object stores are.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// let storage = headwater_storage::MemoryStorage::new().without_append();
    /// assert!(!storage.appends() && storage.append("run/log").is_err());
    /// ```
    pub fn without_append(self) -> MemoryStorage {
        MemoryStorage { whole_files_only: true, ..self }
    }
    /// A store of its own with the same content.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// let storage = headwater_storage::MemoryStorage::new();
    /// let copy = storage.copy();
    /// copy.put("run/name", b"counts")?;
    /// assert_eq!(storage.read("run/name")?, None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn copy(&self) -> MemoryStorage {
        MemoryStorage::of(self.files().clone(), self.whole_files_only)
    }
    /// The paths of all files and their sizes.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// let storage = headwater_storage::MemoryStorage::new();
    /// storage.put("run/name", b"counts")?;
    /// assert_eq!(storage.paths(), [("run/name".to_owned(), 6)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn paths(&self) -> Vec<(String, u64)> {
        self.files().iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect()
    }
    /// Changes one bit of a file, as a disk might: bit `bit` of the file, counted from its first byte's lowest.
    ///
    /// # Panics
    /// If there is no such file or it is shorter.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// let storage = headwater_storage::MemoryStorage::new();
    /// storage.put("run/name", b"a")?;
    /// storage.flip_bit("run/name", 1);
    /// assert_eq!(storage.read("run/name")?, Some(b"c".to_vec()));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn flip_bit(&self, path: &str, bit: u64) {
        let mut files = self.files();
        let bytes = files.get_mut(path).unwrap_or_else(|| panic!("there is no file {path}"));
        bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    }

    pub(crate) fn of(files: Files, whole_files_only: bool) -> MemoryStorage {
        MemoryStorage { files: Arc::new(Mutex::new(files)), whole_files_only }
    }
    /// The files, locked.
    pub(crate) fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn appends(&self) -> bool {
        !self.whole_files_only
    }
    fn append(&self, path: &str) -> Result<Box<dyn AppendFile>> {
        if self.whole_files_only {
            let message = format!("cannot open {path} for appending: the store takes whole files only");
            return Err(Error::program(message));
        }
        self.files().entry(path.to_owned()).or_default();
        Ok(Box::new(MemoryAppendFile { storage: self.clone(), path: path.to_owned() }))
    }
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.files().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let mut files = self.files();
        let is_new = !files.contains_key(path);
        if is_new {
            files.insert(path.to_owned(), bytes.to_vec());
        }
        Ok(is_new)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.files().get(path).cloned())
    }
    fn read_range(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>> {
        let range = |bytes: &Vec<u8>| {
            let length_in_all = bytes.len() as u64;
            let end = offset.saturating_add(length).min(length_in_all);
            bytes[offset.min(length_in_all) as usize..end as usize].to_vec()
        };
        Ok(self.files().get(path).map(range))
    }
    fn list(&self, folder: &str) -> Result<Vec<StoredFile>> {
        let start = path::join(folder, "");
        let files = self.files();
        let below = files.range::<str, _>((Excluded(start.as_str()), Unbounded));
        let below = below.map_while(|(path, bytes)| Some((path.strip_prefix(&start)?, bytes)));
        let here = below.filter(|(name, _)| !name.contains('/'));
        Ok(here.map(|(name, bytes)| StoredFile { name: name.to_owned(), bytes: bytes.len() as u64 }).collect())
    }
    fn remove(&self, path: &str) -> Result<()> {
        self.files().remove(path);
        Ok(())
    }
}

struct MemoryAppendFile {
    storage: MemoryStorage,
    path: String,
}

impl AppendFile for MemoryAppendFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match self.storage.files().get_mut(&self.path) {
            Some(file) => file.extend_from_slice(bytes),
            None => return Err(removed(&self.path)),
        }
        Ok(())
    }
    fn sync(&mut self) -> Result<()> {
        if self.storage.files().contains_key(&self.path) { Ok(()) } else { Err(removed(&self.path)) }
    }
}

/// The error of writing to a file that is there no more.
pub(crate) fn removed(path: &str) -> Error {
    Error::program(format!("cannot append to {path}: it, or its folder, was removed while it was in use"))
}
