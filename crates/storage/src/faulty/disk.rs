//! [`Disk`]: what all processes see of the files, and what of it would survive a crash of the machine.

use crate::memory::{Files, MemoryStorage};
use crate::path;
use std::collections::BTreeMap;

pub(super) struct Disk {
    /// What processes see.
    pub(super) files: MemoryStorage,
    /// Of files with unsynced bytes at their end, how many bytes are synced.
    synced: BTreeMap<String, usize>,
    /// What was removed and may be back after a crash.
    removed: Files,
}

impl Disk {
    pub(super) fn new(files: MemoryStorage) -> Disk {
        Disk { files, synced: BTreeMap::new(), removed: Files::new() }
    }
    /// Appends to a file that is there; none is `false`.
    pub(super) fn append(&mut self, path: &str, bytes: &[u8]) -> bool {
        let mut files = self.files.files();
        let Some(file) = files.get_mut(path) else { return false };
        self.synced.entry(path.to_owned()).or_insert(file.len());
        file.extend_from_slice(bytes);
        true
    }
    /// Makes a file durable that is there; none is `false`.
    pub(super) fn sync(&mut self, path: &str) -> bool {
        self.synced.remove(path);
        self.files.files().contains_key(path)
    }
    /// All names in the folder of `path` are durable, and this is a new file or has new content.
    pub(super) fn changed(&mut self, path: &str) {
        let (folder, _) = path::split(path);
        self.removed.retain(|removed, _| path::split(removed).0 != folder);
    }
    /// The whole content was replaced.
    pub(super) fn replaced(&mut self, path: &str) {
        self.synced.remove(path);
        self.changed(path);
    }
    pub(super) fn remove(&mut self, path: &str) {
        let synced = self.synced.remove(path);
        if let Some(mut bytes) = self.files.files().remove(path) {
            bytes.truncate(synced.unwrap_or(usize::MAX));
            self.removed.insert(path.to_owned(), bytes);
        }
    }
    /// What a crash of the machine leaves; `chance` decides what happens to all that was not durable.
    pub(super) fn after_crash(&self, mut chance: Chance) -> Files {
        let mut left = self.files.files().clone();
        for (path, synced) in &self.synced {
            if let Some(bytes) = left.get_mut(path) {
                tear(bytes, *synced, &mut chance);
            }
        }
        for (path, bytes) in &self.removed {
            if chance.below(2) == 0 {
                left.entry(path.clone()).or_insert_with(|| bytes.clone());
            }
        }
        left
    }
}

/// Loses some of what stands behind the first `synced` bytes: all, the end, or a part whose successors are there.
fn tear(bytes: &mut Vec<u8>, synced: usize, chance: &mut Chance) {
    let unsynced = bytes.len() - synced;
    match chance.below(4) {
        0 => bytes.truncate(synced),
        1 => bytes.truncate(synced + chance.below(unsynced + 1)),
        2 => {
            let start = synced + chance.below(unsynced + 1);
            let end = start + chance.below(bytes.len() - start + 1);
            bytes[start..end].fill(0);
        }
        _ => {}
    }
}

/// Numbers that follow from a seed: splitmix64.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// At least 0 and below `end`, which is not 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}
