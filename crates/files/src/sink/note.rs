//! [`Note`]: the hidden file in a batch's folder that says whose it is.

use super::disk::Disk;
use headwater_core::sink::SinkBatch;
use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Readers pass over names that begin with a dot.
const FILE: &str = ".headwater";
const FORMAT: u32 = 1;

/// Which batch of which output of which application.
#[derive(PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct Note {
    format: u32,
    application: String,
    operator: String,
    batch_ms: i64,
}

impl Note {
    pub(crate) fn new(batch: &SinkBatch<'_>) -> Note {
        let (application, operator) = batch.output.key();
        Note { format: FORMAT, application, operator, batch_ms: batch.time.milliseconds() }
    }
    pub(crate) fn write(&self, disk: Disk<'_>, folder: &str) -> Result<()> {
        let bytes = serde_json::to_vec(self).expect("texts and numbers are JSON");
        disk.write(&format!("{folder}/{FILE}"), &bytes)
    }
    /// That of a folder; none where it has none that reads.
    fn read(disk: Disk<'_>, folder: &str) -> Result<Option<Note>> {
        let path = format!("{folder}/{FILE}");
        if !disk.exists(&path)? {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&disk.read(&path)?).ok())
    }
    /// Whether the folder of a batch is there; an error if it is not this one's.
    pub(crate) fn is_of(&self, disk: Disk<'_>, folder: &str) -> Result<bool> {
        if !disk.exists(folder)? {
            return Ok(false);
        }
        let found = Note::read(disk, folder)?;
        if found.as_ref() == Some(self) {
            return Ok(true);
        }
        let found = found.map_or("something that is no sink of this release".to_owned(), |note| note.to_string());
        let message = format!(
            "{folder} is there already, and was written by {found}, not by {self}: remove it, or choose another \
             prefix for one of the outputs"
        );
        Err(Error::new(ErrorKind::Program, message))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Note { application, operator, batch_ms, .. } = self;
        write!(f, "the output {operator} of the application {application} in its batch of {batch_ms} ms")
    }
}
