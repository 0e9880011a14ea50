//! [`CheckpointCut`]: how the next process can go on with a folder whose journal, or a log of states, is damaged in the
//! middle: from the newest batch up to which all of them read. What came behind it is lost to the program, and stays in a
//! folder of its own.

use super::super::driver_state::DriverState;
use super::super::state_logs::LOGS;
use super::{CheckpointFolder, no_checkpoint};
use headwater_core::env::{Storage, StorageLock};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::{
    Fence, JournalPoint, JournalRecovery, LogDamage, LogOptions, LogReader, copy_log, cut_journal, cut_log,
    find_journal_point,
};
use std::error::Error as _;
use std::sync::Arc;

/// What a cut does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointCut {
    /// The newest batch that is done as far as what stays says; none where that is none.
    pub newest: Option<Time>,
    /// The newest batch that the readable part of the journal calls done: later than `newest` where a log of states has lost
    /// what it changed.
    pub known: Option<Time>,
    /// The parts of the folder that are cut.
    pub parts: Vec<CutPart>,
    /// The folder, in the checkpoint folder, that what stands behind is moved to.
    pub aside: String,
}

/// A log that is cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CutPart {
    /// Where it is in the checkpoint folder.
    pub part: String,
    /// The segment that is cut; those behind it are moved as a whole.
    pub segment: u64,
    /// Where it ends from then on.
    pub offset: u64,
}

/// How far a log of states is good.
struct GoodPart {
    /// Where its newest record begins that reads.
    end: Option<(u64, u64)>,
    /// Where it is to be cut, if it is damaged behind that.
    cut: Option<(u64, u64)>,
    /// Whether not even its first segment is good.
    is_lost: bool,
}

impl CheckpointFolder {
    /// What has to be cut so that a program can start in the folder at `path`; none where nothing is damaged that a cut mends.
    /// Changes nothing. Errors: of the kind `Data` if there is no good point, or if the states as of it cannot be read any
    /// more; else those of [`look`](CheckpointFolder::look).
    pub fn find_cut(storage: &Arc<dyn Storage>, path: &str) -> Result<Option<CheckpointCut>> {
        let path = path.trim_end_matches('/');
        let journal = format!("{path}/journal");
        if storage.list(&journal)?.is_empty() {
            return Err(no_checkpoint(path));
        }
        let find = |fits: &dyn Fn(&DriverState) -> bool| -> Result<Option<JournalPoint<DriverState>>> {
            find_journal_point(storage, &journal, DriverState::default, fits)
        };
        // Before the first process has begun there is nothing to go on with.
        let has_begun = |point: &JournalPoint<DriverState>| point.state.grid.is_some();
        let newest = find(&|_| true)?.filter(has_begun).ok_or_else(|| lost(path, "nothing in its journal is good"))?;
        let all = CheckpointFolder::at_point(storage, path, &newest);
        let logs = [all.good_part(0)?, all.good_part(1)?];
        let point = find(&|state| (0..LOGS.len()).all(|at| state.reaches(at, logs[at].end)))?;
        let point = point
            .filter(has_begun)
            .ok_or_else(|| lost(path, "a log of states is damaged before all that the journal still has"))?;
        let journal_cut = point.cut.map(|cut| ("journal".to_owned(), cut));
        let logs_cut = LOGS.iter().zip(&logs).filter_map(|((_, name), log)| Some((format!("state/{name}"), log.cut?)));
        let parts = journal_cut.into_iter().chain(logs_cut);
        let parts: Vec<CutPart> = parts.map(|(part, (segment, offset))| CutPart { part, segment, offset }).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        CheckpointFolder::at_point(storage, path, &point).check_states()?;
        let (newest, known) = (point.state.newest_done(), newest.state.newest_done());
        Ok(Some(CheckpointCut { newest, known, parts, aside: unused(storage, path)? }))
    }
    /// Carries out what [`find_cut`](CheckpointFolder::find_cut) finds. Nothing is deleted: what is changed or removed is
    /// copied to `aside` first. An error of the kind `Fenced` if a process runs in the folder; on a store without locks that
    /// process commits nothing from here on.
    pub fn cut(storage: &Arc<dyn Storage>, path: &str) -> Result<Option<CheckpointCut>> {
        let path = path.trim_end_matches('/');
        if CheckpointFolder::find_cut(storage, path)?.is_none() {
            return Ok(None);
        }
        let lock = storage.lock(&format!("{path}/lock"))?;
        if matches!(lock, StorageLock::Taken) {
            let message = format!("a process runs in the checkpoint folder {path}: stop it before the folder is cut");
            return Err(Error::new(ErrorKind::Fenced, message));
        }
        Fence::take(storage.clone(), &format!("{path}/fence"), "a cut of the damaged folder")?;
        let Some(cut) = CheckpointFolder::find_cut(storage, path)? else { return Ok(None) };
        for CutPart { part, segment, offset } in &cut.parts {
            let (folder, aside) = (format!("{path}/{part}"), format!("{path}/{}/{part}", cut.aside));
            if part == "journal" {
                cut_journal(&**storage, &folder, (*segment, *offset), &aside)?;
            } else {
                copy_log(&**storage, &folder, *segment, &aside)?;
                cut_log(&**storage, &folder, *segment, *offset)?;
            }
        }
        Ok(Some(cut))
    }

    fn at_point(storage: &Arc<dyn Storage>, path: &str, point: &JournalPoint<DriverState>) -> CheckpointFolder {
        let (application, state) = (point.application.clone(), point.state.clone());
        let (storage, path, recovery) = (storage.clone(), path.to_owned(), JournalRecovery::default());
        CheckpointFolder { storage, path, application, state, recovery }
    }
    /// How far log `at` of states reads.
    fn good_part(&self, at: usize) -> Result<GoodPart> {
        let (folder, first) = (format!("{}/state/{}", self.path, LOGS[at].1), self.state.first_segments()[at]);
        let options = LogOptions::new(&self.application, u64::MAX).first(first.max(1));
        let mut end = None;
        let read = LogReader::open(self.storage.clone(), &folder, options).and_then(|mut reader| {
            while let Some((position, _)) = reader.next()? {
                end = Some((position.segment, position.offset));
            }
            Ok(())
        });
        match read {
            Ok(()) => Ok(GoodPart { end, cut: None, is_lost: false }),
            Err(error) if error.kind() == ErrorKind::Data => {
                let damage = error.source().and_then(|source| source.downcast_ref::<LogDamage>());
                let cut = damage.and_then(|damage| damage.good);
                Ok(GoodPart { end, cut, is_lost: cut.is_none() })
            }
            Err(error) => Err(error),
        }
    }
    /// That the states can be read as of this point of the journal: what was removed since may be part of them.
    fn check_states(&self) -> Result<()> {
        for (at, (_, name)) in LOGS.iter().enumerate() {
            let log = self.good_part(at)?;
            if log.is_lost || !self.state.reaches(at, log.end) {
                return Err(lost(&self.path, &format!("the log {name} of states does not reach back far enough")));
            }
        }
        let snapshots = self.snapshot_folder();
        let is_whole = |snapshot| snapshots.read(snapshot, |_| Ok(())).is_ok();
        if self.state.first_changes > 1 && !self.state.snapshots.iter().any(is_whole) {
            return Err(lost(&self.path, "no snapshot of the states is whole that is old enough"));
        }
        Ok(())
    }
}

impl DriverState {
    fn first_segments(&self) -> [u64; 2] {
        [self.first_changes, self.first_windows]
    }
    /// Whether log `at` of states, whose newest record begins at `end`, has all that was committed.
    fn reaches(&self, at: usize, end: Option<(u64, u64)>) -> bool {
        self.log_ends[at].is_none_or(|wanted| wanted.0 < self.first_segments()[at] || end >= Some(wanted))
    }
    fn newest_done(&self) -> Option<Time> {
        self.grid.filter(|grid| grid.committed > grid.zero).map(|grid| grid.committed.into())
    }
}

fn lost(path: &str, why: &str) -> Error {
    let message = format!(
        "the checkpoint folder {path} cannot go on behind a cut: {why}; restore it from a copy, or give the program an empty \
         folder to begin anew"
    );
    Error::new(ErrorKind::Data, message)
}

/// The first of `cut-1`, `cut-2`, ... that has no files.
fn unused(storage: &Arc<dyn Storage>, path: &str) -> Result<String> {
    let mut number = 1;
    loop {
        let name = format!("cut-{number}");
        let parts = ["journal", "state/changes", "state/windows"];
        let mut is_used = false;
        for part in parts {
            is_used |= !storage.list(&format!("{path}/{name}/{part}"))?.is_empty();
        }
        if !is_used {
            return Ok(name);
        }
        number += 1;
    }
}
