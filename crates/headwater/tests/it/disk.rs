//! A disk for tests: the local one, which fails when told to and keeps a log of what is done for good.

use headwater::env::{FileSystem, FileWriter, FolderEntry};
use headwater::{Error, ErrorKind, Result};
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};

pub(crate) struct Disk {
    files: Arc<dyn FileSystem>,
    fault: Mutex<Fault>,
    log: Arc<Mutex<Vec<String>>>,
}
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    None,
    Folder,
    Create,
    Open,
    /// A file takes so many bytes.
    WriteAt(usize),
}

impl Disk {
    pub(crate) fn new(files: Arc<dyn FileSystem>) -> Disk {
        Disk { files, fault: Mutex::new(Fault::None), log: Arc::default() }
    }
    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
    /// What was made durable, and what was renamed to it, by the last part of its path.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
    fn fail_if(&self, fails: impl Fn(Fault) -> bool) -> Result<()> {
        let fails = fails(*self.fault.lock().unwrap());
        if fails { Err(Error::new(ErrorKind::Outside, "the disk is broken")) } else { Ok(()) }
    }
    fn note(&self, what: &str, path: &str) {
        self.log.lock().unwrap().push(format!("{what} {}", name(path)));
    }
}
fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

impl FileSystem for Disk {
    fn open(&self, path: &str, offset: u64) -> Result<Box<dyn Read + Send>> {
        self.fail_if(|fault| matches!(fault, Fault::Open))?;
        self.files.open(path, offset)
    }
    fn create(&self, path: &str) -> Result<Box<dyn FileWriter>> {
        self.fail_if(|fault| matches!(fault, Fault::Create))?;
        let left = match *self.fault.lock().unwrap() {
            Fault::WriteAt(bytes) => bytes,
            _ => usize::MAX,
        };
        let (file, path, log) = (self.files.create(path)?, path.to_owned(), self.log.clone());
        Ok(Box::new(DiskFile { file, left, path, log }))
    }
    fn create_temporary_folder(&self, parent: Option<&str>) -> Result<String> {
        self.fail_if(|fault| matches!(fault, Fault::Folder))?;
        self.files.create_temporary_folder(parent)
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.note("rename", to);
        self.files.rename(from, to)
    }
    fn sync_folder(&self, path: &str) -> Result<()> {
        self.note("sync folder", path);
        self.files.sync_folder(path)
    }
    fn len(&self, path: &str) -> Result<u64> {
        self.files.len(path)
    }
    fn create_folder(&self, path: &str) -> Result<()> {
        self.files.create_folder(path)
    }
    fn exists(&self, path: &str) -> Result<bool> {
        self.files.exists(path)
    }
    fn list(&self, path: &str) -> Result<Vec<FolderEntry>> {
        self.files.list(path)
    }
    fn remove_file(&self, path: &str) -> Result<()> {
        self.files.remove_file(path)
    }
    fn remove_folder(&self, path: &str) -> Result<()> {
        self.files.remove_folder(path)
    }
}

struct DiskFile {
    file: Box<dyn FileWriter>,
    left: usize,
    path: String,
    log: Arc<Mutex<Vec<String>>>,
}
impl Write for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(&bytes[..bytes.len().min(self.left)])?;
        self.left -= written;
        if written == 0 && !bytes.is_empty() { Err(io::Error::other("no space left")) } else { Ok(written) }
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
impl FileWriter for DiskFile {
    fn sync(&mut self) -> Result<()> {
        self.log.lock().unwrap().push(format!("sync {}", name(&self.path)));
        self.file.sync()
    }
}
