//! What all tables together hold in memory of what was written, and which of them makes room.

use super::tree::SpillTree;
use headwater_core::Result;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

pub(super) struct Buffers {
    bytes_max: i64,
    /// Bytes in the buffers of all trees, also those that are being flushed. Below zero for a moment where a flush has
    /// counted what its writer has not.
    bytes: AtomicI64,
    trees: Mutex<Vec<Weak<SpillTree>>>,
    /// Held by the one that flushes, so that others wait for it and find room then.
    flushing: Mutex<()>,
}

impl Buffers {
    pub(super) fn new(bytes_max: i64) -> Buffers {
        Buffers { bytes_max, bytes: AtomicI64::new(0), trees: Mutex::default(), flushing: Mutex::default() }
    }
    pub(super) fn add(&self, tree: &Arc<SpillTree>) {
        self.trees().push(Arc::downgrade(tree));
    }
    /// Forgets `tree`, once nobody flushes it.
    pub(super) fn remove(&self, tree: &Arc<SpillTree>) {
        let _flushed = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        self.trees().retain(|other| !Weak::ptr_eq(other, &Arc::downgrade(tree)));
        self.bytes.fetch_sub(tree.buffered(), Ordering::Relaxed);
    }
    /// So many bytes were added to a buffer; makes room when that is too much. The error may be another table's.
    pub(super) fn grow(&self, bytes: i64) -> Result<()> {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.bytes_max {
            return Ok(());
        }
        let _turn = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bytes.load(Ordering::Relaxed) <= self.bytes_max {
            return Ok(());
        }
        let largest = self.trees().iter().filter_map(Weak::upgrade).max_by_key(|tree| tree.buffered());
        if let Some(tree) = largest {
            self.bytes.fetch_sub(tree.flush()?, Ordering::Relaxed);
        }
        Ok(())
    }
    #[cfg(test)]
    pub(super) fn bytes(&self) -> i64 {
        self.bytes.load(Ordering::Relaxed)
    }
    fn trees(&self) -> MutexGuard<'_, Vec<Weak<SpillTree>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
