//! [`Fence`]: of all processes that take it, the last one alone may commit.

use crate::path;
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use std::sync::Arc;

/// How many epochs are tried while other processes start at the same time.
const TRIES_MAX: usize = 64;
const PREFIX: &str = "epoch-";

/// The right to commit, until another process takes it.
///
/// A process takes the next free epoch by `put_new`, which one of all who want it wins. It *then* reads what earlier
/// ones wrote, and writes behind it. A commit is: write, make durable, and *then* look whether there is a later epoch;
/// only if there is none is it reported as done. So for an old process that was paused anywhere and goes on:
///
/// * It looked before the new one took its epoch. Then what it committed was durable before, and so the new process,
///   which reads after taking, has read it: the commit stands.
/// * It looks after. Then it sees the epoch, and the commit is an error. What it wrote may or may not have been read;
///   either is right for a commit that was never reported.
///
/// What it writes later is never read: a log's segments are made by `put_new` under the next free number, so the new
/// process begins one that the old one cannot have, and its header says where the valid part of the old one's ends. An
/// old process that wants a new segment finds its number taken. No clocks, locks or leases are needed, and a process
/// may be paused for any time between any two steps.
///
/// ```
/// use headwater_core::ErrorKind;
/// use headwater_storage::{Fence, MemoryStorage};
/// use std::sync::Arc;
/// let storage = Arc::new(MemoryStorage::new());
/// let first = Fence::take(storage.clone(), "run/fence", "first, on machine a")?;
/// first.check()?;
/// let second = Fence::take(storage, "run/fence", "second, on machine b")?;
/// assert_eq!(first.check().unwrap_err().kind(), ErrorKind::Fenced);
/// second.check()?;
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct Fence {
    storage: Arc<dyn Storage>,
    folder: String,
    epoch: u64,
}

impl Fence {
    /// Takes it from whoever has it. `owner` is a short text that tells a person who that is: the message of the one
    /// who loses it shows it.
    pub fn take(storage: Arc<dyn Storage>, folder: &str, owner: &str) -> Result<Fence> {
        for _ in 0..TRIES_MAX {
            let epoch = epochs(&*storage, folder)?.last().map_or(1, |newest| newest + 1);
            if !storage.put_new(&path_of(folder, epoch), owner.as_bytes())? {
                continue;
            }
            // Between the two steps others may have come and gone on, and have removed what they found.
            let mut epochs = epochs(&*storage, folder)?;
            if epochs.pop() == Some(epoch) {
                epochs.into_iter().try_for_each(|older| storage.remove(&path_of(folder, older)))?;
                return Ok(Fence { storage, folder: folder.to_owned(), epoch });
            }
        }
        let message = format!("cannot take the fence {folder}: {TRIES_MAX} other processes were faster, one by one");
        Err(Error::new(ErrorKind::Outside, message))
    }
    /// Takes it under an epoch that a fence elsewhere gave: for one of several folders that an application writes. An error
    /// of the kind `Fenced` if a later one has it.
    ///
    /// ```
    /// use headwater_core::ErrorKind;
    /// use headwater_storage::{Fence, MemoryStorage};
    /// use std::sync::Arc;
    /// let storage = Arc::new(MemoryStorage::new());
    /// let enter = |epoch| Fence::enter(storage.clone(), "run/lines/fence", epoch, "a process");
    /// let first = enter(3)?;
    /// enter(5)?.check()?;
    /// assert_eq!(first.check().unwrap_err().kind(), ErrorKind::Fenced);
    /// assert_eq!(enter(4).err().unwrap().kind(), ErrorKind::Fenced);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn enter(storage: Arc<dyn Storage>, folder: &str, epoch: u64, owner: &str) -> Result<Fence> {
        // It may be there already, by an attempt whose end was not known.
        storage.put_new(&path_of(folder, epoch), owner.as_bytes())?;
        let fence = Fence { storage, folder: folder.to_owned(), epoch };
        fence.check()?;
        let older = epochs(&*fence.storage, folder)?.into_iter().filter(|older| *older < epoch);
        older.into_iter().try_for_each(|older| fence.storage.remove(&path_of(folder, older)))?;
        Ok(fence)
    }
    /// The text that tells who has taken it last, and the number of that taking; `None` where nobody has.
    ///
    /// ```
    /// use headwater_storage::{Fence, MemoryStorage};
    /// let storage = std::sync::Arc::new(MemoryStorage::new());
    /// assert_eq!(Fence::look(&*storage, "run/fence")?, None);
    /// let fence = Fence::take(storage.clone(), "run/fence", "me")?;
    /// assert_eq!(Fence::look(&*storage, "run/fence")?, Some((1, "me".to_owned())));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn look(storage: &dyn Storage, folder: &str) -> Result<Option<(u64, String)>> {
        let Some(newest) = epochs(storage, folder)?.pop() else { return Ok(None) };
        let owner = storage.read(&path_of(folder, newest))?.unwrap_or_default();
        Ok(Some((newest, String::from_utf8_lossy(&owner).into_owned())))
    }
    /// The number of this taking: higher than that of all before.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
    /// An error of the kind `Fenced` if another process has taken it, `Program` if the folder was removed. To be asked
    /// behind the last write of a commit, before anybody hears of it.
    pub fn check(&self) -> Result<()> {
        let Fence { storage, folder, epoch } = self;
        let epochs = epochs(&**storage, folder)?;
        match epochs.last() {
            Some(newest) if newest > epoch => {
                let owner = storage.read(&path_of(folder, *newest))?.unwrap_or_default();
                let owner = String::from_utf8_lossy(&owner);
                let message = format!(
                    "another process has taken over {folder}: `{owner}` (epoch {newest}, this one has {epoch})"
                );
                Err(Error::new(ErrorKind::Fenced, message))
            }
            _ if epochs.contains(epoch) => Ok(()),
            _ => {
                let path = path_of(folder, *epoch);
                Err(Error::program(format!("{path} was removed while it was in use: nothing more can be committed")))
            }
        }
    }
}

/// The epochs that files stand for, sorted.
fn epochs(storage: &dyn Storage, folder: &str) -> Result<Vec<u64>> {
    let files = storage.list(folder)?;
    let mut epochs: Vec<u64> = files
        .iter()
        .filter_map(|file| path::number(file.name.strip_prefix(PREFIX)?))
        .filter(|n| *n < u64::MAX)
        .collect();
    epochs.sort_unstable();
    Ok(epochs)
}

fn path_of(folder: &str, epoch: u64) -> String {
    path::join(folder, &format!("{PREFIX}{epoch:020}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FaultPlan, FaultyStorage, MemoryStorage};

    #[test]
    fn the_last_one_has_it_and_old_epochs_go() {
        let storage = MemoryStorage::new();
        let take = |owner: &str| Fence::take(Arc::new(storage.clone()), "f", owner).unwrap();
        let fences = ["a", "b", "c"].map(take);
        assert_eq!(fences.each_ref().map(Fence::epoch), [1, 2, 3]);
        let lost = fences[0].check().unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Fenced);
        assert!(lost.to_string().contains("`c` (epoch 3, this one has 1)"), "{lost}");
        assert_eq!(fences[1].check().unwrap_err().kind(), ErrorKind::Fenced);
        fences[2].check().unwrap();
        assert_eq!(storage.paths().len(), 1);
        storage.remove("f/epoch-00000000000000000003").unwrap();
        assert_eq!(fences[2].check().unwrap_err().kind(), ErrorKind::Program);
    }

    /// One takes it while others take it at any of its steps: their epochs differ, and one has the last.
    #[test]
    fn of_many_who_take_it_at_once_one_has_it() {
        for operation in 1..4 {
            for others in 1..4 {
                let storage = MemoryStorage::new();
                let other = storage.clone();
                let plan = FaultPlan::new(0).before_operation(operation, move || {
                    (0..others).for_each(|_| drop(Fence::take(Arc::new(other.clone()), "f", "other").unwrap()));
                });
                let slow = FaultyStorage::new(storage.clone(), plan);
                let slow = Fence::take(Arc::new(slow), "f", "slow").unwrap();
                let next = Fence::take(Arc::new(storage), "f", "next").unwrap();
                assert!(next.epoch() > slow.epoch());
                assert_eq!(slow.check().unwrap_err().kind(), ErrorKind::Fenced);
                next.check().unwrap();
            }
        }
    }
}
