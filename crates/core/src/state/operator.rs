//! [`StateOperator`]: what all versions of one operator's state share: its partitions, and which versions are still in
//! use.

use super::memory::{Room, StateMemory, Usage};
use super::stage::PartitionState;
use crate::hash::HashSeed;
use crate::partitioner::KeyPartitioner;
use crate::time::Time;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(crate) struct StateOperator<S: PartitionState> {
    /// The version before the first.
    zero: Time,
    /// Its place among all operators with state: those that it is made from have lower ones.
    rank: usize,
    partitioner: KeyPartitioner<S::Key>,
    room: Room,
    cells: Vec<Mutex<Cell<S>>>,
    versions: Mutex<Versions>,
    /// Those that are under way.
    scans: AtomicUsize,
}

/// A scan that is under way: slots stay where they are.
pub(super) struct Reading<'a>(&'a AtomicUsize);
impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Which versions somebody may read that are not the newest.
struct Versions {
    in_use: BTreeMap<Time, Weak<VersionInUse>>,
    /// Versions before it cannot be read any more.
    oldest: Time,
}

/// As long as it lives, its version can be read.
pub(crate) struct VersionInUse;

/// One partition.
pub(super) struct Cell<S> {
    pub(super) version: Time,
    /// None before the first version, and on workers.
    pub(super) state: Option<S>,
    pub(super) usage: Usage,
}

impl<S: PartitionState> StateOperator<S> {
    /// State in the partitions of `partitioner`, which have part in `memory`.
    pub(crate) fn new(
        zero: Time,
        partitioner: KeyPartitioner<S::Key>,
        memory: &Arc<StateMemory>,
        rank: usize,
        name: String,
    ) -> Self {
        let partitions = partitioner.num_partitions();
        let cell = |_| Mutex::new(Cell { version: zero, state: None, usage: Usage::new(memory, S::SPILLS) });
        let cells = (0..partitions).map(cell).collect();
        let room = Room::new(memory.clone(), name);
        let versions = Mutex::new(Versions { in_use: BTreeMap::new(), oldest: zero });
        StateOperator { zero, rank, partitioner, room, cells, versions, scans: AtomicUsize::new(0) }
    }
    pub(super) fn zero(&self) -> Time {
        self.zero
    }
    pub(super) fn rank(&self) -> usize {
        self.rank
    }
    pub(super) fn name(&self) -> &str {
        self.room.name()
    }
    pub(super) fn partitions(&self) -> usize {
        self.cells.len()
    }
    pub(crate) fn partitioner(&self) -> &KeyPartitioner<S::Key> {
        &self.partitioner
    }
    pub(super) fn seed(&self) -> HashSeed {
        self.partitioner.seed()
    }
    /// The state of a partition before the first version, as it is in the process that has it to itself.
    pub(super) fn fresh(&self) -> S {
        let mut state = S::fresh(self.seed());
        state.spill_to(self.room.clone());
        state
    }
    pub(super) fn cell(&self, partition: usize) -> MutexGuard<'_, Cell<S>> {
        // A panic under the lock is one of the user's closures; what it had changed is taken back by then.
        self.cells[partition].lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Somebody scans partitions as long as the returned value lives.
    pub(super) fn reading(&self) -> Reading<'_> {
        self.scans.fetch_add(1, Ordering::SeqCst);
        Reading(&self.scans)
    }
    /// Whether a scan may be under way in a partition whose cell is held.
    pub(super) fn is_read(&self) -> bool {
        self.scans.load(Ordering::SeqCst) > 0
    }
    /// The version of `time` can be read as long as the returned value lives. It is an error if it cannot be any more.
    pub(super) fn use_version(&self, time: Time) -> Result<Arc<VersionInUse>> {
        let mut versions = self.versions();
        if time < versions.oldest {
            let (name, oldest) = (self.name(), versions.oldest);
            return Err(Error::program(format!(
                "the state {name} of batch {time} is forgotten: it can be read from {oldest} on; StreamingContext::remember \
                 keeps what slice() reads"
            )));
        }
        if let Some(known) = versions.in_use.get(&time).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let in_use = Arc::new(VersionInUse);
        versions.in_use.insert(time, Arc::downgrade(&in_use));
        Ok(in_use)
    }
    /// The oldest version before `newest`, or that one, that anyone may still read. Older ones are forgotten.
    pub(super) fn forget_unused(&self, newest: Time) -> Time {
        let mut versions = self.versions();
        versions.in_use.retain(|_, in_use| in_use.strong_count() > 0);
        let oldest = versions.in_use.keys().next().copied().unwrap_or(newest).min(newest);
        versions.oldest = versions.oldest.max(oldest);
        oldest
    }
    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
