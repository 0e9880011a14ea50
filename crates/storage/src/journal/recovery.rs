//! From the files of a journal to its state.

use super::files::JournalFiles;
use super::snapshot::{self, Snapshot};
use super::{JournalEvent, JournalOptions, JournalState};
use crate::format;
use crate::log::{self, LogOptions, LogReader, TornTail, fenced};
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use std::sync::Arc;

/// How often reading begins anew because the process before this one still writes.
const TRIES_MAX: usize = 16;

/// What a recovery found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalRecovery {
    /// How many events were applied to the snapshot, or to the initial state.
    pub events: u64,
    /// The segment that the snapshot stands before; `None` if there is none.
    pub snapshot: Option<u64>,
    /// What the crash of the process before left at the end of the log.
    pub torn: Option<TornTail>,
    /// Snapshots that could not be used, each as a sentence.
    pub damaged_snapshots: Vec<String>,
}

impl JournalRecovery {
    /// What a person should hear of, a sentence each; usually nothing.
    ///
    /// ```
    /// assert!(headwater_storage::JournalRecovery::default().warnings().is_empty());
    /// ```
    pub fn warnings(&self) -> Vec<String> {
        self.damaged_snapshots.iter().cloned().chain(self.torn.as_ref().map(TornTail::to_string)).collect()
    }
}

pub(super) fn recover<S: JournalState>(
    storage: &Arc<dyn Storage>,
    folder: &str,
    options: &JournalOptions,
    epoch: u64,
    initial: &impl Fn() -> S,
) -> Result<(S, JournalFiles, JournalRecovery)> {
    format::check_name(&options.application)?;
    let context = |error: Error| error.within(format!("cannot recover the journal {folder}"));
    for _ in 0..TRIES_MAX {
        let start = Start::find(storage, folder, options, epoch).map_err(context)?;
        if let Some(recovered) = replay(storage, folder, options, epoch, initial, start).map_err(context)? {
            return Ok(recovered);
        }
    }
    let message = format!("cannot take over the journal {folder}: another process writes to it all the time");
    Err(Error::new(ErrorKind::Outside, message))
}

/// Where reading the log begins.
struct Start {
    snapshot: Option<Snapshot>,
    /// The newest good one before it.
    older: Option<u64>,
    damaged: Vec<String>,
}

impl Start {
    fn find(storage: &Arc<dyn Storage>, folder: &str, options: &JournalOptions, epoch: u64) -> Result<Start> {
        let mut start = Start { snapshot: None, older: None, damaged: Vec::new() };
        for number in snapshot::snapshots(&**storage, folder)?.into_iter().rev() {
            let path = || snapshot::path_of(folder, number);
            match Snapshot::read(&**storage, folder, number)? {
                Err(damage) => start.damaged.push(damage),
                Ok(found) if found.application != options.application => {
                    return Err(format::other_application(&path(), &found.application, &options.application));
                }
                Ok(found) if found.epoch > epoch => return Err(fenced(&path(), found.epoch, epoch)),
                Ok(found) if start.snapshot.is_none() => start.snapshot = Some(found),
                Ok(found) => {
                    start.older = Some(found.segment);
                    break;
                }
            }
        }
        Ok(start)
    }
}

/// As far as the journal was written by now, without taking it over: another process may go on with it meanwhile. With
/// the name of the application; `None` where there is no journal.
pub(super) fn look<S: JournalState>(
    storage: &Arc<dyn Storage>,
    folder: &str,
    initial: &impl Fn() -> S,
) -> Result<Option<(String, S, JournalRecovery)>> {
    let context = |error: Error| error.within(format!("cannot read the journal {folder}"));
    let Some(application) = application(storage, folder)? else { return Ok(None) };
    let options = JournalOptions::new(&application);
    let mut tries = 0;
    loop {
        tries += 1;
        let start = Start::find(storage, folder, &options, u64::MAX).map_err(context)?;
        match read(storage, folder, &options, u64::MAX, initial, &start) {
            Ok((state, _, recovery)) => return Ok(Some((application, state, recovery))),
            // The process that writes it may have removed what was about to be read.
            Err(error) if tries == TRIES_MAX => return Err(context(error)),
            Err(_) => {}
        }
    }
}

/// The name of the application whose journal is in the folder.
pub(super) fn application(storage: &Arc<dyn Storage>, folder: &str) -> Result<Option<String>> {
    for number in snapshot::snapshots(&**storage, folder)? {
        if let Ok(found) = Snapshot::read(&**storage, folder, number)? {
            return Ok(Some(found.application));
        }
    }
    log::application_of(&**storage, folder)
}

/// Applies the log to the snapshot.
fn read<S: JournalState>(
    storage: &Arc<dyn Storage>,
    folder: &str,
    options: &JournalOptions,
    epoch: u64,
    initial: &impl Fn() -> S,
    start: &Start,
) -> Result<(S, LogReader, JournalRecovery)> {
    let Start { snapshot, damaged, .. } = start;
    let first = snapshot.as_ref().map(|snapshot| snapshot.segment);
    let mut state = match snapshot {
        Some(snapshot) => S::restore(&snapshot.state)
            .map_err(|error| error.within(format!("the snapshot {}", snapshot::path_of(folder, snapshot.segment))))?,
        None => initial(),
    };
    let log = LogOptions::new(&options.application, epoch).segment_bytes(options.segment_bytes);
    let opened = LogReader::open(Arc::clone(storage), folder, log.first(first.unwrap_or(1)));
    // Without a snapshot the whole log must be there.
    let mut reader = opened.map_err(|error| damaged.iter().fold(error, |error, damage| error.within(damage)))?;
    if let Some(lost) = first.or((!damaged.is_empty()).then_some(1)).filter(|_| reader.newest() == 0) {
        let all = damaged.iter().map(|damage| format!("{damage}; ")).collect::<String>();
        let message = format!(
            "{all}the log from segment {lost} on is missing; was the folder copied in part? Restore it from a copy"
        );
        return Err(Error::new(ErrorKind::Data, message));
    }
    while let Some((position, event)) = reader.next()? {
        let event = S::Event::decode(&event).map_err(|error| {
            error.within(format!("the event at byte {} of segment {}", position.offset, position.segment))
        })?;
        state.apply(&event);
    }
    let (events, torn) = (reader.records(), reader.torn().cloned());
    let recovery = JournalRecovery { events, snapshot: first, torn, damaged_snapshots: damaged.clone() };
    Ok((state, reader, recovery))
}

/// Applies the log to the snapshot and goes on behind it. `None` if another process wrote behind what was read.
fn replay<S: JournalState>(
    storage: &Arc<dyn Storage>,
    folder: &str,
    options: &JournalOptions,
    epoch: u64,
    initial: &impl Fn() -> S,
    start: Start,
) -> Result<Option<(S, JournalFiles, JournalRecovery)>> {
    let (state, reader, recovery) = read(storage, folder, options, epoch, initial, &start)?;
    let log_bytes = reader.bytes();
    let Some(log) = reader.write()? else { return Ok(None) };
    let Start { snapshot, older, .. } = start;
    let first = recovery.snapshot;
    let snapshot_bytes = snapshot.map_or(0, |snapshot| snapshot.state.len() as u64);
    let files = JournalFiles {
        storage: Arc::clone(storage),
        folder: folder.to_owned(),
        options: options.clone(),
        epoch,
        log,
        good: older.into_iter().chain(first).collect(),
        snapshot_bytes,
        log_bytes,
        lacks_one: !recovery.damaged_snapshots.is_empty(),
    };
    Ok(Some((state, files, recovery)))
}
