//! Scratch tables on the local disk: each is a log-structured tree (the `lsm-tree` crate) without a journal, in a
//! folder that goes with it. There are no threads: whoever writes also flushes and compacts, and gets the errors.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

mod buffers;
mod folder;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use buffers::Buffers;
use folder::{SpillFolder, TableFolder};
use headwater_core::env::{SPILL_KEY_BYTES_MAX, SPILL_PAGE_BYTES_MAX, SpillSpace, SpillTable};
use headwater_core::{Error, ErrorKind, Result};
use lsm_tree::{Cache, DescriptorTable};
use std::collections::HashMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use table::DiskTable;
use tree::SpillTree;

/// Bytes of blocks that were read and are kept for the next read, over all tables.
const CACHE_BYTES: u64 = 32 << 20;
/// Bytes that were written and have not gone to the disk, over all tables. Above it the table that has most of them
/// writes them out, and who writes waits for it.
const WRITE_BUFFERS_BYTES: i64 = 16 << 20;
/// Files that are kept open, over all tables; above it those used longest ago are closed.
const OPEN_FILES_MAX: usize = 128;
/// Bytes of a value at most.
const VALUE_BYTES_MAX: usize = u32::MAX as usize;

/// Makes the tables of one environment.
pub(crate) struct DiskSpill {
    shared: LazyLock<Arc<Shared>, Box<dyn FnOnce() -> Arc<Shared> + Send>>,
    /// By the folder that they are in. Each goes with its last table.
    folders: Mutex<HashMap<Option<String>, Weak<SpillFolder>>>,
}

/// What all tables have together, so that their number does not count.
struct Shared {
    cache: Arc<Cache>,
    files: Arc<DescriptorTable>,
    buffers: Buffers,
}

impl Default for DiskSpill {
    fn default() -> Self {
        DiskSpill::with_limits(CACHE_BYTES, WRITE_BUFFERS_BYTES)
    }
}

impl DiskSpill {
    fn with_limits(cache_bytes: u64, write_buffers_bytes: i64) -> DiskSpill {
        let shared = move || {
            let cache = Arc::new(Cache::with_capacity_bytes(cache_bytes));
            let (files, buffers) = (Arc::new(DescriptorTable::new(OPEN_FILES_MAX)), Buffers::new(write_buffers_bytes));
            Arc::new(Shared { cache, files, buffers })
        };
        DiskSpill { shared: LazyLock::new(Box::new(shared)), folders: Mutex::default() }
    }
    fn folder(&self, local_dir: Option<&str>) -> Result<Arc<SpillFolder>> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = folders.get(&local_dir.map(str::to_owned)).and_then(Weak::upgrade) {
            return Ok(folder);
        }
        folders.retain(|_, folder| folder.strong_count() > 0);
        let folder = Arc::new(SpillFolder::create(local_dir)?);
        folders.insert(local_dir.map(str::to_owned), Arc::downgrade(&folder));
        Ok(folder)
    }
}

impl SpillSpace for DiskSpill {
    fn open(&self, local_dir: Option<&str>, name: &str) -> Result<Box<dyn SpillTable>> {
        let folder = self.folder(local_dir)?;
        let files = TableFolder::new(folder);
        let tree = SpillTree::open(name, files.path().to_owned(), &self.shared)?;
        Ok(Box::new(DiskTable::new(tree, files, self.shared.clone())))
    }
}

/// That a record fits into the table called `name`.
pub(crate) fn check_record(name: &str, key: &[u8], value: Option<&[u8]>) -> Result<()> {
    let (key, value) = (key.len(), value.map_or(0, <[u8]>::len));
    let too_large = |what, bytes, max| {
        let message = format!(
            "{what} of {bytes} bytes does not fit into the table {name} of state on disk, which takes up to {max}; make \
             it smaller, or raise headwater.streaming.state_memory_max so that the state stays in memory"
        );
        Err(Error::new(ErrorKind::Resources, message))
    };
    if key > SPILL_KEY_BYTES_MAX {
        return too_large("a key", key, SPILL_KEY_BYTES_MAX);
    }
    if value > VALUE_BYTES_MAX {
        return too_large("a value", value, VALUE_BYTES_MAX);
    }
    Ok(())
}

/// Whether no key can be inside of `range`, which maps of the standard library do not take.
pub(crate) fn is_empty((from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
    }
}

/// The first page of `records`.
pub(crate) fn first_page(
    records: impl Iterator<Item = Result<(Vec<u8>, Vec<u8>)>>,
    limit: usize,
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let (mut page, mut bytes) = (Vec::new(), 0);
    for record in records.take(limit) {
        let (key, value) = record?;
        bytes += key.len() + value.len();
        page.push((key, value));
        if bytes > SPILL_PAGE_BYTES_MAX {
            break;
        }
    }
    Ok(page)
}
