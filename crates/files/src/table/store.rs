//! [`Store`]: the files of one output in a table, and the order in which a commit makes them so. Knows nothing of records.
//!
//! A commit is: files to `pending`, durable; the event, durable, by which it counts; files to their names; what the event
//! has taken out is removed. A process that ends behind the event leaves the rest to the next one, which does it first.

mod opening;

use super::manifest::{EVENTS_BETWEEN, Event, FileEntry, Manifest, Numbered, event_path, snapshot_path};
use super::part_names::PartNames;
use super::prepared_files::{PreparedFiles, WrittenFile};
use crate::sink::disk::Disk;
use crate::sink::staging::{Run, Staging};
use headwater_core::sink::SinkBatch;
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::collections::HashSet;

/// What is known from the start on.
pub(crate) struct Store {
    folder: String,
    data_format: String,
    names: PartNames,
    pub(crate) staging: Staging,
    run: Run,
    pub(crate) manifest: Manifest,
    /// Whether all that the newest event says is done.
    is_settled: bool,
    newest_snapshot: u64,
    /// Files of the manifest that somebody has removed, as far as that was told. Forgotten with the process.
    pub(crate) missing: HashSet<String>,
}

impl Store {
    /// The newest committed batch of an application.
    pub(crate) fn newest(&self, application: &str) -> Option<Time> {
        self.manifest.ledger.newest(application)
    }
    /// What the tasks of a batch have left.
    pub(crate) fn abandon(&self, disk: Disk<'_>, time: Time) -> Result<()> {
        self.staging.abandon(disk, &self.run, time)
    }
    /// Why a step has failed.
    pub(crate) fn cause(&self, disk: Disk<'_>, error: Error) -> Error {
        self.staging.cause(disk, &self.run, error)
    }
    /// Adds the files of a batch, unless they are there.
    pub(crate) fn commit(&mut self, disk: Disk<'_>, batch: &SinkBatch<'_>, parts: &[PreparedFiles]) -> Result<()> {
        let application = batch.output.application;
        let committed = self.settle(disk).and_then(|()| {
            if self.manifest.ledger.has(application, batch.time) {
                return Ok(());
            }
            let added = self.move_to_pending(disk, batch.time, parts)?;
            self.append(disk, Event::new(Some((application, batch.time)), added, Vec::new()))?;
            self.settle(disk)
        });
        committed.map_err(|error| self.cause(disk, error))
    }
    /// Puts the files of a folder below `pending` in the place of others.
    pub(crate) fn replace(&mut self, disk: Disk<'_>, merged: &PreparedFiles, removed: Vec<String>) -> Result<()> {
        let name = merged.folder.rsplit('/').next().unwrap_or_default();
        let files = merged.files.iter().map(|file| (format!("pending/{name}/{}", file.name), file)).collect();
        let replaced = disk.sync_folder(&pending_folder(&self.staging)).and_then(|()| {
            let added = self.entries(disk, files, self.batches_of(&removed))?;
            self.append(disk, Event::new(None, added, removed))?;
            self.settle(disk)
        });
        replaced.map_err(|error| self.cause(disk, error))
    }
    /// A new folder for merged files.
    pub(crate) fn merge_folder(&self, disk: Disk<'_>) -> Result<String> {
        disk.create_unique_folder(&pending_folder(&self.staging))
    }
    /// Where a file of the manifest is to be seen.
    pub(crate) fn path(&self, name: &str) -> String {
        self.names.path(name)
    }

    fn move_to_pending(&mut self, disk: Disk<'_>, time: Time, parts: &[PreparedFiles]) -> Result<Vec<FileEntry>> {
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
        self.entries(disk, files, Some((time.milliseconds(), time.milliseconds())))
    }
    /// The entries of the next event's files, with names that nothing else has or had.
    fn entries(
        &mut self,
        disk: Disk<'_>,
        files: Vec<(String, &WrittenFile)>,
        batches: Option<(i64, i64)>,
    ) -> Result<Vec<FileEntry>> {
        let names = self.names.free(disk, self.manifest.number + 1, files.len())?;
        let entry = |(name, (pending, file)): (String, (String, &WrittenFile))| FileEntry {
            name,
            pending: Some(pending),
            records: file.records,
            bytes: file.bytes,
            batches,
        };
        Ok(names.into_iter().zip(files).map(entry).collect())
    }
    /// The first and the last batch of files of the manifest, if it is known of each.
    fn batches_of(&self, names: &[String]) -> Option<(i64, i64)> {
        let files = self.manifest.files.iter().filter(|file| names.contains(&file.name));
        let batches: Vec<(i64, i64)> = files.map(|file| file.batches).collect::<Option<_>>()?;
        let first = batches.iter().map(|(first, _)| *first).min()?;
        Some((first, batches.iter().map(|(_, last)| *last).max()?))
    }
    /// From here on it counts.
    fn append(&mut self, disk: Disk<'_>, mut event: Event) -> Result<()> {
        let is_known = self.manifest.data_format.as_ref() == Some(&self.data_format);
        event.data_format = (!is_known).then(|| self.data_format.clone());
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
            self.names.give(disk, &format!("{}/{pending}", self.staging.path), &file.name)?;
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
