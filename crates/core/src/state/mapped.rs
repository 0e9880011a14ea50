//! [`MapWithState`]: what `map_with_state` does to a partition: it calls the user's function for each record and for
//! each key that is due, and touches no other key.

use super::clock::Clock;
use super::handle::{Call, Change, State};
use super::keyed::KeyedState;
use super::stage::{Outputs, Step};
use super::table_state::{Durable, TableState};
use crate::origin::Origin;
use crate::rdd::{CHUNK, FoundShuffles, Node, Stop, Task};
use crate::time::Time;
use crate::{Data, Error, Key};
use std::sync::Arc;
use std::time::Duration;

/// `F`: (batch time, key, value or none if the key is due, its state) to a record for the readers, if any.
pub(crate) struct MapWithState<K, V, S, F> {
    pub(crate) time: Time,
    pub(crate) map: Arc<F>,
    /// The batch's records, spread as the state is; none if it has no RDD.
    pub(crate) data: Option<Arc<dyn Node<(K, V)>>>,
    /// Of the first batch.
    pub(crate) initial: Option<Arc<dyn Node<(K, S)>>>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) origin: Origin,
}

impl<K: Key, V: Data, S: Data, E: Data, F> Step for MapWithState<K, V, S, F>
where
    F: Fn(Time, &K, Option<V>, &mut State<'_, S>) -> Option<E> + Send + Sync + 'static,
{
    type State = TableState<K, S>;
    type Output = E;

    fn shuffles(&self, found: &mut FoundShuffles) {
        self.data.iter().for_each(|data| data.shuffles(found));
        self.initial.iter().for_each(|initial| initial.shuffles(found));
    }
    fn advance(&self, state: &mut TableState<K, S>, task: &Task<'_>) -> Result<Outputs<E>, Stop> {
        state.load(self.initial.as_ref(), self.touched(Clock::NONE), task)?;
        let mut outputs = Outputs::default();
        if let Some(data) = &self.data {
            data.compute(task, &mut |chunk| {
                task.enter(self.origin);
                let TableState { keys, cold, durable, .. } = &mut *state;
                keys.each_hashed(chunk, |keys, hash, key, value| {
                    let slot = TableState::find(keys, cold, hash, &key)?;
                    if let Some(output) = self.record((keys, durable.as_mut()), slot, hash, key, value)? {
                        outputs.push(output);
                    }
                    Ok::<(), Stop>(())
                })
            })?;
        }
        task.enter(self.origin);
        state.fetch_due(self.time, task)?;
        for (number, slot) in state.keys.due(self.time).into_iter().enumerate() {
            if number % CHUNK == 0 {
                task.check()?;
            }
            if let Some(output) = self.due(&mut state.keys, slot)? {
                outputs.push(output);
            }
        }
        Ok(outputs)
    }
}

impl<K: Key, V: Data, S: Data, F> MapWithState<K, V, S, F> {
    /// One record of a key, whose hash is `hash` and which has a state in `slot`, if it has one.
    #[inline(always)]
    fn record<E>(
        &self,
        (keys, durable): (&mut KeyedState<K, S>, Option<&mut Durable>),
        slot: Option<u32>,
        hash: u64,
        key: K,
        value: V,
    ) -> Result<Option<E>, Stop>
    where
        F: Fn(Time, &K, Option<V>, &mut State<'_, S>) -> Option<E>,
    {
        let Some(slot) = slot else {
            let mut state = State::new(None, Call::Record, self.time, Clock::NEVER);
            let output = (self.map)(self.time, &key, Some(value), &mut state);
            let (change, timer) = self.done(state)?;
            if let Change::Updated(new) = change {
                let slot = keys.insert(hash, key, new);
                match (durable, self.touched(Clock { timer, ..Clock::NONE })) {
                    (Some(durable), Clock::NONE) => durable.insert(keys, slot)?,
                    (_, clock) => keys.set_clock(slot, clock),
                }
            }
            return Ok(output);
        };
        let clock = keys.clock(slot);
        let mut state = State::new(Some(&keys.entry(slot).1), Call::Record, self.time, clock.timer);
        let output = (self.map)(self.time, &key, Some(value), &mut state);
        let (change, timer) = self.done(state)?;
        if self.timeout.is_none() && timer == clock.timer {
            // What is usual: no deadline is touched.
            match (change, durable) {
                (Change::Updated(new), durable) => {
                    if let Some(durable) = durable {
                        durable.change(keys, slot, (&key, Some(&keys.entry(slot).1), &new))?;
                    }
                    keys.replace(slot, new);
                }
                (Change::Removed, durable) => {
                    durable.into_iter().for_each(|durable| durable.remove(keys, slot));
                    keys.remove(slot);
                }
                (Change::Nothing, _) => {}
            }
            return Ok(output);
        }
        apply(keys, slot, change, self.touched(Clock { timer, ..clock }));
        Ok(output)
    }
    /// A key whose deadline has come.
    fn due<E>(&self, keys: &mut KeyedState<K, S>, slot: u32) -> Result<Option<E>, Stop>
    where
        F: Fn(Time, &K, Option<V>, &mut State<'_, S>) -> Option<E>,
    {
        let clock = keys.clock(slot);
        let times_out = clock.timeout <= self.time;
        let call = if times_out { Call::TimeOut } else { Call::Timer };
        let (key, old) = keys.entry(slot);
        let mut state = State::new(Some(old), call, self.time, Clock::NEVER);
        let output = (self.map)(self.time, key, None, &mut state);
        let (change, timer) = self.done(state)?;
        let change = if times_out { Change::Removed } else { change };
        apply(keys, slot, change, Clock { timer, ..clock });
        Ok(output)
    }
    fn done<'a>(&self, state: State<'a, S>) -> Result<(Change<S>, Time), Stop> {
        match state.misuse {
            None => Ok((state.change, state.timer)),
            Some(misuse) => Err(Error::program(format!("{}: {misuse}", self.origin)).into()),
        }
    }
    /// The clock of a key that has a record now: it times out in the first batch that is later by more than the timeout.
    #[inline(always)]
    fn touched(&self, clock: Clock) -> Clock {
        let Some(timeout) = self.timeout else { return clock };
        let millis = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX - 1);
        let timeout = self.time.milliseconds().saturating_add(millis).saturating_add(1).min(i64::MAX - 1);
        Clock { timeout: Time::from_millis(timeout), ..clock }
    }
}

/// Does to a key that has a state what the function said.
#[inline(always)]
fn apply<K: Key, S: Data>(keys: &mut KeyedState<K, S>, slot: u32, change: Change<S>, clock: Clock) {
    match change {
        Change::Removed => return keys.remove(slot),
        Change::Updated(new) => keys.replace(slot, new),
        Change::Nothing => {}
    }
    keys.set_clock(slot, clock);
}
