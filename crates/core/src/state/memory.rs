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
    /// Of all operators that live and can spill.
    partitions: AtomicUsize,
    /// What those reported last, in memory.
    spilling_bytes: AtomicUsize,
    status: Mutex<StateStatus>,
}

impl StateMemory {
    pub(crate) fn new(limits: StateLimits, spill: Arc<dyn SpillSpace>) -> StateMemory {
        {
            let (partitions, spilling_bytes, status) = Default::default();
            StateMemory { limits, spill, partitions, spilling_bytes, status }
        }
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
    /// Whether it has a share of the memory: what cannot spill takes what it needs.
    spills: bool,
}
impl Usage {
    pub(super) fn new(memory: &Arc<StateMemory>, spills: bool) -> Usage {
        memory.partitions.fetch_add(usize::from(spills), Ordering::Relaxed);
        Usage { memory: memory.clone(), status: StateStatus::default(), spills }
    }
    pub(super) fn set(&mut self, status: StateStatus) {
        let mut total = self.memory.lock();
        let change = |total: &mut usize, old: usize, new: usize| *total = *total - old + new;
        change(&mut total.keys, self.status.keys, status.keys);
        change(&mut total.memory_bytes, self.status.memory_bytes, status.memory_bytes);
        change(&mut total.spilled_keys, self.status.spilled_keys, status.spilled_keys);
        total.disk_bytes = total.disk_bytes - self.status.disk_bytes + status.disk_bytes;
        if self.spills {
            self.memory.spilling_bytes.fetch_add(status.memory_bytes, Ordering::Relaxed);
            self.memory.spilling_bytes.fetch_sub(self.status.memory_bytes, Ordering::Relaxed);
        }
        self.status = status;
    }
}
impl Drop for Usage {
    fn drop(&mut self) {
        self.set(StateStatus::default());
        self.memory.partitions.fetch_sub(usize::from(self.spills), Ordering::Relaxed);
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
    /// The bytes that a partition may keep in memory, which has reported `own` bytes: its share, which all partitions have
    /// the same of, or what the others leave, if that is more.
    pub(super) fn bytes(&self, own: usize) -> usize {
        let others = self.memory.spilling_bytes.load(Ordering::Relaxed).saturating_sub(own);
        self.share().max(self.limit().saturating_sub(others))
    }
    fn share(&self) -> usize {
        self.limit() / self.memory.partitions.load(Ordering::Relaxed).max(1)
    }
    fn limit(&self) -> usize {
        usize::try_from(self.memory.limits.memory_bytes).unwrap_or(usize::MAX)
    }
    /// For errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
    pub(super) fn changes_bytes(&self) -> usize {
        (self.share() / 4).min(CHANGES_BYTES_MAX)
    }
    pub(super) fn open(&self) -> Result<Box<dyn SpillTable>> {
        self.memory.spill.open(self.memory.limits.local_dir.as_deref(), &self.name)
    }
}
