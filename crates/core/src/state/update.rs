//! [`UpdateState`]: what `update_state_by_key` does to a partition: it asks the user's function about every key, whether
//! the batch has values for it or not, one by one or about all of them at once.

use super::clock::Clock;
use super::stage::{Outputs, Step};
use super::table_state::TableState;
use crate::origin::Origin;
use crate::rdd::combine_table::CombineTable;
use crate::rdd::{CHUNK, FoundShuffles, Node, Stop, Task};
use crate::time::Time;
use crate::{Data, Error, Key};
use std::collections::HashSet;
use std::iter;
use std::sync::Arc;

/// What the user's function is.
pub(crate) enum Update<K, V, S> {
    /// (batch time, key, the batch's values of the key, its state) to its new state, or none to remove it.
    ByKey(Box<dyn Fn(Time, &K, &[V], Option<&S>) -> Option<S> + Send + Sync>),
    /// (batch time, the keys with their values and states) to the keys that have a state now.
    ByPartition(Box<ByPartition<K, V, S>>),
}
pub(crate) type ByPartition<K, V, S> =
    dyn Fn(Time, &mut dyn Iterator<Item = (K, Vec<V>, Option<S>)>) -> Vec<(K, S)> + Send + Sync;

pub(crate) struct UpdateState<K, V, S> {
    pub(crate) time: Time,
    pub(crate) update: Arc<Update<K, V, S>>,
    /// The batch's records, spread as the state is; none if it has no RDD.
    pub(crate) data: Option<Arc<dyn Node<(K, V)>>>,
    /// Of the first batch.
    pub(crate) initial: Option<Arc<dyn Node<(K, S)>>>,
    pub(crate) origin: Origin,
}

/// The values that a batch has of the keys of a partition.
struct Values<K: Key, V> {
    /// Of keys that have a state in memory, by their slots, in the order of the slots.
    known: Vec<(u32, V)>,
    fresh: CombineTable<K, Vec<V>>,
}

impl<K: Key, V: Data, S: Data> Step for UpdateState<K, V, S> {
    type State = TableState<K, S>;
    type Output = ();

    fn shuffles(&self, found: &mut FoundShuffles) {
        self.data.iter().for_each(|data| data.shuffles(found));
        self.initial.iter().for_each(|initial| initial.shuffles(found));
    }
    fn advance(&self, state: &mut TableState<K, S>, task: &Task<'_>) -> Result<Outputs<()>, Stop> {
        state.load(self.initial.as_ref(), Clock::NONE, task)?;
        let values = self.values(state, task)?;
        task.enter(self.origin);
        match &*self.update {
            Update::ByKey(update) => self.by_key(update, state, values, task)?,
            Update::ByPartition(update) => self.by_partition(update, state, values, task)?,
        }
        Ok(Outputs::default())
    }
}

impl<K: Key, V: Data, S: Data> UpdateState<K, V, S> {
    fn values(&self, state: &mut TableState<K, S>, task: &Task<'_>) -> Result<Values<K, V>, Stop> {
        let TableState { keys, cold, .. } = state;
        let fresh = CombineTable::with_capacity(keys.seed(), 0);
        let mut values = Values { known: Vec::new(), fresh };
        if let Some(data) = &self.data {
            data.compute(task, &mut |chunk| {
                keys.each_hashed(chunk, |keys, hash, key, value| {
                    match TableState::find(keys, cold, hash, &key)? {
                        Some(slot) => values.known.push((slot, value)),
                        None => values.fresh.merge(hash, key, value, |first| vec![first], appended),
                    }
                    Ok::<(), Stop>(())
                })
            })?;
        }
        // Stable: a key's values stay in the order of their arrival.
        values.known.sort_by_key(|(slot, _)| *slot);
        Ok(values)
    }
    fn by_key(
        &self,
        update: &dyn Fn(Time, &K, &[V], Option<&S>) -> Option<S>,
        state: &mut TableState<K, S>,
        values: Values<K, V>,
        task: &Task<'_>,
    ) -> Result<(), Stop> {
        let (slots, known): (Vec<u32>, Vec<V>) = values.known.into_iter().unzip();
        let (keys, mut next) = (&mut state.keys, 0);
        for slot in 0..keys.num_slots() as u32 {
            check_each_chunk(slot as usize, task)?;
            let first = next;
            next += slots[first..].iter().take_while(|of| **of == slot).count();
            let Some((key, old)) = keys.get(slot) else { continue };
            match update(self.time, key, &known[first..next], Some(old)) {
                Some(new) => keys.replace(slot, new),
                None => keys.remove(slot),
            }
        }
        state.update_cold(task, |entries| {
            let new = |(key, old)| {
                let new = update(self.time, &key, &[], Some(&old))?;
                Some((key, new))
            };
            Ok(entries.into_iter().filter_map(new).collect())
        })?;
        for (number, entry) in values.fresh.into_entries().enumerate() {
            check_each_chunk(number, task)?;
            if let Some(new) = update(self.time, &entry.key, &entry.value, None) {
                insert(state, entry.key, new);
            }
        }
        Ok(())
    }
    /// The function is called once for the keys in memory and the new ones, and once for each page of those on disk.
    fn by_partition(
        &self,
        update: &ByPartition<K, V, S>,
        state: &mut TableState<K, S>,
        values: Values<K, V>,
        task: &Task<'_>,
    ) -> Result<(), Stop> {
        let keys = &state.keys;
        let mut known = values.known.into_iter().peekable();
        let old = (0..keys.num_slots() as u32).filter_map(|slot| {
            let (key, state) = keys.get(slot)?;
            let values = iter::from_fn(|| known.next_if(|(of, _)| *of == slot)).map(|(_, value)| value).collect();
            Some((key.clone(), values, Some(state.clone())))
        });
        let fresh = values.fresh.into_entries().map(|entry| (entry.key, entry.value, None));
        let mut given = HashSet::new();
        let mut told = old.chain(fresh).inspect(|(key, _, state)| {
            if state.is_none() {
                given.insert(key.clone());
            }
        });
        let new = update(self.time, &mut told);
        // What the function did not ask for is left out of its answer, and so removed.
        drop(told);
        let mut kept = vec![false; keys.num_slots()];
        for (number, (key, new)) in new.into_iter().enumerate() {
            check_each_chunk(number, task)?;
            let keys = &mut state.keys;
            let slot = match keys.find(keys.hash(&key), &key) {
                Some(slot) => {
                    keys.replace(slot, new);
                    slot
                }
                None if given.contains(&key) => insert(state, key, new),
                None => return Err(self.unknown_key()),
            };
            // A new key may have a place behind all that there were, where nothing is removed.
            kept.get_mut(slot as usize).into_iter().for_each(|kept| *kept = true);
        }
        let keys = &mut state.keys;
        for (slot, kept) in kept.into_iter().enumerate() {
            if !kept && keys.get(slot as u32).is_some() {
                keys.remove(slot as u32);
            }
        }
        state.update_cold(task, |entries| {
            let given: HashSet<K> = entries.iter().map(|(key, _)| key.clone()).collect();
            let mut told = entries.into_iter().map(|(key, state)| (key, Vec::new(), Some(state)));
            let new = update(self.time, &mut told);
            if new.iter().all(|(key, _)| given.contains(key)) { Ok(new) } else { Err(self.unknown_key()) }
        })
    }
    fn unknown_key(&self) -> Stop {
        let message = format!(
            "{}: the function of the partition gives a state to a key that it did not get; state stays with its key: \
             map the records to the key before, or the stream of states behind it",
            self.origin
        );
        Error::program(message).into()
    }
}

fn insert<K: Key, S: Data>(state: &mut TableState<K, S>, key: K, new: S) -> u32 {
    let hash = state.keys.hash(&key);
    state.keys.insert(hash, key, new)
}

fn check_each_chunk(number: usize, task: &Task<'_>) -> Result<(), Stop> {
    if number.is_multiple_of(CHUNK) { task.check() } else { Ok(()) }
}

fn appended<V>(mut values: Vec<V>, value: V) -> Vec<V> {
    values.push(value);
    values
}
