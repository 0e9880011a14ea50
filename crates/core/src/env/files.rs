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
    fn create(&self, path: &str) -> Result<Box<dyn Write + Send>>;
    /// Makes the folder and those above it.
    fn create_folder(&self, path: &str) -> Result<()>;
    /// Renames a file or folder; `to` must not be a folder with something in it.
    fn rename(&self, from: &str, to: &str) -> Result<()>;
    /// Whether there is a file or folder of this name.
    fn exists(&self, path: &str) -> Result<bool>;
    /// Removes a folder with all that is in it; none there is no error.
    fn remove_folder(&self, path: &str) -> Result<()>;
}
