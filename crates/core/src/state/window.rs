//! [`WindowState`]: the running aggregates of a window by key. A batch costs the records that enter the window and those
//! that leave it: what entered is kept by batch, as places in the table.

mod inverse;
mod loader;
mod stacks;

use super::given::Given;
use super::items::PieceWriter;
use super::keyed::{Cursor, KeyedState};
use super::stage::{Outputs, PartitionState, Step};
use super::store::StateLog;
use super::table_state::image_of_memory;
use crate::hash::HashSeed;
use crate::origin::Origin;
use crate::rdd::{CHUNK, FoundShuffles, Node, Outcome, Stop, Task};
use crate::time::Time;
use crate::{Data, Key, Record, Result as Fallible, wire};
pub(crate) use inverse::Inverse;
pub(crate) use loader::WindowLoader;
use serde::Serialize;
use serde::de::DeserializeOwned;
pub(crate) use stacks::TwoStacks;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;

/// How the values of a key become its aggregate as batches enter and leave.
pub(crate) trait Windowing<V>: Send + Sync + 'static {
    /// What is known of a key.
    type Entry: Record;
    /// What a batch leaves of a value for when it leaves the window.
    type Kept: Data;
    /// What the entries of a partition share.
    type Pool: Pool;
    /// An entry without its pool, for another process.
    type Image: Serialize + DeserializeOwned;

    /// Two values, the older one first.
    fn reduce(&self, older: V, newer: V) -> V;
    fn enter(&self, pool: &mut Self::Pool, old: Option<&Self::Entry>, value: V) -> (Self::Entry, Self::Kept);
    /// The oldest value of the key leaves.
    fn leave(&self, pool: &mut Self::Pool, old: &Self::Entry, kept: &Self::Kept) -> Self::Entry;
    /// Whether no value of the key is in the window.
    fn is_empty(entry: &Self::Entry) -> bool;
    fn total(entry: &Self::Entry) -> &V;
    /// The entry of a key that stays though no value of it is in the window, with what its aggregate is then; none where
    /// such keys never stay.
    fn left(total: V) -> Option<Self::Entry>;
    /// The aggregate made anew of all values of the key in the window, in their order; none if it cannot be.
    fn rebased(&self, old: &Self::Entry, values: Vec<&Self::Kept>) -> Option<Self::Entry>;
    fn image(pool: &Self::Pool, entry: &Self::Entry) -> Self::Image;
    fn restore(pool: &mut Self::Pool, image: Self::Image) -> Self::Entry;
}

/// What the entries of a partition share; it takes back what a batch did to it.
pub(crate) trait Pool: Default + Send + 'static {
    fn rollback(&mut self);
    fn commit(&mut self);
}
impl Pool for () {
    fn rollback(&mut self) {}
    fn commit(&mut self) {}
}

/// What batches left in a partition: the slots of their keys.
type Batch<W, V> = (Time, Vec<(u32, <W as Windowing<V>>::Kept)>);

/// What the batches in the window left in a partition, oldest first.
struct Ring<V, W: Windowing<V>> {
    batches: VecDeque<Batch<W, V>>,
    pool: W::Pool,
    /// What the running batch took out, oldest first, and how many it put in.
    left: Vec<Batch<W, V>>,
    entered: usize,
}
impl<V, W: Windowing<V>> Default for Ring<V, W> {
    fn default() -> Self {
        Ring { batches: VecDeque::new(), pool: W::Pool::default(), left: Vec::new(), entered: 0 }
    }
}
impl<V, W: Windowing<V>> Ring<V, W> {
    /// A value enters with the newest batch.
    #[inline(always)]
    fn enter<K: Key>(&mut self, windowing: &W, keys: &mut KeyedState<K, W::Entry>, hash: u64, key: K, value: V) {
        let (slot, kept) = match keys.find(hash, &key) {
            Some(slot) => {
                let (entry, kept) = windowing.enter(&mut self.pool, Some(&keys.entry(slot).1), value);
                keys.replace(slot, entry);
                (slot, kept)
            }
            None => {
                let (entry, kept) = windowing.enter(&mut self.pool, None, value);
                (keys.insert(hash, key, entry), kept)
            }
        };
        self.batches.back_mut().expect("a batch enters").1.push((slot, kept));
    }
    fn rollback(&mut self) {
        self.batches.truncate(self.batches.len() - mem::take(&mut self.entered));
        while let Some(batch) = self.left.pop() {
            self.batches.push_front(batch);
        }
        self.pool.rollback();
    }
    fn commit(&mut self) {
        self.left.clear();
        self.entered = 0;
        self.pool.commit();
    }
}

/// The state of one partition.
pub(crate) struct WindowState<K, V, W: Windowing<V>> {
    keys: KeyedState<K, W::Entry>,
    ring: Ring<V, W>,
    /// What enters in the running batch; none where no state outlives the process.
    entered: Option<PieceWriter>,
    /// Version of the type of values, for what stays behind.
    version: u32,
}

/// What a batch does to a window by key.
pub(crate) struct Slide<K, V, W> {
    pub(crate) windowing: Arc<W>,
    /// The batches that enter, oldest first, reduced by key and spread as the state is.
    pub(crate) entering: Vec<(Time, Arc<dyn Node<(K, V)>>)>,
    /// The window is of the batches behind this time.
    pub(crate) after: Time,
    /// Whether a key stays when no value of it is in the window.
    pub(crate) keeps_empty: bool,
    pub(crate) rebases: bool,
    /// Whether who reads it wants to know what has changed.
    pub(crate) tells_changes: bool,
    pub(crate) origin: Origin,
}

impl<K: Key, V: Data, W: Windowing<V>> Step for Slide<K, V, W> {
    type State = WindowState<K, V, W>;
    /// A key whose aggregate was looked at, and what it is; none if no value of it is in the window.
    type Output = (K, Option<V>);

    fn shuffles(&self, found: &mut FoundShuffles) {
        self.entering.iter().for_each(|(_, batch)| batch.shuffles(found));
    }
    fn advance(&self, state: &mut WindowState<K, V, W>, task: &Task<'_>) -> Result<Outputs<(K, Option<V>)>, Stop> {
        task.enter(self.origin);
        let emptied = self.leave(state, task)?;
        for (time, batch) in &self.entering {
            self.enter(state, *time, batch, task)?;
        }
        task.enter(self.origin);
        // What is made anew has not changed: keys of which nothing entered or left are not told.
        let touched = if self.tells_changes { self.touched(state, task)? } else { Vec::new() };
        if self.rebases {
            self.rebase(state, task)?;
        }
        let changes = self.changes(state, touched, task)?;
        if !self.keeps_empty {
            for slot in emptied {
                // It may be there twice, or have got a value again.
                if state.keys.get(slot).is_some_and(|(_, entry)| W::is_empty(entry)) {
                    state.keys.remove(slot);
                }
            }
        }
        Ok(changes)
    }
}

impl<K: Key, V: Data, W: Windowing<V>> Slide<K, V, W> {
    /// Lets the batches before the window go; the slots of keys that had their last value in them.
    fn leave(&self, state: &mut WindowState<K, V, W>, task: &Task<'_>) -> Result<Vec<u32>, Stop> {
        let WindowState { keys, ring: Ring { batches, pool, left, .. }, .. } = state;
        let mut emptied = Vec::new();
        while let Some(batch) = batches.pop_front_if(|(time, _)| *time <= self.after) {
            left.push(batch);
            each_checked(task, &left.last().expect("it was pushed").1, |(slot, kept)| {
                let new = self.windowing.leave(pool, &keys.entry(*slot).1, kept);
                if W::is_empty(&new) {
                    emptied.push(*slot);
                }
                keys.replace(*slot, new);
            })?;
        }
        Ok(emptied)
    }
    fn enter(
        &self,
        state: &mut WindowState<K, V, W>,
        time: Time,
        batch: &Arc<dyn Node<(K, V)>>,
        task: &Task<'_>,
    ) -> Outcome {
        state.ring.batches.push_back((time, Vec::new()));
        state.ring.entered += 1;
        if let Some(entered) = &mut state.entered {
            entered.batch(time);
        }
        batch.compute(task, &mut |chunk| {
            task.enter(self.origin);
            let WindowState { keys, ring, entered, .. } = &mut *state;
            keys.each_hashed(chunk, |keys, hash, key, value| {
                if let Some(entered) = entered {
                    entered.value(time, &key, &value)?;
                }
                ring.enter(&*self.windowing, keys, hash, key, value);
                Ok(())
            })
        })
    }
    /// Makes all aggregates anew of what is in the window.
    fn rebase(&self, state: &mut WindowState<K, V, W>, task: &Task<'_>) -> Outcome {
        let WindowState { keys, ring, .. } = state;
        let mut values: Vec<Vec<&W::Kept>> = (0..keys.num_slots()).map(|_| Vec::new()).collect();
        for (_, batch) in &ring.batches {
            each_checked(task, batch, |(slot, kept)| values[*slot as usize].push(kept))?;
        }
        for (slot, values) in (0u32..).zip(values) {
            // A slot may have a value of each batch in the window.
            task.check()?;
            if let Some((_, entry)) = keys.get(slot)
                && let Some(new) = self.windowing.rebased(entry, values)
            {
                keys.replace(slot, new);
            }
        }
        Ok(())
    }
    /// The slots of which a value entered or left, each once.
    fn touched(&self, state: &WindowState<K, V, W>, task: &Task<'_>) -> Result<Vec<u32>, Stop> {
        let (mut known, mut touched) = (vec![false; state.keys.num_slots()], Vec::new());
        each_checked(task, state.keys.changed(), |slot| {
            if !mem::replace(&mut known[slot as usize], true) {
                touched.push(slot);
            }
        })?;
        Ok(touched)
    }
    /// The keys of these slots and their aggregates.
    fn changes(
        &self,
        state: &WindowState<K, V, W>,
        touched: Vec<u32>,
        task: &Task<'_>,
    ) -> Result<Outputs<(K, Option<V>)>, Stop> {
        let mut changes = Outputs::default();
        each_checked(task, touched, |slot| {
            let (key, entry) = state.keys.entry(slot);
            changes.push((key.clone(), (!W::is_empty(entry)).then(|| W::total(entry).clone())));
        })?;
        Ok(changes)
    }
}

/// Calls `each` with all items, and ends where the job is given up meanwhile.
#[inline(always)]
fn each_checked<T>(task: &Task<'_>, items: impl IntoIterator<Item = T>, mut each: impl FnMut(T)) -> Outcome {
    for (number, item) in items.into_iter().enumerate() {
        if number % CHUNK == 0 {
            task.check()?;
        }
        each(item);
    }
    Ok(())
}

/// An entry, and what the batches in the window left of it: (batch, value), by key.
type Images<K, V, W> = (Vec<(K, <W as Windowing<V>>::Image)>, Vec<(Time, Vec<(K, <W as Windowing<V>>::Kept)>)>);

impl<K: Key, V: Data, W: Windowing<V>> PartitionState for WindowState<K, V, W> {
    type Key = K;
    type Value = W::Entry;
    fn fresh(seed: HashSeed) -> Self {
        WindowState { keys: KeyedState::new(seed), ring: Ring::default(), entered: None, version: 0 }
    }
    fn entries(&self) -> &KeyedState<K, W::Entry> {
        &self.keys
    }
    fn begin(&mut self, oldest: Time, is_read: bool) -> Fallible<()> {
        let moved = if is_read { None } else { self.keys.compact(oldest) };
        if let Some(moved) = moved {
            let slots = self.ring.batches.iter_mut().flat_map(|(_, batch)| batch);
            slots.for_each(|(slot, _)| *slot = moved.of(*slot));
        }
        Ok(())
    }
    fn rollback(&mut self) {
        self.keys.rollback();
        self.ring.rollback();
        self.entered.iter_mut().for_each(PieceWriter::clear);
    }
    fn commit(&mut self, version: Time, oldest: Time) {
        self.keys.commit(version, oldest);
        self.ring.commit();
    }
    fn keep_changes(&mut self, version: u32) {
        (self.entered, self.version) = (Some(PieceWriter::new(version)), version);
    }
    fn changes(&mut self, _time: Time) -> Fallible<Vec<(StateLog, Vec<u8>)>> {
        let Some(entered) = &mut self.entered else { return Ok(Vec::new()) };
        let mut pieces: Vec<_> = entered.take().into_iter().map(|piece| (StateLog::Windows, piece)).collect();
        let mut left = PieceWriter::new(self.version);
        let is_left = |slot| self.keys.get(slot).filter(|(_, entry)| W::is_empty(entry));
        self.keys.each_touched(&Given::default(), |slot, _| {
            is_left(slot).map_or(Ok(()), |(key, entry)| left.left(key, W::total(entry)))
        })?;
        pieces.extend(left.take().into_iter().map(|piece| (StateLog::Changes, piece)));
        Ok(pieces)
    }
    /// Of what stays behind: what is in the window has a log of its own.
    fn image(&self, cursor: Cursor, out: &mut PieceWriter) -> Fallible<Option<Cursor>> {
        image_of_memory(&self.keys, cursor, |key, entry, _| match W::is_empty(entry) {
            true => out.left(key, W::total(entry)),
            false => Ok(()),
        })
    }
    fn encode(&self) -> Fallible<Vec<u8>> {
        let WindowState { keys, ring, .. } = self;
        let entries = keys.entries().map(|(key, entry, _)| (key.clone(), W::image(&ring.pool, entry)));
        let batches = ring.batches.iter().map(|(time, batch)| {
            let kept = batch.iter().map(|(slot, kept)| (keys.entry(*slot).0.clone(), kept.clone()));
            (*time, kept.collect())
        });
        let images: Images<K, V, W> = (entries.collect(), batches.collect());
        wire::encode(&images)
    }
    fn decode(seed: HashSeed, bytes: &[u8]) -> Fallible<Self> {
        let (entries, batches): Images<K, V, W> = wire::decode(bytes)?;
        let mut state = Self::fresh(seed);
        let WindowState { keys, ring, .. } = &mut state;
        for (key, image) in entries {
            let hash = keys.hash(&key);
            keys.insert(hash, key, W::restore(&mut ring.pool, image));
        }
        for (time, batch) in batches {
            let slot = |(key, kept)| Some((keys.find(keys.hash(&key), &key)?, kept));
            ring.batches.push_back((time, batch.into_iter().filter_map(slot).collect()));
        }
        let restored = Time::from_millis(i64::MIN);
        state.commit(restored, restored);
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
