//! How a [`Store`] is opened at the start: what cannot go on is told before anything is made or thrown away, then the output is
//! taken over, and what an earlier process has begun is ended.

use super::{Store, manifest_folder, pending_folder};
use crate::sink::disk::Disk;
use crate::sink::staging::Staging;
use crate::table::manifest::{Event, Manifest, Numbered};
use crate::table::place::Place;
use headwater_core::Result;
use headwater_core::sink::SinkOutput;
use std::collections::HashSet;

impl Store {
    /// Takes the output over and ends what an earlier process has begun.
    pub(crate) fn open(place: &Place<'_>, staging: Staging, output: &SinkOutput<'_>) -> Result<Store> {
        let (disk, folder) = (Disk(&*output.env.files), manifest_folder(&staging));
        // A manifest only grows, so this is known before the door; and nothing may be made where it is lost, nor may what
        // waits in `pending` be thrown away.
        place.check(disk, &staging, output)?;
        let run = staging.take_over(disk)?;
        let read = || {
            [&folder, &pending_folder(&staging)].into_iter().try_for_each(|path| disk.create_folder_durably(path))?;
            let newest_snapshot = Numbered::list(disk, &folder)?.snapshots.pop().unwrap_or(0);
            let manifest = Manifest::read(disk, &folder)?;
            // Another process may have begun it since.
            place.check_format(&manifest, output)?;
            let names = place.names(disk, &staging, manifest.number)?;
            Ok((newest_snapshot, manifest, names))
        };
        let (newest_snapshot, manifest, names) = read().map_err(|error| staging.cause(disk, &run, error))?;
        let mut store = Store {
            folder: place.folder.to_owned(),
            data_format: place.data_format.to_owned(),
            names,
            staging,
            run,
            manifest,
            is_settled: false,
            newest_snapshot,
            missing: HashSet::new(),
        };
        store.begin(disk, output).map_err(|error| store.cause(disk, error))?;
        Ok(store)
    }
    /// Ends what an earlier process has begun.
    fn begin(&mut self, disk: Disk<'_>, output: &SinkOutput<'_>) -> Result<()> {
        self.settle(disk)?;
        // What was on its way and does not count.
        let pending = pending_folder(&self.staging);
        for left in disk.list(&pending)? {
            self.staging.discard(disk, &format!("{pending}/{}", left.name))?;
        }
        self.accept_loss(disk, output)?;
        if let Some(unlisted) = self.manifest.unlisted(&self.names.list(disk)?) {
            let manifest = manifest_folder(&self.staging);
            let seen = "whoever lists the folder sees them, and `TableReader` does not";
            output.env.console.warn(&format!("the manifest {manifest} may be an older one: {unlisted}; {seen}"));
        }
        Ok(())
    }
    /// Notes the newest batch that the journal knows, where it is accepted that the manifest has lost it.
    fn accept_loss(&mut self, disk: Disk<'_>, output: &SinkOutput<'_>) -> Result<()> {
        let Some(committed) = self.manifest.ledger.lost(output) else { return Ok(()) };
        self.append(disk, Event::new(Some((output.application, committed)), Vec::new(), Vec::new()))?;
        self.settle(disk)
    }
}
