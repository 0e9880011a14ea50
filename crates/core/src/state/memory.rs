//! [`StateMemory`]: what the keyed state of a context takes, and how much of that a partition may keep in memory. Each
//! partition reports what it takes behind each batch.

use crate::Result;
use crate::env::{SpillSpace, SpillTable};
use crate::rdd::{StateLimits, StateStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) struct StateMemory {
    limits: StateLimits,
    spill: Arc<dyn SpillSpace>,
    /// Of all operators that live.
    partitions: AtomicUsize,
    status: Mutex<StateStatus>,
}

impl StateMemory {
    pub(crate) fn new(limits: StateLimits, spill: Arc<dyn SpillSpace>) -> StateMemory {
        StateMemory { limits, spill, partitions: AtomicUsize::new(0), status: Mutex::default() }
    }
    pub(crate) fn limits(&self) -> &StateLimits {
        &self.limits
    }
    pub(crate) fn status(&self) -> StateStatus {
        *self.lock()
    }
    fn lock(&self) -> MutexGuard<'_, StateStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a partition takes, as part of the whole until it is dropped.
pub(super) struct Usage {
    memory: Arc<StateMemory>,
    status: StateStatus,
}
impl Usage {
    pub(super) fn new(memory: &Arc<StateMemory>) -> Usage {
        memory.partitions.fetch_add(1, Ordering::Relaxed);
        Usage { memory: memory.clone(), status: StateStatus::default() }
    }
    pub(super) fn set(&mut self, status: StateStatus) {
        let mut total = self.memory.lock();
        let change = |total: &mut usize, old: usize, new: usize| *total = *total - old + new;
        change(&mut total.keys, self.status.keys, status.keys);
        change(&mut total.memory_bytes, self.status.memory_bytes, status.memory_bytes);
        change(&mut total.spilled_keys, self.status.spilled_keys, status.spilled_keys);
        total.disk_bytes = total.disk_bytes - self.status.disk_bytes + status.disk_bytes;
        self.status = status;
    }
}
impl Drop for Usage {
    fn drop(&mut self) {
        self.set(StateStatus::default());
        self.memory.partitions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The room that a partition has: in memory its share, and tables on disk for the rest.
#[derive(Clone)]
pub(crate) struct Room {
    memory: Arc<StateMemory>,
    /// For errors.
    name: Arc<str>,
}

/// Bytes of changes to what is on disk that a batch gathers in memory, at most.
const CHANGES_BYTES_MAX: usize = 8 << 20;

impl Room {
    pub(super) fn new(memory: Arc<StateMemory>, name: String) -> Room {
        Room { memory, name: name.into() }
    }
    /// The bytes that a partition may keep in memory: all partitions have the same share.
    pub(super) fn bytes(&self) -> usize {
        let partitions = self.memory.partitions.load(Ordering::Relaxed).max(1);
        usize::try_from(self.memory.limits.memory_bytes).unwrap_or(usize::MAX) / partitions
    }
    pub(super) fn changes_bytes(&self) -> usize {
        (self.bytes() / 4).min(CHANGES_BYTES_MAX)
    }
    pub(super) fn open(&self) -> Result<Box<dyn SpillTable>> {
        self.memory.spill.open(self.memory.limits.local_dir.as_deref(), &self.name)
    }
}
