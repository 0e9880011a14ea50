//! Looks into a checkpoint folder ([`CheckpointFolder`]) without taking it over: whoever runs there goes on. It takes no lock,
//! and writes nothing but requests for dead letters; but for the cut of a damaged one. The program `headwater` shows it to
//! people and scripts.

mod check;
mod cut;
mod dead_letters;
mod events;
mod keys;
mod overview;
mod states;

pub use check::{CheckedPart, CheckpointCheck, PartSize};
pub use cut::{CheckpointCut, CutPart};
pub use dead_letters::AskedLetters;
pub use events::CheckpointEvent;
pub use headwater_storage::{FileCheck, FileCondition, FolderCheck};
pub use overview::{
    Allocation, BatchGap, BatchTimes, CheckpointOperator, CheckpointOverview, CheckpointProcess, CheckpointSnapshot,
    InputAllocation, OpenBatch,
};
pub use states::{StateSize, StoredItem};

use super::driver_state::DriverState;
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::{Journal, JournalRecovery};
use std::sync::Arc;

/// How often reading begins anew because the process that runs there has removed what was about to be read.
const TRIES_MAX: usize = 64;

/// A checkpoint folder as of one moment.
///
/// ```
/// use headwater::{checkpoint::CheckpointFolder, prelude::*, testkit::TestEnv};
/// let env = TestEnv::in_memory();
/// let conf = Conf::new().master("local[1]").app_name("sums").checkpoint_dir("run");
/// let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
/// let numbers = ssc.rate_stream(10, 1, |n| (n % 2, n));
/// numbers.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.len() as u64)).uid("counts").print();
/// let running = ssc.start()?;
/// env.clock.advance(seconds(2));
/// running.await_batches(2)?;
///
/// let folder = CheckpointFolder::look(env.storage.clone(), "run")?;
/// let overview = folder.overview();
/// assert_eq!(overview.application, "sums");
/// assert_eq!(overview.batches.unwrap().committed, Time::from_millis(2000));
/// let sizes = folder.state_sizes()?;
/// assert_eq!((sizes[0].operator.as_str(), sizes[0].keys), ("counts", 2));
/// running.stop()?;
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone)]
pub struct CheckpointFolder {
    storage: Arc<dyn Storage>,
    path: String,
    application: String,
    state: DriverState,
    recovery: JournalRecovery,
}

impl CheckpointFolder {
    /// Reads what the driver knows of batches. Errors: of the kind `Data` if that is damaged, `Program` if there is no
    /// checkpoint in the folder or a newer release wrote it.
    pub fn look(storage: Arc<dyn Storage>, path: &str) -> Result<CheckpointFolder> {
        let path = match path.trim_end_matches('/') {
            "" => path,
            trimmed => trimmed,
        }
        .to_owned();
        let looked = Journal::look(storage.clone(), &format!("{path}/journal"), DriverState::default);
        let Some((application, state, recovery)) = looked? else {
            return Err(no_checkpoint(&path));
        };
        Ok(CheckpointFolder { storage, path, application, state, recovery })
    }
    /// The folder's path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Reads something of the folder; once more, as of later, where the process that runs there has removed some of it
    /// meanwhile.
    fn reading<T>(&self, mut read: impl FnMut(&CheckpointFolder) -> Result<T>) -> Result<T> {
        let mut result = read(self);
        for _ in 0..TRIES_MAX {
            match &result {
                Err(error) if error.kind() == ErrorKind::Data => {}
                _ => break,
            }
            let now = CheckpointFolder::look(self.storage.clone(), &self.path)?;
            if now.state == self.state {
                break;
            }
            result = read(&now);
        }
        result
    }
}

fn no_checkpoint(path: &str) -> Error {
    Error::program(format!(
        "there is no checkpoint in {path}: it has no journal; give the folder that the program names by checkpoint(...) or \
         headwater.streaming.checkpoint_dir"
    ))
}

#[cfg(test)]
mod tests;
