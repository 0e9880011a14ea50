//! What goes to disk, and when that ends.

use super::*;
use crate::env::{SpillSpace, SpillTable};
use crate::hash::HashSeed;
use crate::rdd::{StateLimits, Stop, TaskContext};
use crate::state::memory::{Room, StateMemory};
use crate::state::stage::PartitionState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct NoDisk;
impl SpillSpace for NoDisk {
    fn open(&self, _local_dir: Option<&str>, _name: &str) -> Result<Box<dyn SpillTable>> {
        unreachable!("so few changes stay in memory")
    }
}

/// A state that gives its job up when it is written.
#[derive(Clone, Default)]
struct GivesUp(Arc<AtomicBool>);
impl serde::Serialize for GivesUp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.store(true, Ordering::Relaxed);
        serializer.serialize_unit()
    }
}
impl<'de> serde::Deserialize<'de> for GivesUp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        <()>::deserialize(deserializer).map(|()| GivesUp::default())
    }
}

#[test]
fn a_job_that_is_given_up_writes_no_more() {
    const KEYS: usize = 8 * CHUNK;
    let memory = Arc::new(StateMemory::new(StateLimits::default(), Arc::new(NoDisk)));
    let mut state: TableState<usize, GivesUp> = TableState::fresh(HashSeed::new(7));
    state.spill_to(Room::new(memory, "of a test".to_owned()));
    let cancelled = Arc::new(AtomicBool::new(false));
    for key in 0..KEYS {
        let hash = state.keys.hash(&key);
        state.keys.insert(hash, key, GivesUp(cancelled.clone()));
    }
    let outcome = TaskContext::new(0, 0, 0, None).attempt(&cancelled, |task| state.evict(KEYS, || task.check()));
    assert!(outcome.is_err_and(|stop| matches!(stop, Stop::Cancelled)));
    assert!(state.keys.len() >= KEYS - CHUNK, "{} are left", state.keys.len());
}
