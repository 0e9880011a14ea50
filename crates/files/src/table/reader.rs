//! [`TableReader`]: the committed files of a table, and their records.

use super::manifest::Manifest;
use super::store::manifest_folder;
use crate::formats::TableFormat;
use crate::sink::disk::Disk;
use crate::sink::local_path::check_local;
use crate::sink::staging::Staging;
use headwater_core::env::FileSystem;
use headwater_core::{Error, ErrorKind, Result};
use std::sync::Arc;

/// A committed file of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableFile {
    /// Its path.
    pub path: String,
    /// Its records.
    pub records: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Where it is if it has not come to its path yet.
    pending: Option<String>,
}

/// The files that a table had when it was opened: all of committed batches and nothing else, of all outputs that write to
/// it. The program that writes it may go on meanwhile. [`FileSink::table`](crate::FileSink::table) has an example.
pub struct TableReader<F> {
    disk: Arc<dyn FileSystem>,
    format: F,
    folder: String,
    files: Vec<TableFile>,
}

impl<F> TableReader<F> {
    /// Reads the manifests of the folder. A folder without any is a table without files.
    pub fn open(disk: Arc<dyn FileSystem>, folder: &str, format: F) -> Result<TableReader<F>> {
        check_local("TableReader", folder)?;
        let mut files = Vec::new();
        for staging in Staging::all(Disk(&*disk), folder)? {
            let manifest = Manifest::read(Disk(&*disk), &manifest_folder(&staging))?;
            files.extend(manifest.files.into_iter().map(|file| TableFile {
                path: format!("{folder}/{}", file.name),
                records: file.records,
                bytes: file.bytes,
                pending: file.pending.map(|pending| format!("{}/{pending}", staging.path)),
            }));
        }
        Ok(TableReader { disk, format, folder: folder.to_owned(), files })
    }
    /// The files, output by output, and of each in the order in which their first records came.
    pub fn files(&self) -> &[TableFile] {
        &self.files
    }
    /// All records, file by file. A file that was merged with others since the table was opened is an error of the kind
    /// `Outside`, behind which the table is to be opened again. One that somebody has removed is an error of the kind `Data`,
    /// which says what it had.
    pub fn records<T: 'static>(&self) -> impl Iterator<Item = Result<T>>
    where
        F: TableFormat<T>,
    {
        self.files.iter().flat_map(|file| match self.records_of(file) {
            Ok(records) => records,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })
    }
    /// Those of one file.
    pub fn records_of<T>(&self, file: &TableFile) -> Result<crate::formats::Records<T>>
    where
        F: TableFormat<T>,
    {
        // Its path comes last: it is moved there, and never back.
        let opened = match &file.pending {
            Some(pending) => self.disk.open(pending, 0).or_else(|_| self.disk.open(&file.path, 0)),
            None => self.disk.open(&file.path, 0),
        };
        match opened {
            Ok(input) => self.format.read(input, &file.path),
            Err(error) if self.disk.exists(&file.path)? => Err(error),
            Err(_) => Err(self.gone(file)?),
        }
    }
    /// Why a file is not there any more. The manifest says so, which is newer than the file that was looked for: no file comes
    /// back into it.
    fn gone(&self, file: &TableFile) -> Result<Error> {
        let disk = Disk(&*self.disk);
        for staging in Staging::all(disk, &self.folder)? {
            let entries = Manifest::read(disk, &manifest_folder(&staging))?.files;
            if let Some(entry) = entries.iter().find(|entry| format!("{}/{}", self.folder, entry.name) == file.path) {
                return Ok(entry.missing(&file.path));
            }
        }
        let message = format!("{} was merged with others since the table was opened: open it again", file.path);
        Ok(Error::new(ErrorKind::Outside, message))
    }
}
