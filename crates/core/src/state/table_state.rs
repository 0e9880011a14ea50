//! [`TableState`]: a partition's state that is a table of keys and nothing else: what `update_state_by_key` and
//! `map_with_state` change. What has no room in memory lies on disk.

use super::clock::Clock;
use super::cold::Cold;
use super::fields::FieldChanges;
use super::given::Given;
use super::items::{PieceWriter, StateItem};
use super::keyed::{Cursor, KeyedState};
use super::memory::Room;
use super::spilling::{Entries, EntrySize, decoded};
use super::stage::PartitionState;
use super::store::{Loader, Migrations, StateLog, StateTypes, check_reads_back};
use super::versions::Then;
use crate::hash::HashSeed;
use crate::rdd::{CHUNK, Node, Outcome, StateStatus, Task};
use crate::time::Time;
use crate::{Data, Error, Key, Record, Result, codec, wire};
use std::sync::Arc;

pub(crate) struct TableState<K, S> {
    pub(super) keys: KeyedState<K, S>,
    /// None where state does not spill.
    pub(super) cold: Option<Cold>,
    pub(super) entry_size: EntrySize,
    /// What it took behind the last batch, in memory.
    pub(super) reported_bytes: usize,
    pub(super) durable: Option<Durable>,
}

/// What a state has besides whose changes outlive the process.
pub(super) struct Durable {
    /// What the running batch has changed, as far as it is written.
    pub(super) changes: PieceWriter,
    given: Given,
    scratch: Vec<u8>,
    /// Whether an entry was seen to read back.
    is_checked: bool,
}

impl Durable {
    /// A state comes in place of `old`, if there is one, while the entry is near in the caches: in a large table a pass behind
    /// the batch would wait for the memory of each entry once more. That pass writes what [`Given`] leaves to it, and all from
    /// the first change on that was not told here.
    #[inline(always)]
    pub(super) fn change<K: Key, S: Data>(
        &mut self,
        keys: &KeyedState<K, S>,
        slot: u32,
        (key, old, new): (&K, Option<&S>, &S),
    ) -> Result<()> {
        if self.given.changes == keys.num_changes() && keys.is_large() && self.given.add(slot) {
            self.entry(key, old, new, keys.clock(slot))?;
        }
        Ok(())
    }
    /// The same of a key that has come to `slot`, behind that.
    #[inline(always)]
    pub(super) fn insert<K: Key, S: Data>(&mut self, keys: &KeyedState<K, S>, slot: u32) -> Result<()> {
        if self.given.changes + 1 == keys.num_changes() && keys.is_large() && self.given.add(slot) {
            let (key, state) = keys.entry(slot);
            self.entry(key, None, state, keys.clock(slot))?;
        }
        Ok(())
    }
    /// The key of `slot` goes.
    pub(super) fn remove<K: Key, S: Data>(&mut self, keys: &KeyedState<K, S>, slot: u32) {
        if self.given.changes == keys.num_changes() {
            self.given.add(slot);
        }
    }
    /// Writes an entry, unless the batch has replaced its state by the same.
    #[inline(always)]
    fn entry<K: Key, S: Data>(&mut self, key: &K, old: Option<&S>, state: &S, clock: Clock) -> Result<()> {
        if !self.is_checked {
            self.is_checked = true;
            check_reads_back(key)?;
            check_reads_back(state)?;
        }
        match old {
            Some(old) if codec::are_same(old, state, &mut self.scratch) => Ok(()),
            _ => self.changes.entry(key, state, (clock.timeout, clock.timer)),
        }
    }
}

impl<K: Key, S: Data> TableState<K, S> {
    /// Enters an entry that is stored in place of what is known of its key.
    fn restore(&mut self, key: K, state: S, (timeout, timer): (Time, Time)) -> Result<()> {
        let TableState { keys, cold, .. } = self;
        let hash = keys.hash(&key);
        let slot = match Self::find(keys, cold, hash, &key)? {
            Some(slot) => {
                keys.replace(slot, state);
                slot
            }
            None => keys.insert(hash, key, state),
        };
        let clock = keys.clock(slot);
        keys.set_clock(slot, Clock { timeout, timer, ..clock });
        Ok(())
    }
    fn forget(&mut self, key: &K) -> Result<()> {
        let TableState { keys, cold, .. } = self;
        if let Some(slot) = Self::find(keys, cold, keys.hash(key), key)? {
            keys.remove(slot);
        }
        Ok(())
    }
    /// What was restored so far is as it was before the first batch, and within the memory that there is.
    fn settle(&mut self) -> Result<()> {
        let excess = self.measured_excess();
        if excess > 0 {
            self.evict(excess, || Ok::<(), Error>(()))?;
        }
        let restored = Time::from_millis(i64::MIN);
        self.commit(restored, restored);
        self.report();
        Ok(())
    }
}

/// Restores the states of keys; [`Migrations`] know what they were before.
impl<K: Key, S: Data> Loader<TableState<K, S>> for Migrations<K, S> {
    fn types(&self) -> StateTypes {
        Migrations::types(self)
    }
    fn field_changes(&self, piece: &[u8]) -> Result<Option<FieldChanges>> {
        Migrations::field_changes(self, piece)
    }
    fn load(&self, partitions: &mut [TableState<K, S>], partition: &dyn Fn(&K) -> usize, piece: &[u8]) -> Result<()> {
        let or_never = |deadline: Option<Time>| deadline.unwrap_or(Clock::NEVER);
        self.each(piece, |item| match item {
            StateItem::Removed(key) => partitions[partition(&key)].forget(&key),
            StateItem::Entry { key, state, timeout, timer } => {
                let timeout = timeout.filter(|_| self.times_out);
                partitions[partition(&key)].restore(key, state, (or_never(timeout), or_never(timer)))
            }
            StateItem::Batch(_) | StateItem::Value(..) | StateItem::Left(..) => {
                Err(Error::program("what is stored is a window, and the operator is none"))
            }
        })?;
        partitions.iter_mut().try_for_each(TableState::settle)
    }
}

impl<K: Key, S: Data> TableState<K, S> {
    /// Enters what `initial` holds for the partition of `task`. Of a key that stands there more than once, the first
    /// counts.
    pub(super) fn load(&mut self, initial: Option<&Arc<dyn Node<(K, S)>>>, clock: Clock, task: &Task<'_>) -> Outcome {
        let Some(initial) = initial else { return Ok(()) };
        initial.compute(task, &mut |chunk| {
            let full = self.measured_excess() > 0;
            let TableState { keys, cold, durable, .. } = self;
            keys.each_hashed(chunk, |keys, hash, key, state| {
                if Self::find(keys, cold, hash, &key)?.is_some() {
                    return Ok(());
                }
                match cold {
                    Some(cold) if full && keys.slots_of(hash).is_empty() => {
                        if let Some(durable) = durable {
                            durable.changes.entry(&key, &state, (clock.timeout, clock.timer))?;
                        }
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
        TableState {
            keys: KeyedState::new(seed),
            cold: None,
            entry_size: EntrySize::default(),
            reported_bytes: 0,
            durable: None,
        }
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
        if excess > 0 { self.evict(excess, || task.check()) } else { Ok(()) }
    }
    fn rollback(&mut self) {
        self.keys.rollback();
        self.cold.iter_mut().for_each(Cold::rollback);
        if let Some(durable) = &mut self.durable {
            durable.changes.clear();
            durable.given = Given::default();
        }
    }
    fn keep_changes(&mut self, version: u32) {
        let (given, scratch) = Default::default();
        self.durable = Some(Durable { changes: PieceWriter::new(version), given, scratch, is_checked: false });
    }
    fn changes(&mut self, _time: Time) -> Result<Vec<(StateLog, Vec<u8>)>> {
        let TableState { keys, cold, durable: Some(durable), .. } = self else { return Ok(Vec::new()) };
        for (hash, key) in keys.removed_keys() {
            // It may have gone to disk, behind a change.
            let on_disk =
                cold.as_ref().filter(|cold| cold.keys() > 0).map(|cold| cold.get(hash)).transpose()?.flatten();
            let entries = on_disk.map(|bytes| decoded::<K, S>(&bytes)).transpose()?.unwrap_or_default();
            match entries.iter().find(|(known, ..)| known == key) {
                Some((key, state, timeout, timer)) => durable.changes.entry(key, state, (*timeout, *timer))?,
                None => durable.changes.removed(key)?,
            }
        }
        let given = std::mem::take(&mut durable.given);
        keys.each_touched(&given, |slot, old| match keys.get(slot) {
            Some((key, state)) => durable.entry(key, old, state, keys.clock(slot)),
            None => Ok(()),
        })?;
        Ok(durable.changes.take().into_iter().map(|piece| (StateLog::Changes, piece)).collect())
    }
    fn image(&self, cursor: Cursor, out: &mut PieceWriter) -> Result<Option<Cursor>> {
        let Cursor::Disk(after) = cursor else {
            let next = image_of_memory(&self.keys, cursor, |key, state, clock| {
                out.entry(key, state, (clock.timeout, clock.timer))
            })?;
            return Ok(next.or_else(|| self.cold.as_ref().map(|_| Cursor::Disk(None))));
        };
        let Some(cold) = &self.cold else { return Ok(None) };
        let page = cold.entries(None, after, CHUNK)?;
        for (_, entries) in &page.records {
            for (key, state, timeout, timer) in decoded::<K, S>(entries)? {
                out.entry(&key, &state, (timeout, timer))?;
            }
        }
        Ok(page.last.map(|last| Cursor::Disk(Some(last))))
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

/// Slots of a page of a snapshot: a batch that wants the partition waits for it.
const IMAGE_SLOTS: usize = 1 << 14;

/// Gives a page of the entries in memory to `write`; the cursor to go on at, or none at the end.
pub(super) fn image_of_memory<K: Key, S: Record>(
    keys: &KeyedState<K, S>,
    cursor: Cursor,
    mut write: impl FnMut(&K, &S, Clock) -> Result<()>,
) -> Result<Option<Cursor>> {
    let Cursor::Memory { slot, .. } = cursor else { return Ok(None) };
    let next = slot + IMAGE_SLOTS;
    keys.entries_in(slot..next).try_for_each(|(key, state, clock)| write(key, state, clock))?;
    Ok((next < keys.num_slots()).then(|| Cursor::Memory { slot: next, then: Then::default() }))
}

#[cfg(test)]
mod tests;
