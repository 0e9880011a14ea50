//! The store's share of the disk: a folder of its own, made when the first block needs it, of files that go with their
//! blocks.

use crate::env::{FileSystem, FileWriter};
use crate::frames::{END_BYTES, FRAME_BYTES, FrameReader, FrameWriter, Segment};
use crate::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a block cannot be written.
pub(crate) enum DiskProblem {
    /// The store has used up the bytes it may.
    LimitReached,
    /// The disk, or a record that cannot be serialised.
    Failed(Error),
}
impl From<Error> for DiskProblem {
    fn from(error: Error) -> DiskProblem {
        DiskProblem::Failed(error)
    }
}

/// The folder of one store.
pub(super) struct DiskSpace {
    files: Arc<dyn FileSystem>,
    /// Where the folder is made; without one, where the system keeps temporary files.
    local_dir: Option<String>,
    bytes_max: u64,
    state: Mutex<State>,
}
#[derive(Default)]
struct State {
    folder: Option<String>,
    bytes: u64,
    files: u64,
}

impl DiskSpace {
    pub(super) fn new(files: Arc<dyn FileSystem>, local_dir: Option<String>, bytes_max: u64) -> DiskSpace {
        DiskSpace { files, local_dir, bytes_max, state: Mutex::default() }
    }
    pub(super) fn bytes(&self) -> u64 {
        self.lock().bytes
    }
    /// A file of records of the type called `name`, to be written.
    pub(super) fn create(self: &Arc<Self>, name: &str) -> Result<BlockFile, DiskProblem> {
        let path = self.next_path()?;
        let mut file = DiskFile { space: self.clone(), path, bytes: 0 };
        let out = self.files.create(&file.path)?;
        let writer = FrameWriter::new(out, name).map_err(|error| file.unwritable(error))?;
        file.grow(writer.bytes() + END_BYTES)?;
        Ok(BlockFile { file, writer })
    }
    /// Numbered, and never the name of an earlier file, which may still be read.
    fn next_path(&self) -> Result<String> {
        let mut state = self.lock();
        let folder = match &state.folder {
            Some(folder) => folder.clone(),
            None => state.folder.insert(self.files.create_temporary_folder(self.local_dir.as_deref())?).clone(),
        };
        state.files += 1;
        Ok(format!("{folder}/block-{}", state.files))
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
impl Drop for DiskSpace {
    fn drop(&mut self) {
        if let Some(folder) = &self.lock().folder {
            // What cannot be removed stays; there is nobody left to be told.
            let _removed = self.files.remove_folder(folder);
        }
    }
}

/// A file of the folder, removed when it is dropped.
pub(crate) struct DiskFile {
    space: Arc<DiskSpace>,
    path: String,
    /// Counted as used.
    bytes: u64,
}

impl DiskFile {
    pub(crate) fn open(&self) -> Result<FrameReader> {
        FrameReader::open(self.space.files.open(&self.path, 0)?, &self.path)
    }
    /// Counts bytes that will be written, if they may be.
    fn grow(&mut self, bytes: u64) -> Result<(), DiskProblem> {
        let mut state = self.space.lock();
        if state.bytes + bytes > self.space.bytes_max {
            return Err(DiskProblem::LimitReached);
        }
        state.bytes += bytes;
        self.bytes += bytes;
        Ok(())
    }
    fn unwritable(&self, error: std::io::Error) -> Error {
        Error::outside(format!("cannot write {}", self.path), error)
    }
}
impl Drop for DiskFile {
    fn drop(&mut self) {
        // A file that cannot be removed goes with the folder.
        let _removed = self.space.files.remove_file(&self.path);
        self.space.lock().bytes -= self.bytes;
    }
}

/// A file that is being written.
pub(crate) struct BlockFile {
    file: DiskFile,
    writer: FrameWriter<Box<dyn FileWriter>>,
}

impl BlockFile {
    pub(crate) fn write(&mut self, segment: &Segment) -> Result<(), DiskProblem> {
        self.file.grow(segment.bytes.len() as u64 + FRAME_BYTES)?;
        Ok(self.writer.write(segment).map_err(|error| self.file.unwritable(error))?)
    }
    /// Makes the file whole.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.writer.finish().map_err(|error| self.file.unwritable(error))
    }
    /// The file as it is, whole or not, and how many segments it has.
    pub(crate) fn stop(self) -> (DiskFile, u64) {
        (self.file, self.writer.frames())
    }
}
