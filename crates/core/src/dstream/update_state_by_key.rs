//! `update_state_by_key`: a state for each key, which a function makes anew in every batch.

use super::DStream;
use super::stateful::StateChain;
use crate::origin::Origin;
use crate::rdd::Rdd;
use crate::state::{StateRecords, UpdateState};
use crate::time::Time;
use crate::{Closure, Data, Key};
use std::sync::Arc;

/// (batch time, key, the batch's values of the key, its state) to its new state, or none.
type Function<K, V, S> = Box<dyn Fn(Time, &K, &[V], Option<&S>) -> Option<S> + Send + Sync>;

/// What [`DStream::update_state_by_key_with`] is told: its function, and what the state begins with.
///
/// ```
/// use headwater::{prelude::*, testkit::check};
/// let program = |words: DStream<char>| {
///     let update = StateUpdate::function(|ones: &[u32], count: Option<&u32>| Some(count.unwrap_or(&0) + ones.len() as u32));
///     let update = update.initial_state(&words.context().parallelize(vec![('a', 10)], 1));
///     words.map(|word| (word, 1)).update_state_by_key_with(update)
/// };
/// check([vec!['b'], vec!['a']], program, [vec![('a', 10), ('b', 1)], vec![('a', 11), ('b', 1)]]);
/// ```
#[must_use = "give it to update_state_by_key_with"]
pub struct StateUpdate<K, V, S> {
    function: Function<K, V, S>,
    initial: Option<Rdd<(K, S)>>,
}

impl<K: Key, V: Data, S: Data> StateUpdate<K, V, S> {
    /// `update` gets the values that a batch has of a key, in the order of their arrival within a partition, and the
    /// key's state, and gives the new state, or `None` to remove the key.
    pub fn function(update: impl Fn(&[V], Option<&S>) -> Option<S> + Closure) -> Self {
        StateUpdate::function_with_time(move |_, _, values, state| update(values, state))
    }
    /// As [`StateUpdate::function`]; `update` gets the batch time and the key, too.
    pub fn function_with_time(update: impl Fn(Time, &K, &[V], Option<&S>) -> Option<S> + Closure) -> Self {
        StateUpdate { function: Box::new(update), initial: None }
    }
    /// Begins with the keys and states of `initial`, to which the first batch's values come. Of a key that stands there
    /// more than once, one counts. By default there are none.
    pub fn initial_state(self, initial: &Rdd<(K, S)>) -> Self {
        StateUpdate { initial: Some(initial.clone()), ..self }
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// A state for each key: in each batch `update` is called for every key that has a state or values, with its values
    /// (none for a key that is idle) and its state, and gives the new state, or `None` to remove the key. The stream is
    /// all keys and their states.
    ///
    /// A batch costs a call for each key: where few keys of many change, [`DStream::map_with_state`] costs less. A batch
    /// changes the state once, whatever tasks are tried again. The state is in memory, and what has no room there on disk,
    /// by [`StateLimits`](crate::rdd::StateLimits): all of that is read once a batch, and what has changed is written. No
    /// checkpoint folder is needed. Source: Spark's `updateStateByKey`, whose other forms are those of [`StateUpdate`] and
    /// [`DStream::with_partitions`].
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let counts = |words: DStream<char>| {
    ///     let pairs = words.map(|word| (word, 1));
    ///     pairs.update_state_by_key(|ones, count: Option<&u32>| Some(count.unwrap_or(&0) + ones.iter().sum::<u32>()))
    /// };
    /// check([vec!['a', 'b'], vec!['a']], counts, [vec![('a', 1), ('b', 1)], vec![('a', 2), ('b', 1)]]);
    /// ```
    #[track_caller]
    pub fn update_state_by_key<S: Data>(
        &self,
        update: impl Fn(&[V], Option<&S>) -> Option<S> + Closure,
    ) -> DStream<(K, S)> {
        self.update_state_by_key_with(StateUpdate::function(update))
    }

    /// [`DStream::update_state_by_key`], as `update` says.
    #[track_caller]
    pub fn update_state_by_key_with<S: Data>(&self, update: StateUpdate<K, V, S>) -> DStream<(K, S)> {
        let (parent, context, chain) = (self.node.clone(), self.context().clone(), Arc::new(StateChain::new()));
        let stages = chain.clone();
        let StateUpdate { function, initial } = update;
        let update = Arc::new(function);
        let stream = self.attach("update_state_by_key", vec![self.node.clone()], move |tick| {
            let data = parent.get_or_compute(tick.time)?;
            let origin = Origin::here("update_state_by_key");
            let stage = stages.stage(&context, tick, tick.partitions.clone(), |by, before| {
                Ok(UpdateState {
                    time: tick.time,
                    update: update.clone(),
                    data: data.map(|rdd| rdd.spread(by)),
                    initial: initial.as_ref().filter(|_| before.is_none()).map(|rdd| rdd.spread(by)),
                    origin,
                })
            })?;
            let emit = Arc::new(|key: &K, state: &S| Some((key.clone(), state.clone())));
            Ok(Some(Rdd::from_node(&context, StateRecords { stage, emit, origin })))
        });
        self.graph.add_stateful(stream.node.clone(), chain);
        stream.choosing_partitions()
    }
}
