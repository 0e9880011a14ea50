//! [`FileSystem`]: the files and folders that inputs read and outputs write. Writers make a file under a temporary
//! name and rename it, so that a reader never sees half of one.

use crate::Result;
use std::io::{Read, Write};

/// A tree of files, named by paths as the user wrote them. Errors name the path.
pub trait FileSystem: Send + Sync {
    /// Reads the file from byte `offset` on.
    fn open(&self, path: &str, offset: u64) -> Result<Box<dyn Read + Send>>;
    /// How many bytes the file has.
    fn len(&self, path: &str) -> Result<u64>;
    /// Makes an empty file, or empties the one that is there. Flushing the writer reports what dropping it hides.
    fn create(&self, path: &str) -> Result<Box<dyn FileWriter>>;
    /// Makes the folder and those above it.
    fn create_folder(&self, path: &str) -> Result<()>;
    /// Makes a new folder with a name that nobody has, below `parent` or, without one, below the system's folder for
    /// temporary files; returns its path.
    fn create_temporary_folder(&self, parent: Option<&str>) -> Result<String>;
    /// Renames a file or folder; `to` must not be a folder with something in it.
    fn rename(&self, from: &str, to: &str) -> Result<()>;
    /// Makes the names in the folder, new and changed, survive a crash of the machine.
    fn sync_folder(&self, path: &str) -> Result<()>;
    /// Whether there is a file or folder of this name.
    fn exists(&self, path: &str) -> Result<bool>;
    /// What is in the folder, sorted by name.
    fn list(&self, path: &str) -> Result<Vec<FolderEntry>>;
    /// Removes a file; none there is no error.
    fn remove_file(&self, path: &str) -> Result<()>;
    /// Removes a folder with all that is in it; none there is no error.
    fn remove_folder(&self, path: &str) -> Result<()>;
}

/// A file that is being written.
pub trait FileWriter: Write + Send {
    /// Makes what was written so far survive a crash of the machine.
    fn sync(&mut self) -> Result<()>;
}

/// A file or folder inside of a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FolderEntry {
    /// Its name, without the folder's.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_folder: bool,
}
