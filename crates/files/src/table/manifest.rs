//! [`Manifest`]: which files a table has of one output, as events that are applied; and how they lie on the disk.
//!
//! ```text
//! FOLDER/<number>.event      what one commit or merge changes
//! FOLDER/<number>.snapshot   the manifest behind the event of this number
//! ```
//! A file of either kind is there whole or not at all. The two newest snapshots are kept, and the events behind the older
//! one: so there are fewer than 2 x [`EVENTS_BETWEEN`] events, and two snapshots, which have a line for each file.

use crate::sink::disk::Disk;
use crate::sink::ledger::Ledger;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Events from one snapshot to the next.
pub(crate) const EVENTS_BETWEEN: u64 = 32;
/// How often a reader begins anew, where the writer has removed what it was about to read.
const TRIES_MAX: usize = 8;
const FORMAT: u32 = 1;

/// A file of a table.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub(crate) struct FileEntry {
    /// Its name in the table's folder.
    pub(crate) name: String,
    /// Where it lies until it is moved there, within the folder of the output.
    pub(crate) pending: Option<String>,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// The first and the last batch that it has records of, in milliseconds; none where an older release wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) batches: Option<(i64, i64)>,
}
impl FileEntry {
    /// The error that it is not where it should be, at `path`.
    pub(crate) fn missing(&self, path: &str) -> Error {
        let of = match self.batches {
            Some((first, last)) if first == last => format!(" of the batch of {first} ms"),
            Some((first, last)) => format!(" of the batches from {first} to {last} ms"),
            None => String::new(),
        };
        let FileEntry { records, bytes, .. } = self;
        let plural = if *records == 1 { "" } else { "s" };
        let message = format!(
            "{path} is missing, which the table's manifest lists with {records} record{plural} in {bytes} bytes{of}: somebody has \
             removed it, so put it back"
        );
        Error::new(ErrorKind::Data, message)
    }
}

/// A step from one manifest to the next.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct Event {
    format: u32,
    /// Application and batch; none for a merge.
    pub(crate) batch: Option<(String, i64)>,
    pub(crate) added: Vec<FileEntry>,
    pub(crate) removed: Vec<String>,
    /// What format the files are in from here on, where the manifest does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_format: Option<String>,
}
impl Event {
    pub(crate) fn new(batch: Option<(&str, Time)>, added: Vec<FileEntry>, removed: Vec<String>) -> Event {
        let batch = batch.map(|(application, time)| (application.to_owned(), time.milliseconds()));
        Event { format: FORMAT, batch, added, removed, data_format: None }
    }
}

#[derive(Serialize, Deserialize, Debug)]
pub(crate) struct Manifest {
    format: u32,
    /// Of the newest event.
    pub(crate) number: u64,
    pub(crate) ledger: Ledger,
    /// In the order in which their first records came.
    pub(crate) files: Vec<FileEntry>,
    /// Files that the newest event has taken out, and that may still be there.
    pub(crate) condemned: Vec<String>,
    /// The name of the format that the files are in; none where an older release wrote all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data_format: Option<String>,
}

impl Manifest {
    fn new() -> Manifest {
        let (ledger, files, condemned) = (Ledger::new(), Vec::new(), Vec::new());
        Manifest { format: FORMAT, number: 0, ledger, files, condemned, data_format: None }
    }
    /// An event is only made when all that those before it say was done on the disk.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.number += 1;
        self.files.iter_mut().for_each(|file| file.pending = None);
        // A merged file comes where the first of those was that are in it.
        let is_removed = |file: &FileEntry| event.removed.contains(&file.name);
        let at = self.files.iter().position(is_removed).unwrap_or(self.files.len());
        self.files.retain(|file| !is_removed(file));
        self.files.splice(at..at, event.added.iter().cloned());
        self.condemned.clone_from(&event.removed);
        self.data_format = event.data_format.clone().or(self.data_format.take());
        if let Some((application, batch)) = &event.batch {
            self.ledger = self.ledger.with(application, Time::from_millis(*batch));
        }
    }

    /// What the folder says now; the process that writes it may go on meanwhile.
    pub(crate) fn read(disk: Disk<'_>, folder: &str) -> Result<Manifest> {
        let mut tries = 1;
        loop {
            match Manifest::read_once(disk, folder) {
                // What it was about to read is removed behind a newer snapshot, perhaps.
                Err(error) if matches!(error.kind(), ErrorKind::Program | ErrorKind::Data) && tries < TRIES_MAX => {
                    tries += 1;
                }
                read => return read,
            }
        }
    }
    fn read_once(disk: Disk<'_>, folder: &str) -> Result<Manifest> {
        let names = Numbered::list(disk, folder)?;
        let mut manifest = match names.snapshots.last() {
            Some(number) => parsed(disk, &snapshot_path(folder, *number))?,
            None => Manifest::new(),
        };
        check_format(folder, manifest.format)?;
        for number in names.events.into_iter().filter(|number| *number > manifest.number).collect::<Vec<_>>() {
            if number != manifest.number + 1 {
                let missing = event_path(folder, manifest.number + 1);
                let message = format!("{missing} is missing, and later ones are there; was the table copied in part?");
                return Err(Error::new(ErrorKind::Data, message));
            }
            let event: Event = parsed(disk, &event_path(folder, number))?;
            check_format(folder, event.format)?;
            manifest.apply(&event);
        }
        Ok(manifest)
    }
    /// What is told of files of the output that it does not know, of those in the table's folder.
    pub(crate) fn unlisted(&self, there: &[String]) -> Option<String> {
        let known: HashSet<&str> = self.files.iter().map(|file| &*file.name).collect();
        let unlisted: Vec<&String> = there.iter().filter(|name| !known.contains(&***name)).collect();
        let first = unlisted.first()?;
        let files = if unlisted.len() == 1 {
            "1 file of this output is"
        } else {
            &format!("{} files of this output are", unlisted.len())
        };
        Some(format!("{files} not in it, such as {first}"))
    }
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are JSON")
    }
}

/// What is in the folder.
pub(crate) struct Numbered {
    pub(crate) events: Vec<u64>,
    pub(crate) snapshots: Vec<u64>,
}
impl Numbered {
    pub(crate) fn list(disk: Disk<'_>, folder: &str) -> Result<Numbered> {
        let names: Vec<_> = disk.list_if_there(folder)?.into_iter().map(|entry| entry.name).collect();
        // The names have leading zeros, and so are sorted by their numbers.
        let of = |ending: &str| names.iter().filter_map(|name| name.strip_suffix(ending)?.parse().ok()).collect();
        Ok(Numbered { events: of(".event"), snapshots: of(".snapshot") })
    }
}

pub(crate) fn event_path(folder: &str, number: u64) -> String {
    format!("{folder}/{number:020}.event")
}
pub(crate) fn snapshot_path(folder: &str, number: u64) -> String {
    format!("{folder}/{number:020}.snapshot")
}

fn parsed<T: serde::de::DeserializeOwned>(disk: Disk<'_>, path: &str) -> Result<T> {
    serde_json::from_slice(&disk.read(path)?).map_err(|error| {
        let message = format!("{path}, which says what files a table has, is damaged: restore it from a copy");
        Error::new(ErrorKind::Data, message).because(error)
    })
}
fn check_format(folder: &str, format: u32) -> Result<()> {
    let message = || format!("the manifest {folder} has format {format}; this release reads format {FORMAT}");
    if format == FORMAT { Ok(()) } else { Err(Error::new(ErrorKind::Data, message())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_add_files_and_take_out_others_and_note_batches() {
        let file = |name: &str| FileEntry {
            name: name.into(),
            pending: Some("p".into()),
            records: 1,
            bytes: 2,
            batches: None,
        };
        let time = Time::from_millis;
        let mut manifest = Manifest::new();
        manifest.apply(&Event::new(Some(("app", time(1000))), vec![file("a"), file("b")], Vec::new()));
        manifest.apply(&Event::new(None, vec![file("ab")], vec!["a".into(), "b".into()]));
        assert_eq!(manifest.condemned, ["a", "b"]);
        manifest.apply(&Event::new(Some(("app", time(2000))), vec![file("c")], Vec::new()));
        let files: Vec<_> = manifest.files.iter().map(|file| (&*file.name, file.pending.is_some())).collect();
        assert_eq!(files, [("ab", false), ("c", true)]);
        assert!(manifest.ledger.has("app", time(2000)) && !manifest.ledger.has("app", time(2001)));
        assert!(manifest.condemned.is_empty() && manifest.number == 3);
        let read: Manifest = serde_json::from_slice(&manifest.to_bytes()).unwrap();
        assert_eq!((read.number, read.files), (3, manifest.files));
    }

    #[test]
    fn what_an_older_release_wrote_is_read_and_the_format_of_the_files_is_noted_from_then_on() {
        let event = r#"{"format":1,"batch":["app",2000],"added":[{"name":"b","pending":"p","records":1,"bytes":2}],"removed":[]}"#;
        let snapshot = r#"{"format":1,"number":1,"ledger":{"format":1,"rows":[{"application":"app","newest_ms":1000}]},
            "files":[{"name":"a","pending":null,"records":1,"bytes":2}],"condemned":[]}"#;
        let mut manifest: Manifest = serde_json::from_str(snapshot).unwrap();
        manifest.apply(&serde_json::from_str(event).unwrap());
        assert_eq!((manifest.number, manifest.files.len(), &manifest.data_format), (2, 2, &None));
        let noted = Event { data_format: Some("CSV".into()), ..Event::new(None, Vec::new(), Vec::new()) };
        manifest.apply(&noted);
        manifest.apply(&Event::new(None, Vec::new(), Vec::new()));
        assert_eq!(manifest.data_format.as_deref(), Some("CSV"));
    }
}
