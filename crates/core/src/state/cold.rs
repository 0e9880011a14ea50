//! [`Cold`]: the entries of a partition that are on disk, as bytes, in versions: what a batch changes is a layer of its
//! own above what was there before, and sinks into it when nobody reads that any more. So a task that fails leaves
//! nothing, and a version is read as it was. An entry is in memory or on disk, in every version, and never in both.

mod layer;

use super::memory::Room;
use crate::Result;
use crate::time::Time;
pub(crate) use layer::Id;
use layer::{Layer, earlier};
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::ops::Bound;

pub(super) struct Cold {
    room: Room,
    base: Layer,
    /// What led to each version that is newer than the oldest one in use, oldest first.
    layers: VecDeque<(Time, Layer)>,
    /// What the running batch has changed.
    pending: Layer,
    counts: Counts,
    /// Before the running batch.
    counts_before: Counts,
}

#[derive(Clone, Copy)]
struct Counts {
    keys: usize,
    deadlines: usize,
    /// No deadline is before this.
    due_from: Time,
}

/// Entries by the hash of their keys, or deadlines, of which the last tells where the page behind it begins.
pub(super) struct Page {
    pub(super) records: Vec<(Id, Vec<u8>)>,
    /// The next page begins behind it; none at the end.
    pub(super) last: Option<Id>,
}

impl Cold {
    pub(super) fn new(room: Room) -> Cold {
        let (base, layers, pending) = Default::default();
        let counts = Counts { keys: 0, deadlines: 0, due_from: Time::from_millis(i64::MIN) };
        Cold { room, base, layers, pending, counts, counts_before: counts }
    }
    pub(super) fn room(&self) -> &Room {
        &self.room
    }
    pub(super) fn keys(&self) -> usize {
        self.counts.keys
    }
    /// Bytes in memory of changes that have not sunk.
    pub(super) fn memory_bytes(&self) -> usize {
        self.all_layers().map(Layer::memory_bytes).sum()
    }
    pub(super) fn disk_bytes(&self) -> u64 {
        self.all_layers().map(Layer::disk_bytes).sum()
    }
    /// From the newest to the oldest.
    fn all_layers(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        let committed = self.layers.iter().rev().map(|(_, layer)| layer);
        [&self.pending].into_iter().chain(committed).chain([&self.base])
    }

    /// The entries whose keys have `hash`.
    pub(super) fn get(&self, hash: u64) -> Result<Option<Vec<u8>>> {
        for layer in self.all_layers() {
            if let Some(value) = layer.get(Id::Entries(hash))? {
                return Ok(Some(value).filter(|value| !value.is_empty()));
            }
        }
        Ok(None)
    }
    /// Enters `keys` entries of one hash, where there are none.
    pub(super) fn put(&mut self, hash: u64, entries: Vec<u8>, keys: usize, deadline: Option<Time>) -> Result<()> {
        self.counts.keys += keys;
        if let Some(deadline) = deadline {
            self.counts.deadlines += 1;
            self.counts.due_from = self.counts.due_from.min(deadline);
            self.pending.put(Id::Deadline(deadline, hash), vec![1], &self.room)?;
        }
        self.replace(hash, entries)
    }
    /// As many entries as there are, with the same deadline.
    pub(super) fn replace(&mut self, hash: u64, entries: Vec<u8>) -> Result<()> {
        self.pending.put(Id::Entries(hash), entries, &self.room)
    }
    /// Removes what [`Cold::put`] entered.
    pub(super) fn remove(&mut self, hash: u64, keys: usize, deadline: Option<Time>) -> Result<()> {
        self.counts.keys -= keys;
        if let Some(deadline) = deadline {
            self.counts.deadlines -= 1;
            self.pending.put(Id::Deadline(deadline, hash), Vec::new(), &self.room)?;
        }
        self.pending.put(Id::Entries(hash), Vec::new(), &self.room)
    }

    /// Entries of `version`, or as they are now, from behind `after` on.
    pub(super) fn entries(&self, version: Option<Time>, after: Option<Id>, most: usize) -> Result<Page> {
        let from = after.map_or(Bound::Included(Id::Entries(0)), Bound::Excluded);
        self.page(version, (from, Id::Entries(u64::MAX)), most)
    }
    /// Hashes of entries that are due at `time`. Once it was asked until the end, and all of them were removed, it is not
    /// looked for them again.
    pub(super) fn due(&mut self, time: Time, after: Option<Id>, most: usize) -> Result<Page> {
        if self.counts.deadlines == 0 {
            return Ok(Page { records: Vec::new(), last: None });
        }
        let from = after.map_or(Bound::Included(Id::Deadline(self.counts.due_from, 0)), Bound::Excluded);
        let page = self.page(None, (from, Id::Deadline(time, u64::MAX)), most)?;
        if page.last.is_none() {
            self.counts.due_from = self.counts.due_from.max(time);
        }
        Ok(page)
    }
    fn page(&self, version: Option<Time>, (from, to): (Bound<Id>, Id), most: usize) -> Result<Page> {
        let mut found = BTreeMap::new();
        let mut last = self.base.page((from, to), most, &mut found)?;
        let in_version = |of: Time| version.is_none_or(|version| of <= version);
        let layers = self.layers.iter().take_while(|(of, _)| in_version(*of)).map(|(_, layer)| layer);
        for layer in layers.chain(version.is_none().then_some(&self.pending)) {
            // What is behind the end of this page would be read again for the next.
            last = earlier(last, layer.page((from, last.unwrap_or(to)), most, &mut found)?);
        }
        let in_page = |id: &Id| last.is_none_or(|last| *id <= last);
        let records = found.into_iter().filter(|(id, value)| in_page(id) && !value.is_empty()).collect();
        Ok(Page { records, last })
    }

    /// A batch begins, and nobody reads a version before `oldest` any more. After an error everything is as it was for
    /// whoever reads it.
    pub(super) fn sink(&mut self, oldest: Time) -> Result<()> {
        while let Some((version, layer)) = self.layers.front_mut()
            && *version <= oldest
        {
            self.base.absorb(layer, &self.room)?;
            self.layers.pop_front();
        }
        if self.counts.keys == 0 && self.layers.is_empty() {
            self.base = Layer::default();
        }
        let mut in_memory: usize = self.layers.iter().map(|(_, layer)| layer.memory_bytes()).sum();
        for (_, layer) in &mut self.layers {
            if in_memory <= self.room.changes_bytes() {
                break;
            }
            in_memory -= layer.memory_bytes();
            layer.flush(&self.room)?;
        }
        Ok(())
    }
    pub(super) fn rollback(&mut self) {
        self.pending = Layer::default();
        self.counts = self.counts_before;
    }
    pub(super) fn commit(&mut self, version: Time) {
        if !self.pending.is_empty() {
            self.layers.push_back((version, mem::take(&mut self.pending)));
        }
        self.counts_before = self.counts;
    }
}

#[cfg(test)]
mod tests;
