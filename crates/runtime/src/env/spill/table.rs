//! A table on disk, as its owner sees it: a tree and its folder, which go with it.

use super::folder::TableFolder;
use super::tree::SpillTree;
use super::{Shared, check_record, first_page, is_empty};
use headwater_core::Result;
use headwater_core::env::SpillTable;
use std::ops::Bound;
use std::sync::Arc;

pub(super) struct DiskTable {
    tree: Arc<SpillTree>,
    /// Goes behind the tree, which closes its files.
    _files: TableFolder,
    shared: Arc<Shared>,
}

impl DiskTable {
    pub(super) fn new(tree: Arc<SpillTree>, files: TableFolder, shared: Arc<Shared>) -> DiskTable {
        DiskTable { tree, _files: files, shared }
    }
}

impl SpillTable for DiskTable {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        // A longer one is in no table.
        if check_record(self.tree.name(), key, None).is_err() { Ok(None) } else { self.tree.get(key) }
    }
    fn write(&mut self, changes: &mut dyn Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<()> {
        for (key, value) in changes {
            check_record(self.tree.name(), &key, value.as_deref())?;
            self.shared.buffers.grow(self.tree.change(&key, value))?;
            self.tree.compact()?;
        }
        Ok(())
    }
    fn page(&self, range: (Bound<&[u8]>, Bound<&[u8]>), limit: usize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        if is_empty(range) { Ok(Vec::new()) } else { first_page(self.tree.range(range), limit) }
    }
    fn bytes_on_disk(&self) -> u64 {
        self.tree.bytes_on_disk()
    }
}

impl Drop for DiskTable {
    fn drop(&mut self) {
        self.shared.buffers.remove(&self.tree);
    }
}
