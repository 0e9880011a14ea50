//! [`PreparedFiles`]: what a task says of the files that it has written, on its way to the driver as bytes.

use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// An attempt's folder, and the files in it.
#[derive(Serialize, Deserialize)]
pub(crate) struct PreparedFiles {
    pub(crate) folder: String,
    pub(crate) files: Vec<WrittenFile>,
}
/// A file in such a folder.
#[derive(Serialize, Deserialize)]
pub(crate) struct WrittenFile {
    pub(crate) name: String,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}
impl PreparedFiles {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<PreparedFiles> {
        let none = |error| Error::new(ErrorKind::Internal, "a task returned no prepared files").because(error);
        serde_json::from_slice(bytes).map_err(none)
    }
}
