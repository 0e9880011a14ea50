//! `update_state_by_key`: a state for each key, which a function makes anew in every batch.

use super::DStream;
use super::stateful::StateChain;
use crate::origin::Origin;
use crate::rdd::Rdd;
use crate::state::{Migrations, Update, UpdateState, all_entries};
use crate::time::Time;
use crate::{Closure, Data, Key};
use serde::de::DeserializeOwned;
use std::sync::Arc;

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
    function: Update<K, V, S>,
    initial: Option<Rdd<(K, S)>>,
    migrations: Migrations<K, S>,
}

impl<K: Key, V: Data, S: Data> StateUpdate<K, V, S> {
    /// `update` gets the values that a batch has of a key, in the order of their arrival within a partition, and the
    /// key's state, and gives the new state, or `None` to remove the key.
    pub fn function(update: impl Fn(&[V], Option<&S>) -> Option<S> + Closure) -> Self {
        StateUpdate::function_with_time(move |_, _, values, state| update(values, state))
    }
    /// As [`StateUpdate::function`]; `update` gets the batch time and the key, too.
    pub fn function_with_time(update: impl Fn(Time, &K, &[V], Option<&S>) -> Option<S> + Closure) -> Self {
        StateUpdate { function: Update::ByKey(Box::new(update)), initial: None, migrations: Migrations::default() }
    }
    /// A function of all the keys of a partition at once, with what it makes for them once per call: `update` gets the
    /// batch time and, for each key, the batch's values and the state, in any order of keys. It returns the keys that have
    /// a state from here on; one that it leaves out is removed, of one that it returns twice the last counts, and to
    /// return one that it did not get is an error, since state stays in its key's partition. For a partition that is partly
    /// on disk it is called again for each page of up to 1,024 keys there. Source: the iterator form of Spark's
    /// `updateStateByKey`, always as with `rememberPartitioner`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let longest = |lines: DStream<(char, String)>| {
    ///     let update = StateUpdate::partition(|_, keys: &mut dyn Iterator<Item = (char, Vec<String>, Option<usize>)>| {
    ///         keys.map(|(key, lines, longest)| (key, lines.iter().map(String::len).chain(longest).max().unwrap())).collect()
    ///     });
    ///     lines.update_state_by_key_with(update)
    /// };
    /// check([vec![('a', "abc".into())], vec![('a', "b".into())]], longest, [vec![('a', 3)], vec![('a', 3)]]);
    /// ```
    pub fn partition(
        update: impl Fn(Time, &mut dyn Iterator<Item = (K, Vec<V>, Option<S>)>) -> Vec<(K, S)> + Closure,
    ) -> Self {
        StateUpdate {
            function: Update::ByPartition(Box::new(update)),
            initial: None,
            migrations: Migrations::default(),
        }
    }
    /// Begins with the keys and states of `initial`, to which the first batch's values come. Of a key that stands there
    /// more than once, one counts. By default there are none.
    pub fn initial_state(self, initial: &Rdd<(K, S)>) -> Self {
        StateUpdate { initial: Some(initial.clone()), ..self }
    }
    /// What a checkpoint folder has of the state, from an earlier version of the program with another type, becomes the
    /// state of this one by `migrate`: one call for each older version, as
    /// [`StateSpec::migrate_state`](super::StateSpec::migrate_state).
    ///
    /// ```
    /// use headwater::prelude::*;
    /// let sums = StateUpdate::function(|new: &[f64], sum: Option<&f64>| Some(sum.unwrap_or(&0.0) + new.iter().sum::<f64>()));
    /// let sums: StateUpdate<String, f64, f64> = sums.migrate_state(|text: String| text.parse().unwrap_or(0.0));
    /// ```
    pub fn migrate_state<Old: DeserializeOwned + 'static>(mut self, migrate: impl Fn(Old) -> S + Closure) -> Self {
        self.migrations.add(migrate);
        self
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
        let (parent, context) = (self.node.clone(), self.context().clone());
        let StateUpdate { function, initial, migrations } = update;
        let chain = Arc::new(StateChain::new(Arc::new(migrations)));
        let stages = chain.clone();
        let update = Arc::new(function);
        self.check_initial_state("update_state_by_key", initial.as_ref());
        let stream = self.attach("update_state_by_key", vec![self.node.clone()], move |tick| {
            let data = parent.get_or_compute(tick.time)?;
            let origin = Origin::here("update_state_by_key");
            let stage = stages.stage(&context, tick, |by, before| {
                Ok(UpdateState {
                    time: tick.time,
                    update: update.clone(),
                    data: data.map(|rdd| rdd.spread(by)),
                    initial: initial.as_ref().filter(|_| before.is_none()).map(|rdd| rdd.spread(by)),
                    origin,
                })
            })?;
            Ok(Some(Rdd::from_node(&context, all_entries(stage, tick.is_asked_for, origin)?)))
        });
        self.graph.add_stateful(stream.node.clone(), chain);
        stream.choosing_partitions()
    }
}
