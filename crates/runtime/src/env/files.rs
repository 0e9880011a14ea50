//! The local file system.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::FileSystem;
use headwater_core::{Error, Result};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

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
    fn create(&self, path: &str) -> Result<Box<dyn Write + Send>> {
        Ok(Box::new(named("create", path, File::create(path))?))
    }
    fn create_folder(&self, path: &str) -> Result<()> {
        named("create folder", path, fs::create_dir_all(path))
    }
    fn rename(&self, from: &str, to: &str) -> Result<()> {
        named(&format!("rename to {to}"), from, fs::rename(from, to))
    }
    fn exists(&self, path: &str) -> Result<bool> {
        named("look at", path, fs::exists(path))
    }
    fn remove_folder(&self, path: &str) -> Result<()> {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => named("remove folder", path, result),
        }
    }
}
