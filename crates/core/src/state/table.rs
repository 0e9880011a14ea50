//! [`Table`]: the keys of a partition and their states, found by the hashes of the keys. It knows nothing of versions.

use crate::hash::{HashSeed, hash_of};
use crate::rdd::combine_table::{detach, prefetch};
use std::hash::Hash;
use std::mem;

/// An index of 4-byte cells, at most half full, over slots in which an entry stays where it is.
pub(super) struct Table<K, S> {
    seed: HashSeed,
    /// 0: free; else `bits` bits of the slot's number plus one, and above them bits of the hash. A power of two long, or
    /// empty as long as the table is.
    index: Vec<u32>,
    bits: u32,
    slots: Vec<Option<(K, S)>>,
    /// Vacant slots; the last is taken first.
    free: Vec<u32>,
}

/// Where the entry of each slot has moved, if it had one.
pub(super) struct Moved(Vec<Option<u32>>);
impl Moved {
    /// The new slot of one that held an entry.
    pub(super) fn of(&self, slot: u32) -> u32 {
        self.0[slot as usize].expect("the slot held an entry")
    }
    /// Leaves of what there is for each slot, maybe not of the last ones, what is for entries, in their new order.
    pub(super) fn apply<T>(&self, of_slots: &mut Vec<T>) {
        let all = mem::take(of_slots).into_iter().zip(&self.0);
        *of_slots = all.filter_map(|(of_slot, moved)| moved.map(|_| of_slot)).collect();
        of_slots.shrink_to_fit();
    }
}

/// Cells that are looked at before a slot is asked for.
const NEAR: usize = 4;

/// Slots that are added at once when all are taken, as a share of those there are: a vector that doubles would waste half.
const GROWTH: usize = 4;

impl<K: Hash + Eq + 'static, S> Table<K, S> {
    pub(super) fn new(seed: HashSeed) -> Self {
        let (index, slots, free) = Default::default();
        Table { seed, index, bits: 0, slots, free }
    }
    pub(super) fn seed(&self) -> HashSeed {
        self.seed
    }
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
    /// Slots that there are, vacant ones too.
    pub(super) fn num_slots(&self) -> usize {
        self.slots.len()
    }
    /// Slots that there are and those that there is memory for.
    pub(super) fn slot_capacity(&self) -> usize {
        self.slots.capacity()
    }
    /// Bytes of the table, without what keys and states own elsewhere.
    pub(super) fn bytes(&self) -> usize {
        self.index.capacity() * size_of::<u32>()
            + self.slots.capacity() * size_of::<Option<(K, S)>>()
            + self.free.capacity() * size_of::<u32>()
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

    /// Asks the cache for a slot.
    #[inline(always)]
    pub(super) fn prefetch(&self, slot: u32) {
        let at = self.slots.as_ptr().wrapping_add(slot as usize);
        prefetch(at);
        prefetch(at.wrapping_add(1).cast::<u8>().wrapping_sub(1));
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
    /// Enters a key that is not there.
    pub(super) fn insert(&mut self, hash: u64, mut key: K, state: S) -> u32 {
        detach(&mut key);
        let slot = self.vacant();
        self.slots[slot as usize] = Some((key, state));
        self.link(hash, slot);
        slot
    }
    /// The state that was there.
    #[inline(always)]
    pub(super) fn replace(&mut self, slot: u32, state: S) -> S {
        let (_, known) = self.slots[slot as usize].as_mut().expect("the slot is taken");
        mem::replace(known, state)
    }
    pub(super) fn remove(&mut self, slot: u32) -> (K, S) {
        self.unlink(slot);
        self.free.push(slot);
        self.slots[slot as usize].take().expect("the slot is taken")
    }
    /// Takes back a removal, where all that came behind it was taken back.
    pub(super) fn restore(&mut self, slot: u32, entry: (K, S)) {
        let vacant = self.free.pop();
        debug_assert_eq!(vacant, Some(slot), "changes are undone in reverse order");
        let hash = hash_of(self.seed, &entry.0);
        self.slots[slot as usize] = Some(entry);
        self.link(hash, slot);
    }

    /// Moves the entries together, in the order of their slots, and gives back what they do not need: where each slot's
    /// entry is now.
    pub(super) fn compact(&mut self) -> Moved {
        let mut to = 0;
        let moved = self.slots.iter().map(|slot| slot.as_ref().map(|_| (to, to += 1).0)).collect();
        self.slots.retain(Option::is_some);
        self.slots.shrink_to_fit();
        self.free = Vec::new();
        self.index_all((2 * self.slots.len()).next_power_of_two().max(16));
        Moved(moved)
    }

    fn vacant(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        let slots = self.slots.len();
        assert!(slots < u32::MAX as usize / 4, "a partition of a state holds at most 2^30 keys: use more partitions");
        if slots == self.slots.capacity() {
            self.slots.reserve_exact((slots / GROWTH).max(4));
        }
        if 2 * (slots + 1) > self.index.len() {
            self.index_all((2 * (slots + 1)).next_power_of_two().max(16));
        }
        self.slots.push(None);
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
        let home = |table: &Self, cell: u32| {
            let (key, _) = table.entry(table.number(cell) - 1);
            hash_of(table.seed, key) as usize & mask
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
    /// The hash's bits from 32 on, above the slot's number. The cell's place uses the lowest ones, and the partition is
    /// one by the highest.
    #[inline(always)]
    fn tag(&self, hash: u64) -> u32 {
        ((hash >> 32) as u32) << self.bits
    }
    #[inline(always)]
    fn number(&self, cell: u32) -> u32 {
        cell & ((1 << self.bits) - 1)
    }
}
