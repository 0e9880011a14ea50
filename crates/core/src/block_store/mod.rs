//! [`BlockStore`]: the computed partitions of persisted datasets, within limits of memory and disk. One per
//! `RddContext`; `rdd/persist.rs` puts blocks in and reads them. It calls no user code under its lock: what is dropped
//! or serialised to make room is taken out first.

mod claims;
mod disk;
mod insertion;
mod memory;
mod stored;

pub(crate) use claims::Claims;
pub(crate) use disk::{BlockFile, DiskFile, DiskProblem};
pub(crate) use insertion::Insertion;
pub(crate) use memory::Found;
pub(crate) use stored::{Bytes, Records, Stored};

use crate::env::{Console, FileSystem};
use crate::origin::Origin;
use crate::{Error, ErrorKind, StorageLevel, panic_message};
use disk::DiskSpace;
use memory::{Dataset, State};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much the partitions of persisted datasets may take, and where their files are.
///
/// ```
/// use headwater::rdd::BlockStoreLimits;
/// let limits = BlockStoreLimits { memory_bytes: 64 << 20, ..BlockStoreLimits::default() };
/// assert_eq!(limits.disk_bytes, 64 << 30);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockStoreLimits {
    /// Bytes of memory, by estimate for records that own heap memory; default 512 MiB. Above it, the partitions used
    /// longest ago go: to disk if their level says so, else they are computed again when they are needed.
    pub memory_bytes: usize,
    /// Bytes of disk; default 64 GiB. What is above is computed again when it is needed.
    pub disk_bytes: u64,
    /// Below which folder the store makes its own; default: where the system keeps temporary files. It is removed with
    /// the context; that of a process which was killed stays.
    pub local_dir: Option<String>,
}
impl Default for BlockStoreLimits {
    fn default() -> Self {
        BlockStoreLimits { memory_bytes: 512 << 20, disk_bytes: 64 << 30, local_dir: None }
    }
}

/// What the block store of a context holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BlockStoreStatus {
    /// Persisted datasets that are alive.
    pub datasets: usize,
    /// Partitions in memory.
    pub blocks_in_memory: usize,
    /// The memory that those take, by estimate, and the ones that are being computed.
    pub memory_bytes: usize,
    /// Partitions on disk.
    pub blocks_on_disk: usize,
    /// The bytes of the store's files.
    pub disk_bytes: u64,
}

/// A persisted dataset's number, unique in this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct DatasetId(u64);

/// A partition of a persisted dataset.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct BlockId {
    pub(crate) dataset: DatasetId,
    pub(crate) partition: usize,
}

pub(crate) struct BlockStore {
    memory_max: usize,
    disk_max: u64,
    disk: Arc<DiskSpace>,
    console: Arc<dyn Console>,
    claims: Claims<BlockId>,
    state: Mutex<State>,
    /// Whether it was told that the disk's limit is reached.
    told_of_limit: AtomicBool,
}

impl Dataset {
    fn may_use_disk(&self) -> bool {
        self.level.use_disk() && !self.disk_failed
    }
}

impl BlockStore {
    pub(crate) fn new(limits: BlockStoreLimits, files: Arc<dyn FileSystem>, console: Arc<dyn Console>) -> BlockStore {
        let BlockStoreLimits { memory_bytes: memory_max, disk_bytes: disk_max, local_dir } = limits;
        let disk = Arc::new(DiskSpace::new(files, local_dir, disk_max));
        let (claims, state, told_of_limit) = Default::default();
        BlockStore { memory_max, disk_max, disk, console, claims, state, told_of_limit }
    }

    /// A dataset persisted at `level` by the call at `origin`.
    pub(crate) fn register(&self, level: StorageLevel, origin: Origin) -> DatasetId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = DatasetId(NEXT.fetch_add(1, Ordering::Relaxed));
        let dataset = Dataset { level, origin, blocks: HashMap::new(), disk_failed: false };
        self.lock().datasets.insert(id, dataset);
        id
    }
    /// Drops the dataset's blocks; those that are being computed will not be stored.
    pub(crate) fn forget(&self, dataset: DatasetId) {
        let _dropped_without_the_lock = self.lock().remove_dataset(dataset);
    }
    /// Whether all of the dataset's partitions are here.
    pub(crate) fn holds_all(&self, dataset: DatasetId, partitions: usize) -> bool {
        self.lock().datasets.get(&dataset).is_some_and(|dataset| dataset.blocks.len() == partitions)
    }
    /// The block, if it is here; counts as a use.
    pub(crate) fn find(&self, id: BlockId) -> Option<Found> {
        self.lock().find(id)
    }
    /// Waits until nobody computes the block. If it is there afterwards, somebody did.
    pub(crate) fn claim(&self, id: BlockId) -> Insertion<'_> {
        Insertion::new(self, id, self.claims.claim(id))
    }
    /// The block's file does not read. It is computed again, and stays off the disk.
    pub(crate) fn unreadable(&self, id: BlockId, error: Error) {
        let gone = self.lock().remove(id);
        if gone.is_some() {
            self.disk_problem(id.dataset, DiskProblem::Failed(error));
        }
    }
    pub(crate) fn status(&self) -> BlockStoreStatus {
        let disk_bytes = self.disk.bytes();
        let state = self.lock();
        let (blocks_in_memory, blocks_on_disk) = state.count();
        let (datasets, memory_bytes) = (state.datasets.len(), state.memory_bytes);
        BlockStoreStatus { datasets, blocks_in_memory, memory_bytes, blocks_on_disk, disk_bytes }
    }

    /// Makes `bytes` of memory the caller's, if they can be made free.
    fn reserve(&self, bytes: usize, dataset: DatasetId) -> bool {
        loop {
            let victims = {
                let mut state = self.lock();
                let over = (state.memory_bytes.saturating_add(bytes)).saturating_sub(self.memory_max);
                if over == 0 {
                    state.memory_bytes += bytes;
                    return true;
                }
                state.victims(over, dataset)
            };
            // Every turn frees some blocks or is the last.
            let Some(victims) = victims else { return false };
            victims.iter().filter(|victim| victim.spills).for_each(|victim| self.spill(victim.id, &*victim.records));
            // Records are dropped last: that is the user's code, and may panic.
            drop(victims);
        }
    }
    /// Moves a block to disk or, if that fails, out of the store.
    fn spill(&self, id: BlockId, records: &dyn Stored) {
        let write = || {
            let mut file = self.disk.create("")?;
            records.spill(&mut file)?;
            file.finish()?;
            Ok(file.stop().0)
        };
        // The task that needs the room is not to blame for another dataset's records.
        let written = catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|panic| {
            let message = format!("serialising the records panicked: {}", panic_message(&*panic));
            Err(DiskProblem::Failed(Error::new(ErrorKind::Data, message)))
        });
        let file = written.map_err(|problem| self.disk_problem(id.dataset, problem)).ok();
        let _dropped_without_the_lock = self.lock().spilled(id, file);
    }

    /// Says once what is wrong with the disk. One that fails is not used for the dataset again.
    fn disk_problem(&self, id: DatasetId, problem: DiskProblem) {
        match problem {
            DiskProblem::LimitReached => {
                if !self.told_of_limit.swap(true, Ordering::Relaxed) {
                    self.console.warn(&format!(
                        "persisted datasets take the {} bytes of disk that they may (Conf::storage_disk_max): \
                         partitions that find no room are computed again when they are needed",
                        self.disk_max
                    ));
                }
            }
            DiskProblem::Failed(error) => {
                let first = self.lock().datasets.get_mut(&id).and_then(|dataset| {
                    let told = std::mem::replace(&mut dataset.disk_failed, true);
                    (!told).then_some(dataset.origin)
                });
                if let Some(origin) = first {
                    self.console.warn(&format!(
                        "{origin}: the disk does not keep the dataset's partitions, which are computed again when they \
                         are needed: {error}"
                    ));
                }
            }
        }
    }
    /// Nothing of the user's runs under it, and every change is whole before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
