//! [`BatchFolders`]: a folder per batch, which is there whole or not at all. Knows nothing of records.

use super::disk::{Disk, parent};
use super::ledger::{Ledger, path_in};
use super::local_path::check_local;
use super::note::Note;
use super::prepared::Prepared;
use super::staging::{Run, Staging};
use headwater_core::dstream::rdd_to_file_name;
use headwater_core::sink::{SinkBatch, SinkOutput};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The folders `prefix-<ms>[.suffix]`, and who may make them.
pub(crate) struct BatchFolders {
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    pub(crate) skips_empty: bool,
    pub(crate) accepts_lost_ledger: bool,
    /// Known on the driver, from the start on.
    entered: Mutex<Option<Entered>>,
}
struct Entered {
    run: Run,
    ledger: Ledger,
}

impl BatchFolders {
    pub(crate) fn new(prefix: String) -> BatchFolders {
        BatchFolders {
            prefix,
            suffix: String::new(),
            skips_empty: false,
            accepts_lost_ledger: false,
            entered: Mutex::new(None),
        }
    }
    /// Where tasks write, and what else is not to be seen.
    pub(crate) fn staging(&self, operator: &str) -> Staging {
        let name = match self.prefix.rsplit_once('/') {
            Some((_, name)) => name,
            None => &self.prefix,
        };
        let name = if self.suffix.is_empty() { name.to_owned() } else { format!("{name}.{}", self.suffix) };
        Staging::new(self.parent(), &name, operator)
    }
    fn folder(&self, time: Time) -> String {
        rdd_to_file_name(&self.prefix, &self.suffix, time)
    }
    /// The folder that all of them lie in.
    fn parent(&self) -> &str {
        parent(&self.prefix)
    }

    pub(crate) fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        check_local("FileSink", &self.prefix)?;
        if self.prefix.is_empty() || self.prefix.ends_with('/') {
            return Err(Error::program(format!(
                "FileSink {:?}: the prefix has no name in it, with which those of the folders begin: write \"{}numbers\" for \
                 folders such as numbers-1000",
                self.prefix, self.prefix
            )));
        }
        if self.prefix.contains('\0') || self.suffix.contains(['\0', '/']) {
            let (prefix, suffix) = (&self.prefix, &self.suffix);
            let message =
                format!("FileSink: {prefix:?} with the suffix {suffix:?}: no NUL bytes, and no / in a suffix");
            return Err(Error::program(message));
        }
        let (disk, staging) = (Disk(&*output.env.files), self.staging(output.operator));
        if !self.accepts_lost_ledger {
            // A ledger only grows, so this is known before the door, and nothing is made where it is lost.
            let what = format!("the ledger {} of the folders {}-*", path_in(&staging.path), self.prefix);
            Ledger::read(disk, &staging)?.check(&what, None, output)?;
        }
        let run = staging.take_over(disk)?;
        // Behind the door, since until then an earlier process may write it.
        let mut ledger = Ledger::read(disk, &staging)?;
        if let Some(committed) = ledger.lost(output) {
            ledger = ledger.with(output.application, committed);
            ledger.write(disk, &staging, &run).map_err(|error| staging.cause(disk, &run, error))?;
        }
        *self.entered() = Some(Entered { run, ledger });
        Ok(())
    }
    pub(crate) fn newest(&self, application: &str) -> Option<Time> {
        self.entered().as_ref()?.ledger.newest(application)
    }
    pub(crate) fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let (disk, parts) = (Disk(&*batch.output.env.files), Prepared::all(parts)?);
        let (staging, application) = (self.staging(batch.output.operator), batch.output.application);
        let mut entered = self.entered();
        let missing = || Error::new(ErrorKind::Internal, "FileSink: a batch is committed before recover was called");
        let Entered { run, ledger } = entered.as_mut().ok_or_else(missing)?;
        let is_skipped = self.skips_empty && parts.iter().all(|part| part.records == 0);
        if !ledger.has(application, batch.time) {
            let noted = ledger.with(application, batch.time);
            // The ledger knows of a skipped batch, too, or it would seem to have lost what the journal knows.
            let made = if is_skipped { Ok(()) } else { self.make_folder(disk, &staging, run, batch, &parts) };
            made.and_then(|()| noted.write(disk, &staging, run)).map_err(|error| staging.cause(disk, run, error))?;
            *ledger = noted;
        }
        // Whatever else was prepared for it, by failed attempts and old processes, is of no use any more.
        let prepared = staging.prepared(batch.time);
        if let Err(error) = disk.remove_folder(&prepared) {
            batch.output.env.console.warn(&format!("{prepared} is left until the next start: {error}"));
        }
        Ok(())
    }
    pub(crate) fn abort(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let disk = Disk(&*batch.output.env.files);
        Prepared::all(parts)?.iter().try_for_each(|part| disk.remove_folder(&part.folder))?;
        match &*self.entered() {
            Some(Entered { run, .. }) => {
                self.staging(batch.output.operator).abandon(disk, run, batch.time)?;
                disk.remove_folder(&staged(run, batch.time))
            }
            None => Ok(()),
        }
    }

    /// Why a task has failed, as far as it is known in its process.
    pub(crate) fn cause(&self, disk: Disk<'_>, operator: &str, error: Error) -> Error {
        match &*self.entered() {
            Some(entered) => self.staging(operator).cause(disk, &entered.run, error),
            None => error,
        }
    }

    /// Makes the folder of a batch visible, unless it is there, and durable.
    fn make_folder(
        &self,
        disk: Disk<'_>,
        staging: &Staging,
        run: &Run,
        batch: &SinkBatch<'_>,
        parts: &[Prepared],
    ) -> Result<()> {
        let (folder, note) = (self.folder(batch.time), Note::new(batch));
        if !note.is_of(disk, &folder)? {
            let staged = staged(run, batch.time);
            stage(disk, staging, &note, batch.time, parts, &staged)?;
            if let Err(error) = disk.rename(&staged, &folder) {
                // Somebody else may have come first, since.
                note.is_of(disk, &folder)?;
                return Err(error);
            }
        }
        disk.sync_folder(self.parent())
    }
    fn entered(&self) -> MutexGuard<'_, Option<Entered>> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a batch's folder is put together, whole and one step from being seen.
fn staged(run: &Run, time: Time) -> String {
    format!("{}/{}", run.path, time.milliseconds())
}

/// Puts the folder of a batch together, in that of its first part, and renames it to `staged`. What an earlier call that
/// failed has done already is not done again.
fn stage(disk: Disk<'_>, staging: &Staging, note: &Note, time: Time, parts: &[Prepared], staged: &str) -> Result<()> {
    let folder = match parts.first() {
        Some(first) if !disk.exists(&first.folder)? && disk.exists(staged)? => return Ok(()),
        Some(first) => first.folder.clone(),
        None => staging.new_attempt(disk, time)?,
    };
    for (partition, part) in parts.iter().enumerate() {
        move_part(disk, &part_path(&part.folder, partition), &part_path(&folder, partition))?;
    }
    note.write(disk, &folder)?;
    disk.write(&format!("{folder}/_SUCCESS"), &[])?;
    disk.sync_folder(&folder)?;
    // That of an earlier try, which was prepared anew since.
    disk.remove_folder(staged)?;
    disk.rename(&folder, staged)
}

/// Moves a part to where it belongs, unless an earlier call did.
fn move_part(disk: Disk<'_>, from: &str, to: &str) -> Result<()> {
    let moved = if from == to { Ok(()) } else { disk.rename(from, to) };
    if disk.exists(to)? {
        return Ok(());
    }
    let gone = || Error::program(format!("{from}, which a task has prepared, was removed while it was in use"));
    Err(moved.err().unwrap_or_else(gone))
}

/// The file of a partition.
pub(crate) fn part_path(folder: &str, partition: usize) -> String {
    format!("{folder}/part-{partition:05}")
}
