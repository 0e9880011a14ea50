//! [`TableState`]: a partition's state that is a table of keys and nothing else: what `update_state_by_key` and
//! `map_with_state` change. What has no room in memory lies on disk.

use super::clock::Clock;
use super::cold::Cold;
use super::keyed::{Cursor, KeyedState};
use super::memory::Room;
use super::spilling::{Entries, EntrySize, decoded};
use super::stage::PartitionState;
use crate::hash::HashSeed;
use crate::rdd::{Node, Outcome, StateStatus, Task};
use crate::time::Time;
use crate::{Data, Key, Result, wire};
use std::sync::Arc;

pub(crate) struct TableState<K, S> {
    pub(super) keys: KeyedState<K, S>,
    /// None where state does not spill.
    pub(super) cold: Option<Cold>,
    pub(super) entry_size: EntrySize,
    /// What it took behind the last batch, in memory.
    pub(super) reported_bytes: usize,
}

impl<K: Key, S: Data> TableState<K, S> {
    /// Enters what `initial` holds for the partition of `task`. Of a key that stands there more than once, the first
    /// counts.
    pub(super) fn load(&mut self, initial: Option<&Arc<dyn Node<(K, S)>>>, clock: Clock, task: &Task<'_>) -> Outcome {
        let Some(initial) = initial else { return Ok(()) };
        initial.compute(task, &mut |chunk| {
            let full = self.measured_excess() > 0;
            let TableState { keys, cold, .. } = self;
            keys.each_hashed(chunk, |keys, hash, key, state| {
                if Self::find(keys, cold, hash, &key)?.is_some() {
                    return Ok(());
                }
                match cold {
                    Some(cold) if full && keys.slots_of(hash).is_empty() => {
                        Self::put(cold, hash, &[(&key, &state, clock.timeout, clock.timer)])?;
                    }
                    _ => {
                        let slot = keys.insert(hash, key, state);
                        keys.set_clock(slot, clock);
                    }
                }
                Ok(())
            })
        })
    }
}

impl<K: Key, S: Data> PartitionState for TableState<K, S> {
    type Key = K;
    type Value = S;
    const SPILLS: bool = true;
    fn fresh(seed: HashSeed) -> Self {
        TableState { keys: KeyedState::new(seed), cold: None, entry_size: EntrySize::default(), reported_bytes: 0 }
    }
    fn spill_to(&mut self, room: Room) {
        self.cold = Some(Cold::new(room));
    }
    fn entries(&self) -> &KeyedState<K, S> {
        &self.keys
    }
    fn begin(&mut self, oldest: Time, is_read: bool) -> Result<()> {
        if !is_read {
            self.keys.compact(oldest);
        }
        self.cold.as_mut().map_or(Ok(()), |cold| cold.sink(oldest))
    }
    fn make_room(&mut self, task: &Task<'_>) -> Outcome {
        let excess = self.measured_excess();
        if excess > 0 { self.evict(excess, task) } else { Ok(()) }
    }
    fn rollback(&mut self) {
        self.keys.rollback();
        self.cold.iter_mut().for_each(Cold::rollback);
    }
    fn commit(&mut self, version: Time, oldest: Time) {
        self.keys.commit(version, oldest);
        self.cold.iter_mut().for_each(|cold| cold.commit(version));
    }
    fn report(&mut self) -> StateStatus {
        let cold = self.cold.as_ref();
        let (spilled_keys, buffered) = cold.map_or((0, 0), |cold| (cold.keys(), cold.memory_bytes()));
        self.reported_bytes = self.keys.table_bytes() + self.keys.len() * self.entry_size.heap_bytes() + buffered;
        StateStatus {
            keys: self.keys.len() + spilled_keys,
            memory_bytes: self.reported_bytes,
            spilled_keys,
            disk_bytes: cold.map_or(0, Cold::disk_bytes),
        }
    }
    fn scan<R>(
        &self,
        version: Time,
        cursor: Cursor,
        most: usize,
        out: &mut Vec<R>,
        mut take: impl FnMut(&K, &S) -> Option<R>,
    ) -> Result<Option<Cursor>> {
        let Cursor::Disk(after) = cursor else {
            let next = self.keys.scan(version, cursor, most, out, take);
            return Ok(next.or_else(|| self.cold.as_ref().map(|_| Cursor::Disk(None))));
        };
        let Some(cold) = &self.cold else { return Ok(None) };
        let page = cold.entries(Some(version), after, most)?;
        for (_, entries) in &page.records {
            let entries: Entries<K, S> = decoded(entries)?;
            out.extend(entries.iter().filter_map(|(key, state, ..)| take(key, state)));
        }
        Ok(page.last.map(|last| Cursor::Disk(Some(last))))
    }
    fn encode(&self) -> Result<Vec<u8>> {
        let entries: Vec<_> =
            self.keys.entries().map(|(key, state, clock)| (key, state, clock.timeout, clock.timer)).collect();
        wire::encode(&entries)
    }
    fn decode(seed: HashSeed, bytes: &[u8]) -> Result<Self> {
        let mut state = Self::fresh(seed);
        for (key, value, timeout, timer) in decoded::<K, S>(bytes)? {
            let hash = state.keys.hash(&key);
            let slot = state.keys.insert(hash, key, value);
            state.keys.set_clock(slot, Clock { timeout, timer, armed: Clock::NEVER });
        }
        state.commit(Time::from_millis(i64::MIN), Time::from_millis(i64::MIN));
        Ok(state)
    }
}
