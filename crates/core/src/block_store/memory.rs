//! What the store holds, under its lock: the blocks of each dataset, who was used last, and the bytes in use.

use super::stored::Stored;
use super::{BlockId, DatasetId, DiskFile};
use crate::StorageLevel;
use crate::origin::Origin;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct State {
    pub(super) datasets: HashMap<DatasetId, Dataset>,
    /// The blocks in memory by their last use, the longest ago first.
    uses: BTreeMap<u64, BlockId>,
    /// The number of the next use.
    next_use: u64,
    /// Of the blocks in memory, and reserved for those that are being computed.
    pub(super) memory_bytes: usize,
}

pub(super) struct Dataset {
    pub(super) level: StorageLevel,
    pub(super) origin: Origin,
    pub(super) blocks: HashMap<usize, Block>,
    /// Whether the disk has failed it, which was told.
    pub(super) disk_failed: bool,
}

pub(super) enum Block {
    Memory(InMemory),
    Disk(Arc<DiskFile>),
}
pub(super) struct InMemory {
    records: Arc<dyn Stored>,
    bytes: usize,
    last_use: u64,
    /// Whether a thread writes it to disk.
    leaving: bool,
}

/// A block that must leave the memory.
pub(super) struct Victim {
    pub(super) id: BlockId,
    pub(super) records: Arc<dyn Stored>,
    /// Whether it goes to disk, and stays in memory until it is there.
    pub(super) spills: bool,
}

/// Where a block was found.
pub(crate) enum Found {
    Memory(Arc<dyn Stored>),
    Disk(Arc<DiskFile>),
}

impl State {
    pub(super) fn find(&mut self, id: BlockId) -> Option<Found> {
        match self.datasets.get_mut(&id.dataset)?.blocks.get_mut(&id.partition)? {
            Block::Disk(file) => Some(Found::Disk(file.clone())),
            Block::Memory(block) => {
                self.uses.remove(&block.last_use);
                block.last_use = self.next_use;
                self.uses.insert(self.next_use, id);
                self.next_use += 1;
                Some(Found::Memory(block.records.clone()))
            }
        }
    }

    /// Enters a block whose bytes are reserved. Without its dataset nothing remains of it.
    pub(super) fn add_to_memory(&mut self, id: BlockId, records: Arc<dyn Stored>, bytes: usize) {
        let Some(dataset) = self.datasets.get_mut(&id.dataset) else {
            self.memory_bytes -= bytes;
            return;
        };
        let block = InMemory { records, bytes, last_use: self.next_use, leaving: false };
        self.uses.insert(self.next_use, id);
        self.next_use += 1;
        let before = dataset.blocks.insert(id.partition, Block::Memory(block));
        assert!(before.is_none(), "who enters a block has its claim");
    }

    /// Takes a block out of the store; the caller drops it when the lock is free.
    pub(super) fn remove(&mut self, id: BlockId) -> Option<Block> {
        let block = self.datasets.get_mut(&id.dataset)?.blocks.remove(&id.partition)?;
        self.let_go(&block);
        Some(block)
    }
    /// Takes a dataset out of the store, with its blocks.
    pub(super) fn remove_dataset(&mut self, id: DatasetId) -> Option<Dataset> {
        let dataset = self.datasets.remove(&id)?;
        dataset.blocks.values().for_each(|block| self.let_go(block));
        Some(dataset)
    }
    fn let_go(&mut self, block: &Block) {
        if let Block::Memory(block) = block {
            self.uses.remove(&block.last_use);
            self.memory_bytes -= block.bytes;
        }
    }

    /// The blocks used longest ago that make `bytes` free together, none of them `of` the dataset that they would make
    /// room for: its partitions would push each other out in turns. None is in use. `None` if there are too few.
    /// Those that do not spill are out of the store then.
    pub(super) fn victims(&mut self, bytes: usize, of: DatasetId) -> Option<Vec<Victim>> {
        let mut freed = 0;
        let mut chosen = Vec::new();
        for id in self.uses.values().filter(|id| id.dataset != of) {
            if freed >= bytes {
                break;
            }
            let dataset = &self.datasets[&id.dataset];
            let Block::Memory(block) = &dataset.blocks[&id.partition] else { continue };
            if !block.leaving && Arc::strong_count(&block.records) == 1 {
                freed += block.bytes;
                chosen.push((*id, dataset.level.use_disk() && !dataset.disk_failed));
            }
        }
        (freed >= bytes).then(|| chosen.into_iter().map(|(id, spills)| self.evict(id, spills)).collect())
    }
    fn evict(&mut self, id: BlockId, spills: bool) -> Victim {
        let held = self.datasets.get_mut(&id.dataset).and_then(|dataset| dataset.blocks.get_mut(&id.partition));
        let Some(Block::Memory(block)) = held else { unreachable!("it was chosen under the same lock") };
        block.leaving = spills;
        let records = block.records.clone();
        if !spills {
            self.remove(id);
        }
        Victim { id, records, spills }
    }
    /// A block that was leaving is on disk now, or nowhere. Returns what the caller drops when the lock is free.
    pub(super) fn spilled(&mut self, id: BlockId, file: Option<DiskFile>) -> (Option<Block>, Option<DiskFile>) {
        let block = self.remove(id);
        match (&block, file) {
            (Some(_), Some(file)) => {
                self.add_to_disk(id, Arc::new(file));
                (block, None)
            }
            (_, file) => (block, file),
        }
    }
    /// The file comes back where its dataset is gone: removing it is not for the store's lock.
    pub(super) fn add_to_disk(&mut self, id: BlockId, file: Arc<DiskFile>) -> Option<Arc<DiskFile>> {
        match self.datasets.get_mut(&id.dataset) {
            Some(dataset) => {
                dataset.blocks.insert(id.partition, Block::Disk(file));
                None
            }
            None => Some(file),
        }
    }

    /// How many blocks are in memory, and on disk.
    pub(super) fn count(&self) -> (usize, usize) {
        let all: usize = self.datasets.values().map(|dataset| dataset.blocks.len()).sum();
        (self.uses.len(), all - self.uses.len())
    }
}
