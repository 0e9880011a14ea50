//! [`KeyedState`]: the states of the keys of one partition, which a batch changes in place: their table, what led to its
//! versions, and the clocks of the keys.

use super::clock::{Clock, Timers};
use super::cold::Id;
use super::given::{Given, Slots};
use super::table::{Moved, Table};
use super::versions::{Then, Versions};
use crate::hash::{HashSeed, hash_of};
use crate::time::Time;
use crate::{Key, Record, Result};
use std::mem;
use std::ops::Range;

/// Records whose cache misses overlap.
const GROUP: usize = 128;

/// Slots from which on a table outgrows the near caches and prefetching pays.
const LARGE: usize = if cfg!(test) { 4 } else { 1 << 15 };
/// How many slots ahead the cache is asked for what was touched.
const AHEAD: usize = 16;

/// A table of so many slots of which so few are taken, one in so many, is made smaller.
const SPARSE_MIN: usize = if cfg!(test) { 4 } else { 1024 };
const SPARSE: usize = if cfg!(test) { 2 } else { 8 };

pub(crate) struct KeyedState<K, S> {
    table: Table<K, S>,
    versions: Versions<K, S>,
    /// One for each slot, from the first deadline on.
    clocks: Vec<Clock>,
    timers: Timers,
    /// The clocks that the running batch has changed, as they were.
    clock_log: Vec<(u32, Clock)>,
    /// Whether somebody looked at the entry of a slot since the sweep came by; from the first sweep on.
    touched: Vec<bool>,
    /// Where the sweep goes on.
    hand: u32,
}

impl<K: Key, S: Record> KeyedState<K, S> {
    pub(crate) fn new(seed: HashSeed) -> Self {
        let (versions, clocks, timers, clock_log, touched) = Default::default();
        KeyedState { table: Table::new(seed), versions, clocks, timers, clock_log, touched, hand: 0 }
    }
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
    /// Slots that there are, vacant ones too.
    pub(super) fn num_slots(&self) -> usize {
        self.table.num_slots()
    }
    /// Bytes of the tables, without what keys and states own elsewhere.
    pub(crate) fn table_bytes(&self) -> usize {
        self.table.bytes() + self.clocks.capacity() * size_of::<Clock>() + self.touched.capacity() + self.timers.bytes()
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.table.seed()
    }
    #[inline(always)]
    pub(crate) fn hash(&self, key: &K) -> u64 {
        hash_of(self.table.seed(), key)
    }
    /// Calls `each` with every record of `chunk` and the hash of its key, and leaves the chunk empty. The places of a
    /// group are found first, so that its cache misses overlap.
    #[inline]
    pub(crate) fn each_hashed<V, E>(
        &mut self,
        chunk: &mut Vec<(K, V)>,
        mut each: impl FnMut(&mut Self, u64, K, V) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hashes = [0; GROUP];
        let prefetches = self.is_large();
        let mut records = chunk.drain(..);
        while !records.as_slice().is_empty() {
            let group = &records.as_slice()[..records.len().min(GROUP)];
            let hashes = &mut hashes[..group.len()];
            for (hash, (key, _)) in hashes.iter_mut().zip(group) {
                *hash = self.hash(key);
            }
            if prefetches {
                hashes.iter().for_each(|hash| self.table.prefetch_index(*hash));
                hashes.iter().for_each(|hash| self.table.prefetch_slot(*hash));
            }
            for (hash, (key, value)) in hashes.iter().zip(records.by_ref()) {
                each(self, *hash, key, value)?;
            }
        }
        Ok(())
    }

    /// The slot of `key`, whose hash is `hash`.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<u32> {
        self.table.find(hash, key)
    }
    /// The entries of all keys with that hash.
    pub(super) fn slots_of(&self, hash: u64) -> Vec<u32> {
        self.table.slots_of(hash)
    }
    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> Option<&(K, S)> {
        self.table.get(slot)
    }
    /// The entry of a slot that is known to hold one.
    #[inline(always)]
    pub(super) fn entry(&self, slot: u32) -> &(K, S) {
        self.table.entry(slot)
    }

    /// Enters a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, key: K, state: S) -> u32 {
        let slot = self.table.insert(hash, key, state);
        if !self.clocks.is_empty() && self.clocks.len() < self.num_slots() {
            self.clocks.push(Clock::NONE);
        }
        self.versions.note_inserted(slot);
        self.touch(slot);
        slot
    }
    #[inline(always)]
    pub(super) fn replace(&mut self, slot: u32, state: S) {
        let old = self.table.replace(slot, state);
        self.versions.note_replaced(slot, old);
    }
    pub(super) fn remove(&mut self, slot: u32) {
        self.set_clock(slot, Clock::NONE);
        let entry = self.table.remove(slot);
        self.versions.note_removed(slot, entry);
    }

    pub(super) fn clock(&self, slot: u32) -> Clock {
        self.clocks.get(slot as usize).copied().unwrap_or(Clock::NONE)
    }
    pub(super) fn set_clock(&mut self, slot: u32, clock: Clock) {
        let old = self.clock(slot);
        if clock == old {
            return;
        }
        if self.clocks.len() < self.num_slots() {
            self.clocks.reserve_exact(self.table.slot_capacity() - self.clocks.len());
            self.clocks.resize(self.num_slots(), Clock::NONE);
        }
        self.clocks[slot as usize] = self.timers.arm(slot, clock);
        self.clock_log.push((slot, old));
    }
    /// The slots whose deadline has come by `time`, earliest first. Whoever asks sets their clocks.
    pub(super) fn due(&mut self, time: Time) -> Vec<u32> {
        let mut due = Vec::new();
        let taken = self.timers.take(time);
        for (deadline, slots) in &taken {
            for slot in slots {
                let clock = self.clock(*slot);
                if clock.armed != *deadline {
                    continue; // Another key has the slot by now, or is held elsewhere.
                }
                self.clock_log.push((*slot, clock));
                let unarmed = Clock { armed: Clock::NEVER, ..clock };
                if clock.deadline() <= time {
                    due.push(*slot);
                    self.clocks[*slot as usize] = unarmed;
                } else {
                    self.clocks[*slot as usize] = self.timers.arm(*slot, unarmed);
                }
            }
        }
        self.timers.was_taken(taken);
        due
    }

    /// The entry is worth its place in memory.
    #[inline(always)]
    pub(super) fn touch(&mut self, slot: u32) {
        if let Some(touched) = self.touched.get_mut(slot as usize) {
            *touched = true;
        }
    }
    /// The next entry that was not touched since the sweep came by last; none once it has looked at `left` slots.
    pub(super) fn sweep(&mut self, left: &mut usize) -> Option<u32> {
        self.touched.resize(self.num_slots(), true);
        while *left > 0 {
            *left -= 1;
            let slot = if (self.hand as usize) < self.num_slots() { self.hand } else { 0 };
            self.hand = slot + 1;
            if !mem::take(&mut self.touched[slot as usize]) && self.get(slot).is_some() {
                return Some(slot);
            }
        }
        None
    }

    /// A batch begins, while nobody reads, and versions before `oldest` are not read any more: a table that was much larger
    /// once gives its room back. Where its entries have moved, if they have.
    pub(super) fn compact(&mut self, oldest: Time) -> Option<Moved> {
        if self.num_slots() < SPARSE_MIN || self.num_slots() / SPARSE <= self.len() {
            return None;
        }
        self.versions.forget_before(oldest);
        if !self.versions.are_one() {
            return None;
        }
        let moved = self.table.compact();
        moved.apply(&mut self.touched);
        self.hand = 0;
        moved.apply(&mut self.clocks);
        self.timers.hold(self.clocks.iter().map(|clock| clock.armed));
        Some(moved)
    }
    /// The slots that the running batch has changed, maybe more than once.
    pub(super) fn changed(&self) -> impl Iterator<Item = u32> {
        self.versions.changed(0).map(|(slot, _)| slot)
    }
    /// Whether it is so large that another look at an entry is likely to wait for memory.
    #[inline(always)]
    pub(super) fn is_large(&self) -> bool {
        self.num_slots() > LARGE
    }
    /// How many changes the running batch has made.
    #[inline(always)]
    pub(super) fn num_changes(&self) -> usize {
        self.versions.num_changes()
    }
    /// Calls `each` with the slots of which the running batch has changed the entry or the deadlines, each once, and with
    /// the state before the batch where it did no more than replace that; without what is `given`.
    pub(super) fn each_touched(
        &self,
        given: &Given,
        mut each: impl FnMut(u32, Option<&S>) -> Result<()>,
    ) -> Result<()> {
        let mut known = Slots::default();
        let deadlines = self.clock_log.iter().map(|(slot, _)| *slot);
        for slot in deadlines.chain(self.versions.removed_slots()).chain(given.again.iter()) {
            if known.insert(slot) {
                each(slot, None)?;
            }
        }
        let mut ahead = self.versions.changed(given.changes + AHEAD);
        for (slot, old) in self.versions.changed(given.changes) {
            ahead.next().into_iter().for_each(|(slot, _)| self.table.prefetch(slot));
            if known.insert(slot) {
                each(slot, old.filter(|_| !given.slots.has(slot)))?;
            }
        }
        Ok(())
    }
    /// The keys that the running batch has removed from memory and that are not there now.
    pub(super) fn removed_keys(&self) -> impl Iterator<Item = (u64, &K)> {
        let hashed = self.versions.removed().map(|key| (self.hash(key), key));
        hashed.filter(|(hash, key)| self.find(*hash, key).is_none())
    }
    /// As it was before the batch.
    pub(crate) fn rollback(&mut self) {
        self.timers.rollback();
        while let Some((slot, clock)) = self.clock_log.pop() {
            self.clocks[slot as usize] = clock;
        }
        self.versions.rollback(&mut self.table);
    }
    /// The batch has made `version`; versions before `oldest` are not read any more.
    pub(crate) fn commit(&mut self, version: Time, oldest: Time) {
        self.versions.forget_before(oldest);
        let live = self.len();
        self.timers.commit(live, || self.clocks.iter().map(|clock| clock.armed));
        self.clock_log.clear();
        self.versions.commit(version);
    }
    /// Of what is in memory: fills `out` with up to `most` of what `take` makes of the entries of `version`, from `cursor`
    /// on; the cursor to go on at, or none at the end.
    pub(crate) fn scan<R>(
        &self,
        version: Time,
        cursor: Cursor,
        most: usize,
        out: &mut Vec<R>,
        mut take: impl FnMut(&K, &S) -> Option<R>,
    ) -> Option<Cursor> {
        let Cursor::Memory { slot: from, mut then } = cursor else { return None };
        let more = |key: &K, state: &S| {
            out.extend(take(key, state));
            out.len() < most
        };
        let slot = self.versions.scan(&self.table, version, from, &mut then, more)?;
        Some(Cursor::Memory { slot, then })
    }
    /// All entries as they are now, with their clocks.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, &S, Clock)> {
        self.entries_in(0..self.num_slots())
    }
    /// Those in some of the slots.
    pub(super) fn entries_in(&self, slots: Range<usize>) -> impl Iterator<Item = (&K, &S, Clock)> {
        let slots = slots.start as u32..slots.end.min(self.num_slots()) as u32;
        slots.filter_map(|slot| self.get(slot).map(|(key, state)| (key, state, self.clock(slot))))
    }
}

/// How far a scan has come.
pub(crate) enum Cursor {
    Memory {
        slot: usize,
        then: Then,
    },
    /// Behind what is in memory; behind an entry on disk, if it is one.
    Disk(Option<Id>),
}
impl Default for Cursor {
    fn default() -> Self {
        Cursor::Memory { slot: 0, then: Then::default() }
    }
}

#[cfg(test)]
mod tests;
