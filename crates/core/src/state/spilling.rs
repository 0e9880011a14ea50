//! How the entries of a [`TableState`] go to disk and come back: what was touched longest ago goes behind a batch, and
//! what a batch needs comes back before it is used. Both are changes of the batch, as others are.

use super::clock::Clock;
use super::cold::{Cold, Id};
use super::keyed::KeyedState;
use super::table_state::TableState;
use crate::rdd::{CHUNK, Outcome, Stop, Task};
use crate::record_size::heap_bytes_of;
use crate::time::Time;
use crate::{Data, Error, Key, Result, wire};
use rapidhash::fast::RapidHashMap;
use std::any::type_name;
use std::mem::needs_drop;

/// The entries of one hash: key, state, time-out and timer.
pub(super) type Entries<K, S> = Vec<(K, S, Time, Time)>;

pub(super) fn decoded<K: Key, S: Data>(bytes: &[u8]) -> Result<Entries<K, S>> {
    wire::decode(bytes)
}

/// When the first of some entries is due.
fn first_deadline(clocks: impl Iterator<Item = (Time, Time)>) -> Option<Time> {
    clocks.map(|(timeout, timer)| timeout.min(timer)).min().filter(|deadline| *deadline != Clock::NEVER)
}

/// Attempts to find an entry to measure, and what its measure counts beside all before it.
const SAMPLES: usize = 16;
const SAMPLE_WEIGHT: f64 = 0.05;

/// What an entry owns on the heap, beside the table.
#[derive(Default)]
pub(super) struct EntrySize {
    /// On average over those that were looked at.
    heap_bytes: f64,
    samples: usize,
}
impl EntrySize {
    pub(super) fn heap_bytes(&self) -> usize {
        self.heap_bytes as usize
    }
    /// Measures a few entries; few, for each may be large.
    fn sample<K: Key, S: Data>(&mut self, keys: &KeyedState<K, S>) {
        if !needs_drop::<(K, S)>() {
            return;
        }
        for (key, state) in self.some(keys) {
            let bytes = (heap_bytes_of(key) + heap_bytes_of(state)) as f64;
            let weight = if self.heap_bytes == 0.0 { 1.0 } else { SAMPLE_WEIGHT };
            self.heap_bytes += (bytes - self.heap_bytes) * weight;
        }
    }
    /// That entries, a few of them, can be read back, before the first of them leaves the memory.
    fn try_back<K: Key, S: Data>(&mut self, keys: &KeyedState<K, S>) -> Result<()> {
        for (key, state) in self.some(keys) {
            let bytes = wire::encode(&(key, state))?;
            let again = wire::decode::<(K, S)>(&bytes).and_then(|back| wire::encode(&back));
            if again.is_ok_and(|again| again.len() == bytes.len()) {
                continue;
            }
            return Err(Error::program(format!(
                "state above headwater.streaming.state_memory_max goes to disk, and the bytes of {} do not read back: its \
                 Serialize and Deserialize must agree without help of the format: no #[serde(flatten, untagged, \
                 skip_serializing_if, ...)]",
                type_name::<(K, S)>()
            )));
        }
        Ok(())
    }
    /// A few entries here and there.
    fn some<'a, K: Key, S: Data>(&mut self, keys: &'a KeyedState<K, S>) -> Vec<&'a (K, S)> {
        let entry = |_| {
            self.samples = self.samples.wrapping_add(1);
            // Steps of the golden ratio go everywhere.
            let slot = (self.samples as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            keys.num_slots().checked_sub(1).and_then(|last| keys.get((slot as usize % (last + 1)) as u32))
        };
        (0..SAMPLES).filter_map(entry).collect()
    }
}

impl<K: Key, S: Data> TableState<K, S> {
    /// The slot of `key`, if it has a state. An entry that is on disk is in memory from here on.
    #[inline(always)]
    pub(super) fn find(
        keys: &mut KeyedState<K, S>,
        cold: &mut Option<Cold>,
        hash: u64,
        key: &K,
    ) -> Result<Option<u32>> {
        if let Some(slot) = keys.find(hash, key) {
            keys.touch(slot);
            return Ok(Some(slot));
        }
        match cold {
            Some(cold) if cold.keys() > 0 => {
                fetch(keys, cold, hash)?;
                Ok(keys.find(hash, key))
            }
            _ => Ok(None),
        }
    }
    /// Brings to memory what is due at `time`.
    pub(super) fn fetch_due(&mut self, time: Time, task: &Task<'_>) -> Outcome {
        let TableState { keys, cold: Some(cold), .. } = self else { return Ok(()) };
        let mut after = None;
        loop {
            task.check()?;
            let page = cold.due(time, after, CHUNK)?;
            for (id, _) in page.records {
                if let Id::Deadline(_, hash) = id {
                    fetch(keys, cold, hash)?;
                }
            }
            after = page.last;
            if after.is_none() {
                return Ok(());
            }
        }
    }
    /// Gives the states on disk to `update`, a page at a time, which gives those that there are from here on, of the same
    /// keys. None of them has a deadline.
    pub(super) fn update_cold(
        &mut self,
        task: &Task<'_>,
        mut update: impl FnMut(Vec<(K, S)>) -> std::result::Result<Vec<(K, S)>, Stop>,
    ) -> Outcome {
        let TableState { keys, cold: Some(cold), durable, .. } = self else { return Ok(()) };
        let mut after = None;
        while cold.keys() > 0 {
            task.check()?;
            let page = cold.entries(None, after, CHUNK)?;
            let (mut old, mut entries) = (Vec::with_capacity(page.records.len()), Vec::new());
            for (id, bytes) in page.records {
                let Id::Entries(hash) = id else { continue };
                let of_hash: Entries<K, S> = decoded(&bytes)?;
                let known: Vec<K> = match durable {
                    Some(_) => of_hash.iter().map(|(key, ..)| key.clone()).collect(),
                    None => Vec::new(),
                };
                old.push((hash, of_hash.len(), bytes, known));
                entries.extend(of_hash.into_iter().map(|(key, state, ..)| (key, state)));
            }
            let mut new: RapidHashMap<u64, Entries<K, S>> = RapidHashMap::default();
            for (key, state) in update(entries)? {
                let of_hash = new.entry(keys.hash(&key)).or_default();
                of_hash.retain(|(known, ..)| *known != key);
                of_hash.push((key, state, Clock::NEVER, Clock::NEVER));
            }
            for (hash, count, old_bytes, known) in old {
                let new = new.remove(&hash).unwrap_or_default();
                let bytes = wire::encode(&new)?;
                if let Some(durable) = durable.as_mut().filter(|_| new.len() < count || bytes != old_bytes) {
                    let gone = known.iter().filter(|key| new.iter().all(|(kept, ..)| kept != *key));
                    gone.into_iter().try_for_each(|key| durable.changes.removed(key))?;
                    let entry = |(key, state, timeout, timer): &(K, S, Time, Time)| {
                        durable.changes.entry(key, state, (*timeout, *timer))
                    };
                    new.iter().try_for_each(entry)?;
                }
                if new.len() < count {
                    cold.remove(hash, count, None)?;
                    if !new.is_empty() {
                        cold.put(hash, bytes, new.len(), None)?;
                    }
                } else if bytes != old_bytes {
                    cold.replace(hash, bytes)?;
                }
            }
            after = page.last;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// How many entries in memory are above what there is room for.
    pub(super) fn measured_excess(&mut self) -> usize {
        let (entries, slots) = (self.keys.len(), self.keys.num_slots());
        let Some(cold) = self.cold.as_ref().filter(|_| entries > 0) else { return 0 };
        let room = cold.room().bytes(self.reported_bytes) as f64;
        self.entry_size.sample(&self.keys);
        let entry_bytes = self.keys.table_bytes() as f64 / slots as f64 + self.entry_size.heap_bytes;
        entries.saturating_sub((room / entry_bytes) as usize)
    }
    /// Moves entries to disk until `excess` are gone: those that were not touched for longest, about, by a sweep that
    /// gives each a second chance.
    pub(super) fn evict<E: From<Error>>(
        &mut self,
        mut excess: usize,
        check: impl Fn() -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let TableState { keys, cold: Some(cold), entry_size, .. } = self else { return Ok(()) };
        entry_size.try_back(keys)?;
        let mut written = 0;
        // Behind the first circle all had their chance, so a second one finds enough.
        let mut left = 2 * keys.num_slots();
        while excess > 0
            && let Some(slot) = keys.sweep(&mut left)
        {
            if written % CHUNK == 0 {
                check()?;
            }
            written += 1;
            let hash = keys.hash(&keys.entry(slot).0);
            excess = excess.saturating_sub(evict(keys, cold, hash)?);
        }
        Ok(())
    }
    /// Enters the entries of one hash on disk, where there are none.
    pub(super) fn put(cold: &mut Cold, hash: u64, entries: &[(&K, &S, Time, Time)]) -> Result<()> {
        let deadline = first_deadline(entries.iter().map(|(_, _, timeout, timer)| (*timeout, *timer)));
        cold.put(hash, wire::encode(entries)?, entries.len(), deadline)
    }
}

/// Brings all entries of `hash` to memory.
#[cold]
#[inline(never)]
fn fetch<K: Key, S: Data>(keys: &mut KeyedState<K, S>, cold: &mut Cold, hash: u64) -> Result<()> {
    let Some(bytes) = cold.get(hash)? else { return Ok(()) };
    let entries: Entries<K, S> = decoded(&bytes)?;
    let deadline = first_deadline(entries.iter().map(|(_, _, timeout, timer)| (*timeout, *timer)));
    cold.remove(hash, entries.len(), deadline)?;
    for (key, state, timeout, timer) in entries {
        let slot = keys.insert(hash, key, state);
        keys.set_clock(slot, Clock { timeout, timer, armed: Clock::NEVER });
    }
    Ok(())
}

/// Moves all entries of `hash` to disk; how many those are. They leave the memory once they were written.
fn evict<K: Key, S: Data>(keys: &mut KeyedState<K, S>, cold: &mut Cold, hash: u64) -> Result<usize> {
    let slots = keys.slots_of(hash);
    let entry = |slot: &u32| {
        let ((key, state), clock) = (keys.entry(*slot), keys.clock(*slot));
        (key, state, clock.timeout, clock.timer)
    };
    TableState::put(cold, hash, &slots.iter().map(entry).collect::<Vec<_>>())?;
    slots.iter().for_each(|slot| keys.remove(*slot));
    Ok(slots.len())
}

#[cfg(test)]
mod tests;
