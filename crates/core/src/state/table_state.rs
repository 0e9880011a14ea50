//! [`TableState`]: a partition's state that is a table of keys and nothing else: what `update_state_by_key` and
//! `map_with_state` change.

use super::clock::Clock;
use super::keyed::{KeyedState, Layout};
use super::stage::PartitionState;
use crate::rdd::{Node, Outcome, Task};
use crate::time::Time;
use crate::{Data, Key, Result, wire};
use std::sync::Arc;

pub(crate) struct TableState<K, S>(pub(super) KeyedState<K, S>);

impl<K: Key, S: Data> TableState<K, S> {
    /// Enters what `initial` holds for the partition of `task`. Of a key that stands there more than once, the first
    /// counts.
    pub(super) fn load(&mut self, initial: Option<&Arc<dyn Node<(K, S)>>>, clock: Clock, task: &Task<'_>) -> Outcome {
        let Some(initial) = initial else { return Ok(()) };
        initial.compute(task, &mut |chunk| {
            self.0.each_placed(chunk, |state, place, key, value| {
                let shard = &mut state.shards[place.shard];
                if shard.find(place.hash, &key).is_none() {
                    let slot = shard.insert(place.hash, key, value);
                    shard.set_clock(slot, clock);
                }
                Ok(())
            })
        })
    }
}

impl<K: Key, S: Data> PartitionState for TableState<K, S> {
    type Key = K;
    type Value = S;
    fn fresh(layout: Layout) -> Self {
        TableState(KeyedState::new(layout))
    }
    fn entries(&self) -> &KeyedState<K, S> {
        &self.0
    }
    fn rollback(&mut self) {
        self.0.rollback();
    }
    fn commit(&mut self, version: Time, oldest: Time) {
        self.0.commit(version, oldest);
    }
    fn encode(&self) -> Result<Vec<u8>> {
        let entries: Vec<_> =
            self.0.entries().map(|(key, state, clock)| (key, state, clock.timeout, clock.timer)).collect();
        wire::encode(&entries)
    }
    fn decode(layout: Layout, bytes: &[u8]) -> Result<Self> {
        let mut state = KeyedState::new(layout);
        for (key, value, timeout, timer) in wire::decode::<Vec<(K, S, Time, Time)>>(bytes)? {
            let place = state.place(&key);
            let shard = &mut state.shards[place.shard];
            let slot = shard.insert(place.hash, key, value);
            shard.set_clock(slot, Clock { timeout, timer, armed: Clock::NEVER });
        }
        state.commit(Time::from_millis(i64::MIN), Time::from_millis(i64::MIN));
        Ok(TableState(state))
    }
}
