//! The local file system.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::{FileSystem, FileWriter, FolderEntry};
use headwater_core::{Error, Result};
use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) struct LocalFiles;

fn named<T>(what: &str, path: &str, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| Error::outside(format!("cannot {what} {path}"), error))
}

impl FileSystem for LocalFiles {
    fn open(&self, path: &str, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut file = named("open", path, File::open(path))?;
        named("seek in", path, file.seek(SeekFrom::Start(offset)))?;
        Ok(Box::new(file))
    }
    fn len(&self, path: &str) -> Result<u64> {
        let metadata = named("open", path, fs::metadata(path))?;
        if metadata.is_dir() {
            return Err(Error::program(format!("{path} is a folder, not a file")));
        }
        Ok(metadata.len())
    }
    fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        Ok(Box::new(LocalFile { file: named("create", path, File::create(path))?, path: path.to_owned() }))
    }
    fn create_folder(&self, path: &str) -> Result<()> {
        named("create folder", path, fs::create_dir_all(path))
    }
    fn create_temporary_folder(&self, parent: Option<&str>) -> Result<String> {
        let parent = parent.map_or_else(std::env::temp_dir, |parent| Path::new(parent).to_owned());
        named("create folder", &parent.to_string_lossy(), fs::create_dir_all(&parent))?;
        loop {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            let name = format!("headwater-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = parent.join(name).to_string_lossy().into_owned();
            match fs::create_dir(&path) {
                // Left by an earlier process of the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                result => return named("create folder", &path, result).map(|()| path),
            }
        }
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        named(&format!("rename to {to}"), from, fs::rename(from, to))
    }
    fn sync_folder(&self, path: &str) -> Result<()> {
        // Elsewhere a folder cannot be opened, and its names are durable with their files.
        let sync = || if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) };
        named("make durable the folder", path, sync())
    }
    fn exists(&self, path: &str) -> Result<bool> {
        match fs::exists(path) {
            // Below a file there is nothing.
            Err(error) if error.kind() == ErrorKind::NotADirectory => Ok(false),
            result => named("look at", path, result),
        }
    }
    fn list(&self, path: &str) -> Result<Vec<FolderEntry>> {
        let entry = |entry: DirEntry| {
            // Not the entry's own type: a link counts as what it leads to.
            let is_folder = entry.path().is_dir();
            FolderEntry { name: entry.file_name().to_string_lossy().into_owned(), is_folder }
        };
        let entries = fs::read_dir(path).and_then(|entries| entries.map(|found| found.map(entry)).collect());
        let mut entries: Vec<FolderEntry> = named("list folder", path, entries)?;
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(entries)
    }
    fn remove_file(&self, path: &str) -> Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => named("remove", path, result),
        }
    }
    fn remove_folder(&self, path: &str) -> Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => named("remove folder", path, result),
        }
    }
}

struct LocalFile {
    file: File,
    path: String,
}
impl Write for LocalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
impl FileWriter for LocalFile {
    fn sync(&mut self) -> Result<()> {
        named("make durable", &self.path, self.file.sync_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::temporary_folder;

    #[test]
    fn temporary_folders_have_names_of_their_own_and_lists_are_sorted() {
        let folder = temporary_folder();
        let made = [0; 2].map(|_| LocalFiles.create_temporary_folder(Some(&format!("{folder}/below"))).unwrap());
        assert_ne!(made[0], made[1]);
        LocalFiles.create(&format!("{}/b", made[0])).unwrap().sync().unwrap();
        LocalFiles.create_folder(&format!("{}/a", made[0])).unwrap();
        LocalFiles.sync_folder(&made[0]).unwrap();
        let entry = |name: &str, is_folder| FolderEntry { name: name.to_owned(), is_folder };
        assert_eq!(LocalFiles.list(&made[0]).unwrap(), [entry("a", true), entry("b", false)]);
        LocalFiles.remove_file(&format!("{}/b", made[0])).unwrap();
        LocalFiles.remove_file(&format!("{}/b", made[0])).unwrap();
        assert_eq!(LocalFiles.list(&made[0]).unwrap(), [entry("a", true)]);
        assert!(LocalFiles.list(&format!("{folder}/none")).unwrap_err().to_string().contains("none"));
    }
}
