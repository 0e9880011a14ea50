//! [`Shard`]: the keys of one virtual shard and their states, which a batch changes in place. Every change is logged
//! with what was there before, so that a task that fails leaves nothing, and a version that is not the newest can still
//! be read.

use super::clock::{Clock, Timers};
use crate::hash::{HashSeed, hash_of};
use crate::rdd::combine_table::{detach, prefetch};
use crate::time::Time;
use rapidhash::fast::RapidHashMap;
use std::collections::VecDeque;
use std::hash::Hash;
use std::mem;

/// An index of 4-byte cells, at most half full, over slots in which an entry stays where it is.
pub(super) struct Shard<K, S> {
    seed: HashSeed,
    /// 0: free; else `bits` bits of the slot's number plus one, and above them bits of the hash. A power of two long, or
    /// empty as long as the shard is.
    index: Vec<u32>,
    bits: u32,
    slots: Vec<Option<(K, S)>>,
    /// Vacant slots; the last is taken first.
    free: Vec<u32>,
    /// One for each slot, from the first deadline on.
    clocks: Vec<Clock>,
    pub(super) timers: Timers,
    /// What the running batch has changed.
    log: Log<K, S>,
    clock_log: Vec<(u32, Clock)>,
    /// The memory of a log that is not needed any more.
    spare: Log<K, S>,
    /// What led to each version that is newer than the oldest one in use, oldest first.
    undo: VecDeque<(Time, Log<K, S>)>,
    /// Whether somebody looked at the entry of a slot since the sweep came by; from the first sweep on.
    touched: Vec<bool>,
    /// Where the sweep goes on.
    hand: u32,
}
type Log<K, S> = Vec<(u32, Old<K, S>)>;

/// What a slot held before a change.
enum Old<K, S> {
    Nothing,
    /// Another state of the same key.
    State(S),
    /// A key that was removed.
    Entry(Box<(K, S)>),
}
impl<K, S> Old<K, S> {
    fn key(&self) -> &K {
        match self {
            Old::Entry(entry) => &entry.0,
            Old::State(_) | Old::Nothing => unreachable!("only a removed entry has a key of its own"),
        }
    }
    fn state(&self) -> &S {
        match self {
            Old::Entry(entry) => &entry.1,
            Old::State(state) => state,
            Old::Nothing => unreachable!("what was not there has no state"),
        }
    }
}

/// Where what slots held in a version stands in the logs of the batches that came later. It is right until the next
/// batch has ended, so that who reads page by page makes it once.
#[derive(Clone, Default)]
pub(crate) struct Then {
    /// How many came later.
    batches: usize,
    /// Slots that none of them has changed are as they are now.
    slots: RapidHashMap<u32, Held>,
}
/// The number of a later batch and that of its change.
type At = (usize, usize);
#[derive(Clone, Copy)]
enum Held {
    Nothing,
    /// A state, and a key that was removed there, unless it is in the slot until now.
    Entry {
        removed: Option<At>,
        state: At,
    },
}
impl Then {
    fn of<'a, K: 'a, S: 'a>(newer: impl DoubleEndedIterator<Item = &'a Log<K, S>> + ExactSizeIterator) -> Then {
        let mut then = Then { batches: newer.len(), slots: RapidHashMap::default() };
        for (batch, log) in newer.enumerate().rev() {
            for (change, (slot, old)) in log.iter().enumerate().rev() {
                let at = (batch, change);
                let removed = match (old, then.slots.get(slot)) {
                    (Old::Entry(_), _) => Some(at),
                    (_, Some(Held::Entry { removed, .. })) => *removed,
                    _ => None,
                };
                let held = if matches!(old, Old::Nothing) { Held::Nothing } else { Held::Entry { removed, state: at } };
                then.slots.insert(*slot, held);
            }
        }
        then
    }
}

/// Cells that are looked at before a slot is asked for.
const NEAR: usize = 4;

/// How much longer than the running batch's log the spare one may be.
const SPARE_MAX: usize = 8;

/// Slots that are added at once when all are taken, as a share of those there are: a vector that doubles would waste half.
const GROWTH: usize = 4;

impl<K: Hash + Eq + 'static, S> Shard<K, S> {
    pub(super) fn new(seed: HashSeed) -> Self {
        let (index, slots, free, clocks, timers) = Default::default();
        let (log, clock_log, spare, undo, touched) = Default::default();
        Shard { seed, index, bits: 0, slots, free, clocks, timers, log, clock_log, spare, undo, touched, hand: 0 }
    }
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
    /// Slots that there are, vacant ones too.
    pub(super) fn num_slots(&self) -> usize {
        self.slots.len()
    }
    /// Bytes of the tables, without what keys and states own elsewhere.
    pub(super) fn table_bytes(&self) -> usize {
        self.index.capacity() * size_of::<u32>()
            + self.slots.capacity() * size_of::<Option<(K, S)>>()
            + self.free.capacity() * size_of::<u32>()
            + self.clocks.capacity() * size_of::<Clock>()
            + self.touched.capacity()
            + self.timers.bytes()
    }

    #[inline(always)]
    pub(super) fn prefetch_index(&self, hash: u64) {
        prefetch(self.index.as_ptr().wrapping_add(hash as usize & self.index.len().wrapping_sub(1)));
    }
    /// Asks the cache for the slot of the first key near its place that has the right bits of the hash.
    #[inline(always)]
    pub(super) fn prefetch_slot(&self, hash: u64) {
        let mask = self.index.len().wrapping_sub(1);
        let tag = self.tag(hash);
        for step in 0..NEAR {
            match self.index.get((hash as usize).wrapping_add(step) & mask) {
                None | Some(0) => return,
                Some(cell) if (cell ^ tag) >> self.bits == 0 => {
                    let behind = self.slots.as_ptr().wrapping_add(self.number(*cell) as usize);
                    prefetch(behind.wrapping_sub(1));
                    // A slot may lie across two lines of the cache.
                    return prefetch(behind.cast::<u8>().wrapping_sub(1));
                }
                Some(_) => {}
            }
        }
    }

    /// The slot of `key`, whose hash is `hash`.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<u32> {
        let mask = self.index.len().wrapping_sub(1);
        let tag = self.tag(hash);
        let mut at = hash as usize & mask;
        loop {
            let cell = *self.index.get(at)?;
            if cell == 0 {
                return None;
            }
            if (cell ^ tag) >> self.bits == 0 {
                let slot = self.number(cell) - 1;
                if self.slots[slot as usize].as_ref().is_some_and(|(known, _)| known == key) {
                    return Some(slot);
                }
            }
            at = (at + 1) & mask;
        }
    }
    #[inline(always)]
    pub(super) fn get(&self, slot: u32) -> Option<&(K, S)> {
        self.slots[slot as usize].as_ref()
    }
    /// The entry of a slot that is known to hold one.
    #[inline(always)]
    pub(super) fn entry(&self, slot: u32) -> &(K, S) {
        self.get(slot).expect("the slot is taken")
    }

    /// Enters a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, mut key: K, state: S) -> u32 {
        detach(&mut key);
        let slot = self.vacant();
        self.slots[slot as usize] = Some((key, state));
        self.link(hash, slot);
        self.log.push((slot, Old::Nothing));
        self.touch(slot);
        slot
    }
    #[inline(always)]
    pub(super) fn replace(&mut self, slot: u32, state: S) {
        let (_, known) = self.slots[slot as usize].as_mut().expect("the slot is taken");
        let old = mem::replace(known, state);
        self.log.push((slot, Old::State(old)));
    }
    pub(super) fn remove(&mut self, slot: u32) {
        self.set_clock(slot, Clock::NONE);
        self.unlink(slot);
        let entry = self.slots[slot as usize].take().expect("the slot is taken");
        self.free.push(slot);
        self.log.push((slot, Old::Entry(Box::new(entry))));
    }

    pub(super) fn clock(&self, slot: u32) -> Clock {
        self.clocks.get(slot as usize).copied().unwrap_or(Clock::NONE)
    }
    pub(super) fn set_clock(&mut self, slot: u32, clock: Clock) {
        let old = self.clock(slot);
        if clock == old {
            return;
        }
        if self.clocks.len() < self.slots.len() {
            self.clocks.reserve_exact(self.slots.capacity() - self.clocks.len());
            self.clocks.resize(self.slots.len(), Clock::NONE);
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

    /// The entries of all keys with that hash.
    pub(super) fn slots_of(&self, hash: u64) -> Vec<u32> {
        let (mask, tag, mut found) = (self.index.len().wrapping_sub(1), self.tag(hash), Vec::new());
        let mut at = hash as usize & mask;
        while let Some(cell) = self.index.get(at).filter(|cell| **cell != 0) {
            let slot = self.number(*cell).wrapping_sub(1);
            if (cell ^ tag) >> self.bits == 0 && hash_of(self.seed, &self.entry(slot).0) == hash {
                found.push(slot);
            }
            at = (at + 1) & mask;
        }
        found
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
        self.touched.resize(self.slots.len(), true);
        while *left > 0 {
            *left -= 1;
            let slot = if (self.hand as usize) < self.slots.len() { self.hand } else { 0 };
            self.hand = slot + 1;
            if !mem::take(&mut self.touched[slot as usize]) && self.get(slot).is_some() {
                return Some(slot);
            }
        }
        None
    }

    /// The slots that the running batch has changed, maybe more than once.
    pub(super) fn changed(&self) -> impl Iterator<Item = u32> {
        self.log.iter().map(|(slot, _)| *slot)
    }
    /// As it was before the batch.
    pub(super) fn rollback(&mut self) {
        self.timers.rollback();
        while let Some((slot, clock)) = self.clock_log.pop() {
            self.clocks[slot as usize] = clock;
        }
        while let Some((slot, old)) = self.log.pop() {
            let at = slot as usize;
            match old {
                Old::State(state) => self.slots[at].as_mut().expect("its key was there").1 = state,
                Old::Nothing => {
                    self.unlink(slot);
                    self.slots[at] = None;
                    self.free.push(slot);
                }
                Old::Entry(entry) => {
                    let vacant = self.free.pop();
                    debug_assert_eq!(vacant, Some(slot), "changes are undone in reverse order");
                    let hash = hash_of(self.seed, &entry.0);
                    self.slots[at] = Some(*entry);
                    self.link(hash, slot);
                }
            }
        }
    }
    /// The batch has made `version`.
    pub(super) fn commit(&mut self, version: Time) {
        let live = self.len();
        self.timers.commit(live, || self.clocks.iter().map(|clock| clock.armed));
        self.clock_log.clear();
        if !self.log.is_empty() {
            let next = mem::take(&mut self.spare);
            self.undo.push_back((version, mem::replace(&mut self.log, next)));
        }
    }
    /// Nobody reads a version before `oldest` any more.
    pub(super) fn forget_before(&mut self, oldest: Time) {
        while let Some((_, mut log)) = self.undo.pop_front_if(|(version, _)| *version <= oldest) {
            log.clear();
            // One batch's log is about as long as the next one's; one that was much longer is given back.
            let fits = log.capacity() / SPARE_MAX <= self.log.len();
            if fits && log.capacity() > self.spare.capacity() {
                self.spare = log;
            }
        }
    }

    /// The entries of `version` in slots from `from` on, as long as `take` wants more; the slot to go on at, or none at
    /// the end. `then` is what the call before found out about the version, if there was one.
    pub(super) fn scan(
        &self,
        version: Time,
        from: usize,
        then: &mut Then,
        mut take: impl FnMut(&K, &S) -> bool,
    ) -> Option<usize> {
        let oldest_newer = self.undo.partition_point(|(changed, _)| *changed <= version);
        let newer = || self.undo.range(oldest_newer..).map(|(_, log)| log);
        if then.batches != newer().len() {
            *then = Then::of(newer());
        }
        for (at, slot) in self.slots.iter().enumerate().skip(from) {
            let old = |(batch, change): At| &self.undo[oldest_newer + batch].1[change].1;
            let entry = match then.slots.get(&(at as u32)) {
                None => slot.as_ref().map(|(key, state)| (key, state)),
                Some(Held::Nothing) => None,
                Some(Held::Entry { removed, state }) => {
                    let key = removed.map_or_else(|| &self.entry(at as u32).0, |removed| old(removed).key());
                    Some((key, old(*state).state()))
                }
            };
            if let Some((key, state)) = entry
                && !take(key, state)
            {
                return Some(at + 1);
            }
        }
        None
    }

    fn vacant(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        let slots = self.slots.len();
        assert!(slots < u32::MAX as usize / 4, "a state shard holds at most 2^30 keys: use more shards");
        if slots == self.slots.capacity() {
            self.slots.reserve_exact((slots / GROWTH).max(4));
        }
        if 2 * (slots + 1) > self.index.len() {
            self.index_all((2 * (slots + 1)).next_power_of_two().max(16));
        }
        self.slots.push(None);
        if !self.clocks.is_empty() {
            self.clocks.push(Clock::NONE);
        }
        slots as u32
    }
    #[cold]
    fn index_all(&mut self, cells: usize) {
        self.bits = cells.trailing_zeros();
        self.index = Vec::new(); // first the old memory, then the new
        self.index = vec![0; cells];
        for slot in 0..self.slots.len() as u32 {
            if let Some((key, _)) = &self.slots[slot as usize] {
                self.link(hash_of(self.seed, key), slot);
            }
        }
    }
    fn link(&mut self, hash: u64, slot: u32) {
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        while self.index[at] != 0 {
            at = (at + 1) & mask;
        }
        self.index[at] = self.tag(hash) | (slot + 1);
    }
    /// Takes the slot out of the index, and lets those behind it move up, so that no gap cuts them off.
    fn unlink(&mut self, slot: u32) {
        let mask = self.index.len() - 1;
        let home = |shard: &Self, cell: u32| {
            let (key, _) = shard.entry(shard.number(cell) - 1);
            hash_of(shard.seed, key) as usize & mask
        };
        let mut hole = hash_of(self.seed, &self.entry(slot).0) as usize & mask;
        while self.number(self.index[hole]) != slot + 1 {
            hole = (hole + 1) & mask;
        }
        let mut next = (hole + 1) & mask;
        while self.index[next] != 0 {
            let wanted = home(self, self.index[next]);
            if next.wrapping_sub(wanted) & mask >= next.wrapping_sub(hole) & mask {
                self.index[hole] = self.index[next];
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.index[hole] = 0;
    }
    /// The hash's bits from 32 on, above the slot's number. The cell's place uses the lowest ones, and the shard is one
    /// by the highest.
    #[inline(always)]
    fn tag(&self, hash: u64) -> u32 {
        ((hash >> 32) as u32) << self.bits
    }
    #[inline(always)]
    fn number(&self, cell: u32) -> u32 {
        cell & ((1 << self.bits) - 1)
    }
}

#[cfg(test)]
mod tests;
