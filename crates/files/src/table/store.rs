//! [`Store`]: the files of one output in a table, and the order in which a commit makes them so. Knows nothing of records.
//!
//! A commit is: files to `pending`, durable; the event, durable, by which it counts; files to their names; what the event
//! has taken out is removed. A process that ends behind the event leaves the rest to the next one, which does it first.

use super::manifest::{EVENTS_BETWEEN, Event, FileEntry, Manifest, Numbered, event_path, snapshot_path};
use crate::sink::disk::Disk;
use crate::sink::staging::{Run, Staging};
use headwater_core::sink::SinkBatch;
use headwater_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What a task says of the files that it has written, on its way to the driver.
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

/// What is known from the start on.
pub(crate) struct Store {
    folder: String,
    suffix: String,
    pub(crate) staging: Staging,
    run: Run,
    pub(crate) manifest: Manifest,
    /// Whether all that the newest event says is done.
    is_settled: bool,
    newest_snapshot: u64,
}

impl Store {
    /// Takes the output over and ends what an earlier process has begun.
    pub(crate) fn open(disk: Disk<'_>, folder: &str, suffix: &str, staging: Staging) -> Result<Store> {
        let run = staging.take_over(disk)?;
        [manifest_folder(&staging), pending_folder(&staging)]
            .iter()
            .try_for_each(|path| disk.create_folder_durably(path))?;
        let newest_snapshot = Numbered::list(disk, &manifest_folder(&staging))?.snapshots.pop().unwrap_or(0);
        let manifest = Manifest::read(disk, &manifest_folder(&staging))?;
        let (folder, suffix) = (folder.to_owned(), suffix.to_owned());
        let mut store = Store { folder, suffix, staging, run, manifest, is_settled: false, newest_snapshot };
        store.settle(disk)?;
        // What was on its way and does not count.
        for left in disk.list(&pending_folder(&store.staging))? {
            store.staging.discard(disk, &format!("{}/{}", pending_folder(&store.staging), left.name))?;
        }
        Ok(store)
    }
    /// Adds the files of a batch, unless they are there.
    pub(crate) fn commit(&mut self, disk: Disk<'_>, batch: &SinkBatch<'_>, parts: &[PreparedFiles]) -> Result<()> {
        let application = batch.output.application;
        let committed = self.settle(disk).and_then(|()| {
            if self.manifest.ledger.has(application, batch.time) {
                return Ok(());
            }
            let added = self.move_to_pending(disk, parts)?;
            self.append(disk, Event::new(Some((application, batch.time)), added, Vec::new()))?;
            self.settle(disk)
        });
        committed.map_err(|error| self.staging.cause(disk, &self.run, error))
    }
    /// Puts the files of a folder below `pending` in the place of others.
    pub(crate) fn replace(&mut self, disk: Disk<'_>, merged: &PreparedFiles, removed: Vec<String>) -> Result<()> {
        let name = merged.folder.rsplit('/').next().unwrap_or_default();
        let added = self.entries(merged.files.iter().map(|file| (format!("pending/{name}/{}", file.name), file)));
        let replaced = disk.sync_folder(&pending_folder(&self.staging)).and_then(|()| {
            self.append(disk, Event::new(None, added, removed))?;
            self.settle(disk)
        });
        replaced.map_err(|error| self.staging.cause(disk, &self.run, error))
    }
    /// A new folder for merged files.
    pub(crate) fn merge_folder(&self, disk: Disk<'_>) -> Result<String> {
        disk.create_unique_folder(&pending_folder(&self.staging))
    }
    /// Where a file of the manifest is to be seen.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    fn move_to_pending(&self, disk: Disk<'_>, parts: &[PreparedFiles]) -> Result<Vec<FileEntry>> {
        let (pending, number) = (pending_folder(&self.staging), self.manifest.number + 1);
        let mut files = Vec::new();
        for (partition, part) in parts.iter().enumerate().filter(|(_, part)| !part.files.is_empty()) {
            let name = format!("{number}-{partition}-{}", part.folder.rsplit('/').next().unwrap_or_default());
            let to = format!("{pending}/{name}");
            // An earlier call that failed may have moved it.
            if let Err(error) = disk.rename(&part.folder, &to)
                && !disk.exists(&to)?
            {
                return Err(error);
            }
            files.extend(part.files.iter().map(|file| (format!("pending/{name}/{}", file.name), file)));
        }
        disk.sync_folder(&pending)?;
        Ok(self.entries(files.into_iter()))
    }
    /// The entries of the next event's files, with names that nothing else has or had.
    fn entries<'a>(&self, files: impl Iterator<Item = (String, &'a WrittenFile)>) -> Vec<FileEntry> {
        let (number, key) = (self.manifest.number + 1, self.staging.hash());
        let suffix = if self.suffix.is_empty() { String::new() } else { format!(".{}", self.suffix) };
        let entry = |(at, (pending, file)): (usize, (String, &WrittenFile))| {
            let name = format!("part-{key}-{number:010}-{at:05}{suffix}");
            FileEntry { name, pending: Some(pending), records: file.records, bytes: file.bytes }
        };
        files.enumerate().map(entry).collect()
    }
    /// From here on it counts.
    fn append(&mut self, disk: Disk<'_>, event: Event) -> Result<()> {
        let bytes = serde_json::to_vec(&event).expect("texts and numbers are JSON");
        self.put(disk, &event_path(&manifest_folder(&self.staging), self.manifest.number + 1), &bytes)?;
        self.manifest.apply(&event);
        self.is_settled = false;
        Ok(())
    }
    /// Makes a file by way of the door, so that it is there whole, and by the process that may.
    fn put(&self, disk: Disk<'_>, path: &str, bytes: &[u8]) -> Result<()> {
        let new = format!("{}/new", self.run.path);
        disk.write(&new, bytes)?;
        disk.rename(&new, path)?;
        disk.sync_folder(&manifest_folder(&self.staging))
    }
    /// Does what the newest event says: first files come, then others go.
    fn settle(&mut self, disk: Disk<'_>) -> Result<()> {
        if self.is_settled {
            return Ok(());
        }
        let moving = self.manifest.files.iter().filter_map(|file| Some((file, file.pending.as_ref()?)));
        for (file, pending) in moving {
            let to = self.path(&file.name);
            if let Err(error) = disk.rename(&format!("{}/{pending}", self.staging.path), &to)
                && !disk.exists(&to)?
            {
                return Err(error);
            }
        }
        disk.sync_folder(&self.folder)?;
        if !self.manifest.condemned.is_empty() {
            self.manifest.condemned.iter().try_for_each(|name| disk.remove_file(&self.path(name)))?;
            disk.sync_folder(&self.folder)?;
        }
        self.remove_empty_pending(disk)?;
        if self.manifest.number >= self.newest_snapshot + EVENTS_BETWEEN {
            self.snapshot(disk)?;
        }
        self.is_settled = true;
        Ok(())
    }
    fn remove_empty_pending(&self, disk: Disk<'_>) -> Result<()> {
        let files = self.manifest.files.iter().filter_map(|file| file.pending.as_ref());
        let mut folders: Vec<_> = files.map(|path| crate::sink::disk::parent(path)).collect();
        folders.dedup();
        folders.into_iter().try_for_each(|folder| disk.remove_folder(&format!("{}/{folder}", self.staging.path)))
    }
    fn snapshot(&mut self, disk: Disk<'_>) -> Result<()> {
        let folder = manifest_folder(&self.staging);
        self.put(disk, &snapshot_path(&folder, self.manifest.number), &self.manifest.to_bytes())?;
        self.newest_snapshot = self.manifest.number;
        let Numbered { events, snapshots } = Numbered::list(disk, &folder)?;
        let Some(older) = snapshots.iter().rev().nth(1) else { return Ok(()) };
        let old = snapshots.iter().filter(|number| *number < older).map(|number| snapshot_path(&folder, *number));
        let events = events.iter().filter(|number| *number <= older).map(|number| event_path(&folder, *number));
        old.chain(events).try_for_each(|path| disk.remove_file(&path))
    }
}

pub(crate) fn manifest_folder(staging: &Staging) -> String {
    format!("{}/manifest", staging.path)
}
fn pending_folder(staging: &Staging) -> String {
    format!("{}/pending", staging.path)
}
