//! A file system of the tests: files in memory, and no folders.

use headwater_core::env::{FileSystem, FileWriter, FolderEntry};
use headwater_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct MemoryFiles(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

struct MemoryFile(MemoryFiles, String);

impl MemoryFiles {
    fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        self.0.lock().unwrap().get(path).cloned().ok_or_else(|| Error::program(format!("{path} is not there")))
    }
}

fn without_folders<T>() -> Result<T> {
    Err(Error::program("there are no folders"))
}

impl FileSystem for MemoryFiles {
    fn open(&self, path: &str, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut file = Cursor::new(self.bytes(path)?);
        file.set_position(offset);
        Ok(Box::new(file))
    }
    fn len(&self, path: &str) -> Result<u64> {
        Ok(self.bytes(path)?.len() as u64)
    }
    fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.0.lock().unwrap().insert(path.to_owned(), Vec::new());
        Ok(Box::new(MemoryFile(self.clone(), path.to_owned())))
    }
    fn exists(&self, path: &str) -> Result<bool> {
        Ok(self.0.lock().unwrap().contains_key(path))
    }
    fn remove_file(&self, path: &str) -> Result<()> {
        self.0.lock().unwrap().remove(path);
        Ok(())
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        let bytes = self.bytes(from)?;
        self.0.lock().unwrap().insert(to.to_owned(), bytes);
        self.remove_file(from)
    }
    fn create_folder(&self, _: &str) -> Result<()> {
        without_folders()
    }
    fn create_temporary_folder(&self, _: Option<&str>) -> Result<String> {
        without_folders()
    }
    fn sync_folder(&self, _: &str) -> Result<()> {
        without_folders()
    }
    fn list(&self, _: &str) -> Result<Vec<FolderEntry>> {
        without_folders()
    }
    fn remove_folder(&self, _: &str) -> Result<()> {
        without_folders()
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.0.lock().unwrap().entry(self.1.clone()).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
impl FileWriter for MemoryFile {
    fn sync(&mut self) -> Result<()> {
        Ok(())
    }
}
