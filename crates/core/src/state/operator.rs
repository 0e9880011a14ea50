//! [`StateOperator`]: what all versions of one operator's state share: its partitions, and which versions are still in
//! use.

use super::items::PieceWriter;
use super::keyed::Cursor;
use super::memory::{Room, StateMemory, Usage};
use super::stage::PartitionState;
use super::store::OperatorStore;
use crate::hash::HashSeed;
use crate::partitioner::KeyPartitioner;
use crate::time::Time;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(crate) struct StateOperator<S: PartitionState> {
    /// The version before the first.
    begins: Time,
    /// Whether that version is an earlier process's; else it is empty.
    restored: bool,
    store: Option<OperatorStore>,
    /// Its place among all operators with state: those that it is made from have lower ones.
    rank: usize,
    partitioner: KeyPartitioner<S::Key>,
    room: Room,
    cells: Vec<Mutex<Cell<S>>>,
    /// See [`StateOperator::cell_in_turn`].
    turns: Vec<Mutex<()>>,
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
        begins: Time,
        partitioner: KeyPartitioner<S::Key>,
        memory: &Arc<StateMemory>,
        rank: usize,
        name: String,
        store: Option<OperatorStore>,
    ) -> Self {
        let partitions = partitioner.num_partitions();
        let cell = |_| Mutex::new(Cell { version: begins, state: None, usage: Usage::new(memory, S::SPILLS) });
        let cells = (0..partitions).map(cell).collect();
        let turns = (0..partitions).map(|_| Mutex::default()).collect();
        let room = Room::new(memory.clone(), name);
        let versions = Mutex::new(Versions { in_use: BTreeMap::new(), oldest: begins });
        let (restored, scans) = (false, AtomicUsize::new(0));
        StateOperator { begins, restored, store, rank, partitioner, room, cells, turns, versions, scans }
    }
    /// With `states` of an earlier process, which were [`fresh`](Self::fresh) and loaded, as the version before the first.
    /// From here on their changes go to `store`.
    pub(crate) fn restored(self, states: Vec<S>, store: Option<OperatorStore>) -> Self {
        for (cell, mut state) in self.cells.iter().zip(states) {
            state.commit(self.begins, self.begins);
            if let Some(store) = &store {
                state.keep_changes(store.version);
            }
            let mut cell = cell.lock().unwrap_or_else(PoisonError::into_inner);
            cell.usage.set(state.report());
            cell.state = Some(state);
        }
        StateOperator { restored: true, store, ..self }
    }
    /// The version before the first.
    pub(super) fn begins(&self) -> Time {
        self.begins
    }
    pub(super) fn is_restored(&self) -> bool {
        self.restored
    }
    pub(super) fn store(&self) -> Option<&OperatorStore> {
        self.store.as_ref()
    }
    pub(super) fn rank(&self) -> usize {
        self.rank
    }
    pub(crate) fn name(&self) -> &str {
        self.room.name()
    }
    pub(crate) fn partitions(&self) -> usize {
        self.cells.len()
    }
    pub(crate) fn partitioner(&self) -> &KeyPartitioner<S::Key> {
        &self.partitioner
    }
    pub(super) fn seed(&self) -> HashSeed {
        self.partitioner.seed()
    }
    /// The state of a partition before the first version, as it is in the process that has it to itself.
    pub(crate) fn fresh(&self) -> S {
        let mut state = S::fresh(self.seed());
        state.spill_to(self.room.clone());
        if let Some(store) = &self.store {
            state.keep_changes(store.version);
        }
        state
    }
    pub(super) fn cell(&self, partition: usize) -> MutexGuard<'_, Cell<S>> {
        // A panic under the lock is one of the user's closures; what it had changed is taken back by then.
        self.cells[partition].lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The same for those who change the partition and those who walk over all of it, page by page: who lets go of it and
    /// wants it again waits behind who wants it by then. A lock alone goes to whoever runs.
    pub(super) fn cell_in_turn(&self, partition: usize) -> MutexGuard<'_, Cell<S>> {
        let _turn = self.turns[partition].lock().unwrap_or_else(PoisonError::into_inner);
        self.cell(partition)
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
    /// Hands the pieces of a snapshot to `write`, with their partitions, while batches go on; see
    /// [`PartitionState::image`]. The version behind which changes must be added, and the first that comes of that.
    pub(crate) fn image(
        &self,
        types_version: u32,
        write: &mut dyn FnMut(usize, Vec<u8>) -> Result<()>,
    ) -> Result<(Time, Time)> {
        let (mut since, mut until) = (None, self.begins);
        // Slots stay where they are.
        let _reading = self.reading();
        for partition in 0..self.partitions() {
            let (mut cursor, mut pieces) = (Some(Cursor::default()), PieceWriter::new(types_version));
            while let Some(from) = cursor {
                let cell = self.cell_in_turn(partition);
                since = Some(since.map_or(cell.version, |since: Time| since.min(cell.version)));
                until = until.max(cell.version);
                let Some(state) = &cell.state else { break };
                cursor = state.image(from, &mut pieces)?;
                drop(cell);
                pieces.whole().into_iter().try_for_each(|piece| write(partition, piece))?;
            }
            pieces.take().into_iter().try_for_each(|piece| write(partition, piece))?;
        }
        Ok((since.unwrap_or(self.begins), until))
    }
    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
