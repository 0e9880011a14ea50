//! The real disk: a folder of a measure's own, a store that counts what is written to it, and a bare loop that appends and
//! syncs.

use headwater::Result as Outcome;
use headwater::env::{AppendFile, Storage, StorageLock, StoredFile};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A folder that goes with the value.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Below `dir`, or below the current directory.
    pub(crate) fn new(dir: Option<&Path>) -> Result<Folder, String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("headwater-limits-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = dir.unwrap_or(Path::new(".")).join(name);
        fs::create_dir_all(&path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
        Ok(Folder(path))
    }
    /// A path inside.
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left for the user to see.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

/// Bytes of the files below a folder.
pub(crate) fn bytes_below(folder: &str) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path().display().to_string()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// Bytes that a checkpoint folder was given, by what they are.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) journal: u64,
    /// What batches changed in states.
    pub(crate) changes: u64,
    pub(crate) snapshots: u64,
    /// How many snapshots that is.
    pub(crate) snapshots_begun: u64,
}

/// A store that counts what is appended to it and put there.
pub(crate) struct Counting {
    inner: Arc<dyn Storage>,
    counts: Arc<Counts>,
}
#[derive(Default)]
struct Counts {
    /// Of journal, changes and snapshots.
    bytes: [AtomicU64; 3],
    snapshots: Mutex<BTreeSet<String>>,
}

impl Counting {
    pub(crate) fn new() -> Counting {
        Counting { inner: headwater::system_env().storage, counts: Arc::default() }
    }
    pub(crate) fn written(&self) -> Written {
        let [journal, changes, snapshots] = [0, 1, 2].map(|at: usize| self.counts.bytes[at].load(Ordering::Relaxed));
        let begun = self.counts.snapshots.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        Written { journal, changes, snapshots, snapshots_begun: begun }
    }
    fn count(&self, path: &str, bytes: &[u8]) {
        self.counts.bytes[self.kind(path)].fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
    fn kind(&self, path: &str) -> usize {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| folder.contains("/state/snapshots/")) {
            self.counts.snapshots.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
            return 2;
        }
        usize::from(path.contains("/state/"))
    }
}

impl Storage for Counting {
    fn appends(&self) -> bool {
        self.inner.appends()
    }
    fn append(&self, path: &str) -> Outcome<Box<dyn AppendFile>> {
        let (file, kind, counts) = (self.inner.append(path)?, self.kind(path), self.counts.clone());
        Ok(Box::new(CountingFile { file, kind, counts }))
    }
    fn put(&self, path: &str, bytes: &[u8]) -> Outcome<()> {
        self.count(path, bytes);
        self.inner.put(path, bytes)
    }
    fn put_new(&self, path: &str, bytes: &[u8]) -> Outcome<bool> {
        self.count(path, bytes);
        self.inner.put_new(path, bytes)
    }
    fn read(&self, path: &str) -> Outcome<Option<Vec<u8>>> {
        self.inner.read(path)
    }
    fn read_range(&self, path: &str, offset: u64, length: u64) -> Outcome<Option<Vec<u8>>> {
        self.inner.read_range(path, offset, length)
    }
    fn list(&self, folder: &str) -> Outcome<Vec<StoredFile>> {
        self.inner.list(folder)
    }
    fn full_path(&self, path: &str) -> String {
        self.inner.full_path(path)
    }
    fn lock(&self, path: &str) -> Outcome<StorageLock> {
        self.inner.lock(path)
    }
    fn remove(&self, path: &str) -> Outcome<()> {
        self.inner.remove(path)
    }
}

struct CountingFile {
    file: Box<dyn AppendFile>,
    kind: usize,
    counts: Arc<Counts>,
}
impl AppendFile for CountingFile {
    fn append(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.counts.bytes[self.kind].fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.file.append(bytes)
    }
    fn sync(&mut self) -> Outcome<()> {
        self.file.sync()
    }
}

/// Appends so many bytes to one file and syncs them, as often as `pause` says that there is time, and tells the seconds of
/// each.
pub(crate) fn append_and_sync(path: &str, bytes: usize, mut pause: impl FnMut() -> bool) -> Result<Vec<f64>, String> {
    let failed = |error: std::io::Error| format!("cannot append to {path}: {error}");
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    let (record, mut seconds) = (vec![7; bytes], Vec::new());
    while pause() {
        let start = Instant::now();
        file.write_all(&record).and_then(|()| file.sync_data()).map_err(failed)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_counted_by_what_it_is() {
        let folder = Folder::new(Some(&std::env::temp_dir())).unwrap();
        let store = Counting::new();
        store.append(&folder.path("journal/1")).unwrap().append(b"12").unwrap();
        store.put(&folder.path("state/changes/1"), b"123").unwrap();
        store.put(&folder.path("state/snapshots/7/1"), b"1234").unwrap();
        store.put(&folder.path("state/snapshots/7/2"), b"1").unwrap();
        assert_eq!(store.written(), Written { journal: 2, changes: 3, snapshots: 5, snapshots_begun: 1 });
        assert_eq!(bytes_below(&folder.path("")), 10);
        let mut left = 3;
        let more = || {
            left -= 1;
            left >= 0
        };
        assert_eq!(append_and_sync(&folder.path("loop"), 10, more).unwrap().len(), 3);
        assert_eq!(bytes_below(&folder.path("")), 40);
    }
}
