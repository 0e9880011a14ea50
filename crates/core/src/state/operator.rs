//! [`StateOperator`]: what all versions of one operator's state share: its partitions, and which versions are still in
//! use.

use super::memory::{Room, StateMemory, Usage};
use super::stage::PartitionState;
use crate::hash::HashSeed;
use crate::partitioner::KeyPartitioner;
use crate::time::Time;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(crate) struct StateOperator<S: PartitionState> {
    /// The version before the first.
    zero: Time,
    partitioner: KeyPartitioner<S::Key>,
    room: Room,
    cells: Vec<Mutex<Cell<S>>>,
    versions: Mutex<BTreeMap<Time, Weak<()>>>,
}

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
        name: String,
    ) -> Self {
        let partitions = partitioner.num_partitions();
        let cell = |_| Mutex::new(Cell { version: zero, state: None, usage: Usage::new(memory) });
        let cells = (0..partitions).map(cell).collect();
        let room = Room::new(memory.clone(), name);
        StateOperator { zero, partitioner, room, cells, versions: Mutex::default() }
    }
    pub(super) fn zero(&self) -> Time {
        self.zero
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
    /// The version of `time` is in use as long as the returned value lives.
    pub(super) fn version_lives(&self, time: Time) -> Arc<()> {
        let alive = Arc::new(());
        self.versions().insert(time, Arc::downgrade(&alive));
        alive
    }
    /// The oldest version before `newest`, or that one, that anyone may still read.
    pub(super) fn oldest_version(&self, newest: Time) -> Time {
        let mut versions = self.versions();
        versions.retain(|_, alive| alive.strong_count() > 0);
        versions.keys().next().copied().unwrap_or(newest).min(newest)
    }
    fn versions(&self) -> MutexGuard<'_, BTreeMap<Time, Weak<()>>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
