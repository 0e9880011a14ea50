//! [`Insertion`]: one thread's way of putting a block into the store, from the claim to the entry.

use super::claims::Claim;
use super::stored::Stored;
use super::{BlockFile, BlockId, BlockStore, DiskFile, DiskProblem};
use std::sync::Arc;

/// The right to compute a block, with the memory reserved for it. Both go back to the store when it is dropped.
pub(crate) struct Insertion<'a> {
    store: &'a BlockStore,
    id: BlockId,
    claim: Option<Claim<'a, BlockId>>,
    reserved: usize,
}

impl<'a> Insertion<'a> {
    pub(super) fn new(store: &'a BlockStore, id: BlockId, claim: Claim<'a, BlockId>) -> Insertion<'a> {
        Insertion { store, id, claim: Some(claim), reserved: 0 }
    }
    /// Reserves more memory, for which other datasets' blocks may have to leave; whether there is room.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let granted = self.store.reserve(bytes, self.id.dataset);
        self.reserved += if granted { bytes } else { 0 };
        granted
    }
    /// Gives the memory back.
    pub(crate) fn shrink(&mut self) {
        self.store.lock().memory_bytes -= std::mem::take(&mut self.reserved);
    }
    /// The block will not be stored: others may try. What is reserved stays so until it is given back.
    pub(crate) fn give_up(&mut self) {
        self.claim = None;
    }
    /// A file for the block, if its dataset may be on disk and the disk lets it.
    pub(crate) fn file(&self, name: &str) -> Option<BlockFile> {
        if !self.store.lock().datasets.get(&self.id.dataset)?.may_use_disk() {
            return None;
        }
        let file = self.store.disk.create(name);
        file.map_err(|problem| self.disk_problem(problem)).ok()
    }
    /// The file cannot be written further.
    pub(crate) fn disk_problem(&self, problem: DiskProblem) {
        self.store.disk_problem(self.id.dataset, problem);
    }
    /// Enters the block.
    pub(crate) fn into_memory(mut self, records: Arc<dyn Stored>) {
        let bytes = std::mem::take(&mut self.reserved);
        self.store.lock().add_to_memory(self.id, records, bytes);
    }
    /// Enters the block.
    pub(crate) fn into_disk(self, file: Arc<DiskFile>) {
        let _removed_without_the_lock = self.store.lock().add_to_disk(self.id, file);
    }
}
impl Drop for Insertion<'_> {
    fn drop(&mut self) {
        self.shrink();
    }
}
