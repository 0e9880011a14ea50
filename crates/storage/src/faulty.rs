//! [`FaultyStorage`]: a disk in memory on which every durable step can go wrong, as a [`FaultPlan`] says. For tests of
//! what a program leaves behind when it ends anywhere.

mod disk;
mod plan;

pub use plan::{Failure, FaultPlan};

use crate::memory::{MemoryStorage, removed};
use disk::{Chance, Disk};
use headwater_core::env::{AppendFile, Storage, StoredFile};
use headwater_core::{Error, Result};
use plan::Fault;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One process on such a disk. Clones are the same process.
///
/// ```
/// use headwater_core::env::Storage;
/// use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
/// let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).crash_before(5));
/// let mut log = storage.append("log")?;
/// log.append(b"one")?;
/// log.sync()?;
/// log.append(b"two")?;
/// assert!(log.sync().is_err());
/// let left = storage.crash().read("log")?.unwrap();
/// assert!(left.starts_with(b"one"));
/// # Ok::<(), headwater_core::Error>(())
/// ```
#[derive(Clone)]
pub struct FaultyStorage {
    disk: Arc<Mutex<Disk>>,
    process: Arc<Mutex<Process>>,
}

struct Process {
    plan: FaultPlan,
    /// Durable steps so far.
    steps: u64,
    /// Operations so far, reads too.
    operations: u64,
    crashed: bool,
}

impl FaultyStorage {
    /// A process on a disk that begins with `files`, and appends if they do. It shares them with their other clones,
    /// which may stand for other processes as long as all they write counts as durable.
    pub fn new(files: MemoryStorage, plan: FaultPlan) -> FaultyStorage {
        FaultyStorage::on(Arc::new(Mutex::new(Disk::new(files))), plan)
    }
    /// Another process on the same disk, which sees what this one wrote, synced or not.
    ///
    /// ```
    /// use headwater_core::env::Storage;
    /// use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
    /// let first = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).crash_after(2));
    /// assert!(first.append("log")?.append(b"one").is_err());
    /// assert_eq!(first.process(FaultPlan::new(7)).read("log")?, Some(b"one".to_vec()));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn process(&self, plan: FaultPlan) -> FaultyStorage {
        FaultyStorage::on(Arc::clone(&self.disk), plan)
    }
    /// How many durable steps the process has done or tried.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }
    /// How many operations it has done or tried, reads too.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }
    /// Whether the process has ended by a fault.
    pub fn has_crashed(&self) -> bool {
        self.state().crashed
    }
    /// Ends the process and the machine: what a new one finds on the disk. All that was durable is there; of the rest
    /// the plan's seed decides: unsynced bytes are there, lost, torn off, or zero with later ones behind them, and what
    /// was removed may be back.
    pub fn crash(&self) -> MemoryStorage {
        let disk = self.disk();
        let mut process = self.state();
        process.crashed = true;
        let chance = Chance(process.plan.seed ^ process.steps);
        MemoryStorage::of(disk.after_crash(chance), !disk.files.appends())
    }

    fn on(disk: Arc<Mutex<Disk>>, plan: FaultPlan) -> FaultyStorage {
        let process = Process { plan, steps: 0, operations: 0, crashed: false };
        FaultyStorage { disk, process: Arc::new(Mutex::new(process)) }
    }
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn state(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Steps.
impl FaultyStorage {
    /// Counts an operation and runs what the plan has before it; an error once the process has ended.
    fn operation(&self, what: &str, path: &str) -> Result<()> {
        let hook = {
            let mut state = self.state();
            state.operations += 1;
            let operation = state.operations;
            state.plan.hooks.remove(&operation)
        };
        // Without a lock: it may use this disk.
        if let Some(hook) = hook {
            hook();
        }
        if self.state().crashed { Err(crashed(what, path)) } else { Ok(()) }
    }

    /// A durable step: `act`, unless the plan says otherwise; `fail` is what is done of it when it fails.
    fn step<T>(
        &self,
        (what, path): (&str, &str),
        act: impl FnOnce(&mut Disk) -> Result<T>,
        fail: impl FnOnce(&mut Disk, Chance),
    ) -> Result<T> {
        self.operation(what, path)?;
        let (fault, chance) = {
            let mut state = self.state();
            state.steps += 1;
            let step = state.steps;
            (state.plan.faults.remove(&step), Chance(state.plan.seed ^ step))
        };
        let mut disk = self.disk();
        match fault {
            Some(Fault::CrashBefore) => self.state().crashed = true,
            Some(Fault::Fail(failure)) => {
                fail(&mut disk, chance);
                return Err(failure.error(what, path));
            }
            None | Some(Fault::CrashAfter | Fault::FailAfter(_) | Fault::FlipBit) => {
                let before = disk.files.files().get(path).map_or(0, Vec::len);
                let result = act(&mut disk)?;
                match fault {
                    Some(Fault::CrashAfter) => self.state().crashed = true,
                    Some(Fault::FailAfter(failure)) => return Err(failure.error(what, path)),
                    Some(Fault::FlipBit) => {
                        flip(&disk.files, path, if what == APPEND { before } else { 0 }, chance);
                        return Ok(result);
                    }
                    _ => return Ok(result),
                }
            }
        }
        Err(crashed(what, path))
    }
}

const APPEND: &str = "append to";

fn crashed(what: &str, path: &str) -> Error {
    Error::outside(format!("cannot {what} {path}"), io::Error::other("the process has crashed"))
}

/// Changes a bit behind the first `start` bytes, if there is one.
fn flip(files: &MemoryStorage, path: &str, start: usize, mut chance: Chance) {
    let length = files.files().get(path).map_or(0, Vec::len);
    if length > start {
        files.flip_bit(path, (start * 8 + chance.below((length - start) * 8)) as u64);
    }
}

impl Storage for FaultyStorage {
    fn appends(&self) -> bool {
        self.disk().files.appends()
    }
    fn append(&self, path: &str) -> Result<Box<dyn AppendFile>> {
        let open = |disk: &mut Disk| {
            disk.files.append(path)?;
            disk.changed(path);
            Ok(())
        };
        self.step(("open for appending", path), open, |_, _| {})?;
        Ok(Box::new(FaultyAppendFile { storage: self.clone(), path: path.to_owned(), failed: false }))
    }
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let put = |disk: &mut Disk| {
            disk.files.put(path, bytes)?;
            disk.replaced(path);
            Ok(())
        };
        self.step(("write", path), put, |_, _| {})
    }
    fn put_new(&self, path: &str, bytes: &[u8]) -> Result<bool> {
        let put_new = |disk: &mut Disk| {
            let made = disk.files.put_new(path, bytes)?;
            if made {
                disk.replaced(path);
            }
            Ok(made)
        };
        self.step(("create", path), put_new, |_, _| {})
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.operation("read", path)?;
        self.disk().files.read(path)
    }
    fn read_range(&self, path: &str, offset: u64, length: u64) -> Result<Option<Vec<u8>>> {
        self.operation("read", path)?;
        self.disk().files.read_range(path, offset, length)
    }
    fn list(&self, folder: &str) -> Result<Vec<StoredFile>> {
        self.operation("list folder", folder)?;
        self.disk().files.list(folder)
    }
    fn remove(&self, path: &str) -> Result<()> {
        let remove = |disk: &mut Disk| {
            disk.remove(path);
            Ok(())
        };
        self.step(("remove", path), remove, |_, _| {})
    }
}

struct FaultyAppendFile {
    storage: FaultyStorage,
    path: String,
    failed: bool,
}

impl FaultyAppendFile {
    fn attempt(&mut self, step: impl FnOnce(&FaultyStorage, &str) -> Result<bool>) -> Result<()> {
        if self.failed {
            return Err(Failure::Io.error("go on after an error with", &self.path));
        }
        let result = step(&self.storage, &self.path).and_then(|is_there| match is_there {
            true => Ok(()),
            false => Err(removed(&self.path)),
        });
        self.failed = result.is_err();
        result
    }
}

impl AppendFile for FaultyAppendFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.attempt(|storage, path| {
            let part = |disk: &mut Disk, mut chance: Chance| {
                disk.append(path, &bytes[..chance.below(bytes.len() + 1)]);
            };
            storage.step((APPEND, path), |disk| Ok(disk.append(path, bytes)), part)
        })
    }
    fn sync(&mut self) -> Result<()> {
        self.attempt(|storage, path| storage.step(("make durable", path), |disk| Ok(disk.sync(path)), |_, _| {}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What a crash leaves of a file with four synced bytes and eight that are not.
    fn left(seed: u64) -> Vec<u8> {
        let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(seed));
        let mut file = storage.append("a/log").unwrap();
        file.append(b"aaaa").unwrap();
        file.sync().unwrap();
        file.append(b"bbbb").unwrap();
        file.append(b"cccc").unwrap();
        storage.crash().read("a/log").unwrap().unwrap()
    }

    #[test]
    fn a_crash_loses_tears_and_reorders_what_was_not_synced_and_nothing_else() {
        let all: BTreeSet<Vec<u8>> = (0..200).map(left).collect();
        assert!(all.iter().all(|bytes| bytes.starts_with(b"aaaa") && bytes.len() <= 12));
        assert!(all.contains(&b"aaaa"[..]) && all.contains(&b"aaaabbbbcccc"[..]));
        assert!(all.contains(&b"aaaabb"[..]), "torn");
        assert!(
            all.iter().any(|bytes| bytes.contains(&0) && bytes.ends_with(b"c")),
            "a later part is there, an earlier not"
        );
        assert!((0..20).all(|seed| left(seed) == left(seed)), "the seed decides");
    }

    #[test]
    fn what_was_removed_may_be_back_until_the_folder_is_durable() {
        let is_back = |seed, then: &str| {
            let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(seed));
            storage.put("a/old", b"old").unwrap();
            storage.remove("a/old").unwrap();
            storage.put(then, b"new").unwrap();
            storage.crash().read("a/old").unwrap().is_some()
        };
        let back = |then| (0..50).filter(|seed| is_back(*seed, then)).count();
        assert!((1..50).contains(&back("b/new")));
        assert_eq!(back("a/new"), 0);
    }
}
