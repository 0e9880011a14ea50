//! A table's tree: changes gather in memory, sorted, until they are flushed to a file; files are merged by compaction.

use super::Shared;
use headwater_core::env::SPILL_KEY_BYTES_MAX;
use headwater_core::{Error, Result};
use lsm_tree::compaction::Leveled;
use lsm_tree::config::CompressionPolicy;
use lsm_tree::{AbstractTree, AnyTree, Config, Guard, SeqNo, SequenceNumberCounter};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of a file that compaction makes.
const FILE_BYTES: u64 = 8 << 20;
/// Compactions behind each flush: one for what it added, one for what that sets off further down.
const COMPACTIONS_PER_FLUSH: usize = 2;
/// Before each key, since the tree takes no empty one.
const KEY_PREFIX: u8 = 0;

pub(super) struct SpillTree {
    name: String,
    path: PathBuf,
    tree: AnyTree,
    /// The number of the next change. A later change of a key wins.
    changes: SequenceNumberCounter,
    /// Bytes of changes that no flush has taken yet.
    buffered: AtomicI64,
    /// Flushes that were not followed by compactions yet.
    flushes: AtomicUsize,
    /// Held by a writer for one change, and by a flush while it takes the buffer.
    buffer: Mutex<()>,
}

impl SpillTree {
    pub(super) fn open(name: &str, path: PathBuf, shared: &Shared) -> Result<Arc<SpillTree>> {
        let changes = SequenceNumberCounter::default();
        let config = Config::new(&path, changes.clone(), SequenceNumberCounter::default())
            .use_cache(shared.cache.clone())
            .use_descriptor_table(Some(shared.files.clone()))
            .data_block_compression_policy(CompressionPolicy::disabled());
        let tree = config.open().map_err(|error| failed("make", name, &path, error))?;
        let (buffered, flushes, buffer) = Default::default();
        let tree = Arc::new(SpillTree { name: name.to_owned(), path, tree, changes, buffered, flushes, buffer });
        shared.buffers.add(&tree);
        Ok(tree)
    }
    pub(super) fn name(&self) -> &str {
        &self.name
    }
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.tree.disk_space()
    }
    pub(super) fn buffered(&self) -> i64 {
        self.buffered.load(Ordering::Relaxed)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let value = self.tree.get(prefixed(key), SeqNo::MAX).map_err(|error| self.failed("read", error))?;
        Ok(value.map(|value| value.to_vec()))
    }
    /// The records inside of `range`, which is not empty.
    pub(super) fn range(
        &self,
        (from, to): (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>)>> + '_ {
        // The tree takes no longer key, not even as a bound; where a bound is cut, nothing lies between.
        let cut = |key: &[u8]| key.len() > SPILL_KEY_BYTES_MAX;
        let from = match from {
            Bound::Included(key) if cut(key) => Bound::Excluded(&key[..SPILL_KEY_BYTES_MAX]),
            from => from.map(|key| &key[..key.len().min(SPILL_KEY_BYTES_MAX)]),
        };
        let to = match to {
            Bound::Excluded(key) if cut(key) => Bound::Included(&key[..SPILL_KEY_BYTES_MAX]),
            to => to.map(|key| &key[..key.len().min(SPILL_KEY_BYTES_MAX)]),
        };
        let records = self.tree.range((from.map(prefixed), to.map(prefixed)), SeqNo::MAX, None);
        records.map(|record| match record.into_inner() {
            Ok((key, value)) => Ok((key[1..].to_vec(), value.to_vec())),
            Err(error) => Err(self.failed("read", error)),
        })
    }
    /// Takes a change into the buffer; how many bytes that are.
    pub(super) fn change(&self, key: &[u8], value: Option<Vec<u8>>) -> i64 {
        let key = prefixed(key);
        let _turn = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.changes.next();
        let (bytes, _) = match value {
            Some(value) => self.tree.insert(key, value, number),
            None => self.tree.remove(key, number),
        };
        self.buffered.fetch_add(bytes as i64, Ordering::Relaxed);
        bytes as i64
    }
    /// Writes the buffer to a file; how many bytes of it are free now. What cannot be written stays, to be tried again.
    pub(super) fn flush(&self) -> Result<i64> {
        let turn = self.tree.get_flush_lock();
        let bytes = {
            let _no_change = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
            self.tree.rotate_memtable();
            self.buffered.swap(0, Ordering::Relaxed)
        };
        match self.tree.flush(&turn, self.changes.get()) {
            Ok(_) => {
                self.flushes.fetch_add(1, Ordering::Relaxed);
                Ok(bytes)
            }
            Err(error) => {
                self.buffered.fetch_add(bytes, Ordering::Relaxed);
                Err(self.failed("write", error))
            }
        }
    }
    /// Merges files, as far as flushes have made it necessary.
    pub(super) fn compact(&self) -> Result<()> {
        // The usual case, for every change.
        if self.flushes.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        for _ in 0..self.flushes.swap(0, Ordering::Relaxed) * COMPACTIONS_PER_FLUSH {
            let strategy = Arc::new(Leveled::default().with_table_target_size(FILE_BYTES));
            self.tree.compact(strategy, self.changes.get()).map_err(|error| self.failed("write", error))?;
        }
        Ok(())
    }
    fn failed(&self, what: &str, error: lsm_tree::Error) -> Error {
        failed(what, &self.name, &self.path, error)
    }
}

impl Drop for SpillTree {
    fn drop(&mut self) {
        // So that the cache of open files lets go of them, and the disk of their bytes. What fails leaves files, which
        // go with their folder.
        let _dropped = self.tree.drop_range::<&[u8], _>(..);
    }
}

fn prefixed(key: &[u8]) -> Vec<u8> {
    let mut prefixed = Vec::with_capacity(key.len() + 1);
    prefixed.push(KEY_PREFIX);
    prefixed.extend_from_slice(key);
    prefixed
}

fn failed(what: &str, name: &str, path: &std::path::Path, error: lsm_tree::Error) -> Error {
    let path = path.display();
    let message = format!("cannot {what} the table {name} of state on disk, in {path} (see headwater.local_dir)");
    match error {
        lsm_tree::Error::Io(error) => Error::outside(message, error),
        damaged => Error::outside(message, damaged),
    }
}
