//! The slots and entries of a combine table: an index of 4-byte slots, at most a quarter full, over a dense vector of
//! entries. Early keys, which are the frequent ones in skewed data, lie together at the front of the vector.
#![allow(unsafe_code, reason = "a probe trusts the index, and a total is moved through the user's function")]

use std::{mem, ptr, vec};

use super::{Entry, detach};
use crate::hash::HashSeed;

/// Combines records by key.
///
/// The table holds at most 2^30 keys and panics beyond: a job with more keys in one task needs more partitions. If a
/// function of the aggregator panics, the table drops all it holds and is empty.
///
/// ```
/// use headwater_core::hash::HashSeed;
/// use headwater_core::rdd::{aggregator::Reducing, combine_table::CombineTable};
///
/// let mut table = CombineTable::with_capacity(HashSeed::new(7), 16);
/// table.merge_chunk(&mut vec![("be", 1u64), ("or", 1), ("be", 1)], &Reducing(|a, b| a + b));
/// let counts: Vec<_> = table.into_entries().map(|entry| (entry.key, entry.value)).collect();
/// assert_eq!(counts, [("be", 2), ("or", 1)]);
/// ```
pub struct CombineTable<K, C> {
    seed: HashSeed,
    /// 0: free; else `bits` bits of the entry's number plus one, and above them bits of the hash. A power of two long.
    /// It is mostly empty because a second probe is a branch misprediction.
    ///
    /// Invariant: a number in a slot is that of an entry that exists.
    index: Vec<u32>,
    /// The binary logarithm of the index's length.
    bits: u32,
    /// In the order of their first record.
    entries: Vec<Entry<K, C>>,
}

/// Slots per entry.
const SPARSE: usize = 4;
/// Slots from which on a table outgrows the near caches and prefetching pays.
const LARGE: usize = 1 << 15;
/// The index grows to 2^31 slots, so that one bit of the hash is left in a slot, and is then filled further.
const BITS_MAX: u32 = 31;
/// Entries from which on the largest index would be more than half full.
const KEYS_MAX: usize = 1 << 30;

impl<K: Eq + 'static, C> CombineTable<K, C> {
    /// An empty table with room for `keys` keys, that hashes with `seed`.
    pub fn with_capacity(seed: HashSeed, keys: usize) -> Self {
        let slots = (SPARSE * keys.min(KEYS_MAX)).next_power_of_two().clamp(64, 1 << BITS_MAX);
        CombineTable { seed, index: vec![0; slots], bits: slots.trailing_zeros(), entries: Vec::with_capacity(keys) }
    }

    /// The seed that all hashes of this table are made with.
    pub fn seed(&self) -> HashSeed {
        self.seed
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys and their totals, in the order of the keys' first records.
    pub fn entries(&self) -> &[Entry<K, C>] {
        &self.entries
    }

    /// Takes the table apart, in the same order.
    pub fn into_entries(self) -> vec::IntoIter<Entry<K, C>> {
        self.entries.into_iter()
    }

    #[inline(always)]
    pub(super) fn is_large(&self) -> bool {
        self.index.len() > LARGE
    }

    /// Asks the cache for the slot that `hash` will look at.
    #[inline(always)]
    pub(super) fn prefetch_slot(&self, hash: u64) {
        prefetch(self.index.as_ptr().wrapping_add(hash as usize & (self.index.len() - 1)));
    }

    /// Asks the cache for the entry that the slot names, which mostly is the right one.
    #[inline(always)]
    pub(super) fn prefetch_entry(&self, hash: u64) {
        // SAFETY: masked by a power of two, the index's length, which is never 0.
        let slot = unsafe { *self.index.get_unchecked(hash as usize & (self.index.len() - 1)) };
        let number = (slot & ((1 << self.bits) - 1)) as usize;
        prefetch(self.entries.as_ptr().wrapping_add(number).wrapping_sub(1));
    }

    /// Merges `value` into the total of `key`, or enters the key. The functions are the user's and may panic.
    #[inline(always)]
    pub fn merge<V>(
        &mut self,
        hash: u64,
        key: K,
        value: V,
        create: impl FnOnce(V) -> C,
        merge: impl FnOnce(C, V) -> C,
    ) {
        let mask = self.index.len() - 1;
        let tag = self.tag(hash);
        let mut at = hash as usize & mask;
        loop {
            // SAFETY: `at <= mask < index.len()`.
            let slot = unsafe { *self.index.get_unchecked(at) };
            if slot == 0 {
                return self.enter(at, hash, key, || create(value));
            }
            if (slot ^ tag) >> self.bits == 0 {
                let number = (slot ^ tag) as usize - 1;
                // SAFETY: a slot names an entry that exists.
                if unsafe { self.entries.get_unchecked(number) }.key == key {
                    return self.update(number, |total| merge(total, value));
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a new key behind the others and its number into the free slot `at`.
    #[inline(always)]
    fn enter(&mut self, at: usize, hash: u64, mut key: K, create: impl FnOnce() -> C) {
        let guard = OnUnwind { table: self, moved_out: usize::MAX };
        let value = create();
        mem::forget(guard);
        detach(&mut key);
        self.entries.push(Entry { hash, key, value });
        self.index[at] = self.tag(hash) | self.entries.len() as u32;
        if self.entries.len() * SPARSE > self.index.len() {
            self.grow();
        }
    }

    /// Moves the total of an entry that exists through `f`.
    #[inline(always)]
    fn update(&mut self, number: usize, f: impl FnOnce(C) -> C) {
        let guard = OnUnwind { table: self, moved_out: number };
        // SAFETY: the number exists. While the total is out nobody sees the entry, and if `f` panics the guard drops
        // everything but that total.
        unsafe {
            let place = &raw mut guard.table.entries.get_unchecked_mut(number).value;
            place.write(f(place.read()));
        }
        mem::forget(guard);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        if self.bits == BITS_MAX {
            assert!(self.entries.len() < KEYS_MAX, "a combine table holds at most 2^30 keys: use more partitions");
            return;
        }
        self.bits += 1;
        let mask = (1 << self.bits) - 1;
        drop(mem::take(&mut self.index)); // first the old memory, then the new
        let mut index = vec![0; mask + 1];
        for (number, entry) in self.entries.iter().enumerate() {
            let mut at = entry.hash as usize & mask;
            while index[at] != 0 {
                at = (at + 1) & mask;
            }
            index[at] = self.tag(entry.hash) | (number as u32 + 1);
        }
        self.index = index;
    }

    /// The hash's bits from 32 on, above the entry's number. The slot's place uses the lowest ones.
    #[inline(always)]
    fn tag(&self, hash: u64) -> u32 {
        ((hash >> 32) as u32) << self.bits
    }
}

/// Empties the table when the user's function panics.
struct OnUnwind<'a, K, C> {
    table: &'a mut CombineTable<K, C>,
    /// The entry whose total the function was given, so that it is the function's to drop; `usize::MAX` for none.
    moved_out: usize,
}

impl<K, C> Drop for OnUnwind<'_, K, C> {
    #[cold]
    fn drop(&mut self) {
        self.table.index.fill(0);
        let (start, len) = (self.table.entries.as_mut_ptr(), self.table.entries.len());
        // SAFETY: the entries are out of the vector before the first is dropped, each is dropped once, and the total
        // that was moved out is not touched.
        unsafe {
            self.table.entries.set_len(0);
            for number in 0..len {
                let entry = start.add(number);
                ptr::drop_in_place(&raw mut (*entry).key);
                if number != self.moved_out {
                    ptr::drop_in_place(&raw mut (*entry).value);
                }
            }
        }
    }
}

/// Asks the cache for what lies at an address, which need not be one.
#[inline(always)]
pub(crate) fn prefetch<T>(_at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing; any address will do.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(_at.cast());
    }
}
