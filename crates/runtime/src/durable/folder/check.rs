//! [`CheckpointCheck`]: whether all files of a checkpoint folder are as they were written, and how large its parts are.

use super::super::dead_letters::log_of;
use super::super::driver_state::DriverState;
use super::super::open::file_name;
use super::super::state_logs::read_log;
use super::{CheckpointFolder, TRIES_MAX};
use headwater_core::env::Storage;
use headwater_core::{ErrorKind, Result};
use headwater_storage::{FileCheck, FileCondition, FolderCheck, JournalRecovery, check_journal, check_log};
use std::sync::Arc;

/// What the files of a checkpoint folder are like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointCheck {
    /// Those parts that have files.
    pub parts: Vec<CheckedPart>,
    /// Why the journal could not be read. Which snapshots and received blocks there are is not known then, and they were
    /// not read.
    pub unread: Option<String>,
}

/// A log, a journal or a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckedPart {
    /// Where it is in the checkpoint folder.
    pub part: String,
    /// What its files are like.
    pub check: FolderCheck,
}

/// How much room a part takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartSize {
    /// Where it is in the checkpoint folder.
    pub part: String,
    /// How many files it has.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: u64,
}

impl CheckpointCheck {
    /// Whether nothing is damaged.
    pub fn is_good(&self) -> bool {
        self.unread.is_none() && self.parts.iter().all(|part| part.check.damaged().next().is_none())
    }
}

impl CheckpointFolder {
    /// Reads every checksum in the folder at `path`: of the journal and its snapshots, the logs and snapshots of states, and
    /// what receivers received. Errors as those of [`look`](CheckpointFolder::look), but for damage.
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let ssc = StreamingContext::with_env(Conf::new().master("local[1]").checkpoint_dir("run"), seconds(1), env.env())?;
    /// ssc.rate_stream(10, 1, |n| n).print();
    /// ssc.start()?.stop()?;
    /// let check = CheckpointFolder::check(env.storage.clone(), "run")?;
    /// assert!(check.is_good() && check.parts[0].part == "journal");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn check(storage: Arc<dyn Storage>, path: &str) -> Result<CheckpointCheck> {
        match CheckpointFolder::look(storage.clone(), path) {
            Ok(mut folder) => {
                let mut check = folder.check_all()?;
                for _ in 0..TRIES_MAX {
                    // A process that runs there may have removed what was missing.
                    match CheckpointFolder::look(storage.clone(), path) {
                        Ok(now) if !check.is_good() && now.state != folder.state => folder = now,
                        _ => break,
                    }
                    check = folder.check_all()?;
                }
                Ok(check)
            }
            Err(error) if error.kind() == ErrorKind::Data => {
                let path = path.trim_end_matches('/').to_owned();
                let (application, state, recovery) =
                    (String::new(), DriverState::default(), JournalRecovery::default());
                let folder = CheckpointFolder { storage, path, application, state, recovery };
                Ok(CheckpointCheck { parts: folder.check_parts()?, unread: Some(error.to_string()) })
            }
            Err(error) => Err(error),
        }
    }
    fn check_all(&self) -> Result<CheckpointCheck> {
        Ok(CheckpointCheck { parts: self.check_parts()?, unread: None })
    }
    fn check_parts(&self) -> Result<Vec<CheckedPart>> {
        let mut parts = Vec::new();
        let mut add = |part: String, check: FolderCheck| {
            if !check.files.is_empty() {
                parts.push(CheckedPart { part, check });
            }
        };
        let (storage, path) = (&*self.storage, &self.path);
        add("journal".to_owned(), check_journal(storage, &format!("{path}/journal"))?);
        let DriverState { first_changes, first_windows, .. } = self.state;
        let logs = [("state/changes", first_changes), ("state/windows", first_windows)];
        for (at, (name, first)) in logs.into_iter().enumerate() {
            let folder = format!("{path}/{name}");
            let mut check = check_log(storage, &folder, first.max(1))?;
            if check.damaged().next().is_none()
                && let Some(what) = self.lacks(at, first)?
            {
                let condition = FileCondition::Damaged { offset: 0, what };
                check.files.push(FileCheck { path: folder, bytes: 0, records: 0, condition });
            }
            add(name.to_owned(), check);
        }
        let letters = log_of(path);
        let mut check = check_log(storage, &letters, self.state.letters.first.max(1))?;
        if check.damaged().next().is_none()
            && let Some(what) = self.lacks_letters()?
        {
            let condition = FileCondition::Damaged { offset: 0, what };
            check.files.push(FileCheck { path: letters, bytes: 0, records: 0, condition });
        }
        add(LETTERS.to_owned(), check);
        for snapshot in &self.state.snapshots {
            let folder = self.snapshot_folder().of(snapshot.number);
            let mut check = check_log(storage, &folder, 0)?;
            if check.damaged().next().is_none() && check.records() != snapshot.records {
                let what = format!("it has {} of {} records", check.records(), snapshot.records);
                let condition = FileCondition::Damaged { offset: 0, what };
                check.files.push(FileCheck { path: folder, bytes: 0, records: 0, condition });
            }
            add(snapshot_part(snapshot.number), check);
        }
        for part in self.received() {
            let check = check_log(storage, &format!("{path}/{part}"), 0)?;
            add(part, check);
        }
        Ok(parts)
    }

    /// What log `at` of states lacks of what was committed, if anything.
    fn lacks(&self, at: usize, first: u64) -> Result<Option<String>> {
        let (folder, of) = (format!("{}/state", self.path), (self.application.as_str(), u64::MAX, first));
        // Without a journal nobody knows.
        let Some(wanted) = self.state.log_ends[at] else { return Ok(None) };
        match read_log(&self.storage, &folder, of, (at, Some(wanted)), &mut |_, _, _| Ok(())) {
            Err(error) if error.kind() == ErrorKind::Data => Ok(Some(error.to_string())),
            read => read.map(|_| None),
        }
    }

    /// What the log of dead letters lacks of what was committed, if anything.
    fn lacks_letters(&self) -> Result<Option<String>> {
        match self.each_piece(&mut |_| Ok(())) {
            Err(error) if error.kind() == ErrorKind::Data => Ok(Some(error.to_string())),
            read => read.map(|()| None),
        }
    }

    /// How much room each part takes; parts without files are left out.
    ///
    /// ```
    /// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
    /// let env = TestEnv::in_memory();
    /// let ssc = StreamingContext::with_env(Conf::new().master("local[1]").checkpoint_dir("run"), seconds(1), env.env())?;
    /// ssc.rate_stream(10, 1, |n| n).print();
    /// ssc.start()?.stop()?;
    /// let sizes = CheckpointFolder::look(env.storage.clone(), "run")?.sizes()?;
    /// let parts: Vec<_> = sizes.iter().map(|size| size.part.as_str()).collect();
    /// assert_eq!(parts, ["fence", "journal"]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn sizes(&self) -> Result<Vec<PartSize>> {
        let numbers = self.state.snapshots.iter().map(|snapshot| snapshot.number).chain(self.state.begun);
        let fixed = ["fence", "journal", "state/changes", "state/windows", LETTERS].map(str::to_owned);
        let mut sizes = Vec::new();
        for part in fixed.into_iter().chain(numbers.map(snapshot_part)).chain(self.received()) {
            let files = self.storage.list(&format!("{}/{part}", self.path))?;
            if !files.is_empty() {
                sizes.push(PartSize { part, files: files.len(), bytes: files.iter().map(|file| file.bytes).sum() });
            }
        }
        Ok(sizes)
    }
    /// Where receivers keep what they received.
    fn received(&self) -> impl Iterator<Item = String> {
        let inputs = self.state.operators.iter().filter(|of| of.state.is_none());
        inputs.map(|of| format!("received/{}", file_name(&of.id)))
    }
}

/// Where dead letters are.
const LETTERS: &str = "dead-letters/log";

fn snapshot_part(number: u64) -> String {
    format!("state/snapshots/{number:020}")
}
