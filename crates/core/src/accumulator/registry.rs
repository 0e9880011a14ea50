//! [`AccumulatorRegistry`]: the accumulators of a process by name, for what tasks in other processes have added.

use super::{Accumulation, Shared};
use crate::item::ItemId;
use crate::{Result, wire};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The accumulators that the program holds. Empty where the application is one process.
#[derive(Default)]
pub struct AccumulatorRegistry {
    known: Mutex<HashMap<ItemId, Weak<dyn MergesBytes>>>,
}

/// Takes what a task of another process hands over, as bytes.
pub(crate) trait MergesBytes: Send + Sync {
    fn merge_bytes(&self, bytes: &[u8]) -> Result<()>;
}
impl<A: Accumulation> MergesBytes for Shared<A> {
    fn merge_bytes(&self, bytes: &[u8]) -> Result<()> {
        let part = wire::decode(bytes)?;
        self.lock().merge(part);
        Ok(())
    }
}

impl AccumulatorRegistry {
    pub(super) fn register<A: Accumulation>(&self, shared: &Arc<Shared<A>>) {
        self.register_merger(shared.id, shared);
    }
    /// What tasks of other processes hand over under `id` goes to `merger`, for as long as that lives.
    pub(crate) fn register_merger<M: MergesBytes + 'static>(&self, id: ItemId, merger: &Arc<M>) {
        let weak: Weak<dyn MergesBytes> = Arc::downgrade(merger) as _;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == known.capacity() {
            known.retain(|_, accumulator| accumulator.strong_count() > 0);
        }
        known.insert(id, weak);
    }
    /// Adds what a task of another process added. What the driver's program holds no more is dropped.
    pub fn merge(&self, id: ItemId, bytes: &[u8]) -> Result<()> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).and_then(Weak::upgrade);
        known.map_or(Ok(()), |accumulator| accumulator.merge_bytes(bytes))
    }
}
