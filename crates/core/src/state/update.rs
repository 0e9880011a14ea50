//! [`UpdateState`]: what `update_state_by_key` does to a partition: it asks the user's function about every key, whether
//! the batch has values for it or not.

use super::clock::Clock;
use super::stage::{Outputs, Step};
use super::table_state::TableState;
use crate::origin::Origin;
use crate::rdd::combine_table::CombineTable;
use crate::rdd::{CHUNK, FoundShuffles, Node, Stop, Task};
use crate::time::Time;
use crate::{Data, Key};
use std::sync::Arc;

/// `F`: (batch time, key, the batch's values of the key, its state) to its new state, or none to remove it.
pub(crate) struct UpdateState<K, V, S, F> {
    pub(crate) time: Time,
    pub(crate) update: Arc<F>,
    /// The batch's records, spread as the state is; none if it has no RDD.
    pub(crate) data: Option<Arc<dyn Node<(K, V)>>>,
    /// Of the first batch.
    pub(crate) initial: Option<Arc<dyn Node<(K, S)>>>,
    pub(crate) origin: Origin,
}

impl<K: Key, V: Data, S: Data, F> Step for UpdateState<K, V, S, F>
where
    F: Fn(Time, &K, &[V], Option<&S>) -> Option<S> + Send + Sync + 'static,
{
    type State = TableState<K, S>;
    type Output = ();

    fn shuffles(&self, found: &mut FoundShuffles) {
        self.data.iter().for_each(|data| data.shuffles(found));
        self.initial.iter().for_each(|initial| initial.shuffles(found));
    }
    fn advance(&self, state: &mut TableState<K, S>, task: &Task<'_>) -> Result<Outputs<()>, Stop> {
        state.load(self.initial.as_ref(), Clock::NONE, task)?;
        let TableState { keys, cold, .. } = state;
        let mut known: Vec<(u32, V)> = Vec::new();
        let mut fresh = CombineTable::<K, Vec<V>>::with_capacity(keys.seed(), 0);
        if let Some(data) = &self.data {
            data.compute(task, &mut |chunk| {
                keys.each_hashed(chunk, |keys, hash, key, value| {
                    match TableState::find(keys, cold, hash, &key)? {
                        Some(slot) => known.push((slot, value)),
                        None => fresh.merge(hash, key, value, |first| vec![first], appended),
                    }
                    Ok::<(), Stop>(())
                })
            })?;
        }
        task.enter(self.origin);
        let keys = &mut state.keys;
        task.check()?;
        // Stable: a key's values stay in the order of their arrival.
        known.sort_by_key(|(slot, _)| *slot);
        let (slots, values): (Vec<u32>, Vec<V>) = known.into_iter().unzip();
        let mut next = 0;
        for slot in 0..keys.num_slots() as u32 {
            let first = next;
            next += slots[first..].iter().take_while(|of| **of == slot).count();
            let Some((key, old)) = keys.get(slot) else { continue };
            match (self.update)(self.time, key, &values[first..next], Some(old)) {
                Some(new) => keys.replace(slot, new),
                None => keys.remove(slot),
            }
        }
        state.update_cold(task, |key, old| (self.update)(self.time, key, &[], Some(old)))?;
        for (number, entry) in fresh.into_entries().enumerate() {
            if number % CHUNK == 0 {
                task.check()?;
            }
            if let Some(new) = (self.update)(self.time, &entry.key, &entry.value, None) {
                let hash = state.keys.hash(&entry.key);
                state.keys.insert(hash, entry.key, new);
            }
        }
        Ok(Outputs::default())
    }
}

fn appended<V>(mut values: Vec<V>, value: V) -> Vec<V> {
    values.push(value);
    values
}
