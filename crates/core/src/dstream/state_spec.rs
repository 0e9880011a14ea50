//! [`StateSpec`]: what `map_with_state` is told: its function, and what the state begins with, how it is spread and when
//! it times out.

use crate::hash::HashSeed;
use crate::partitioner::{PartitionChoice, Partitioner, Partitioning};
use crate::rdd::Rdd;
use crate::state::{Migrations, State};
use crate::time::Time;
use crate::{Closure, Data, Key};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// (batch time, key, value or none if the key is due, its state) to a record, if any.
pub(super) type MapFunction<K, V, S, E> =
    Box<dyn Fn(Time, &K, Option<V>, &mut State<'_, S>) -> Option<E> + Send + Sync>;

/// The specification of [`DStream::map_with_state`](super::DStream::map_with_state). Source: Spark's `StateSpec`.
///
/// ```
/// use headwater::{prelude::*, testkit};
/// let context = testkit::context();
/// let spec = StateSpec::function(|user: &u64, page: Option<String>, pages: &mut State<u32>| {
///     if pages.is_timing_out() {
///         return (*user, *pages.get().unwrap_or(&0));
///     }
///     pages.update(pages.get().unwrap_or(&0) + page.map_or(0, |_| 1));
///     (*user, 0)
/// });
/// let spec = spec.timeout(seconds(1800)).num_partitions(8).initial_state(&context.parallelize(vec![(7, 3)], 1));
/// ```
#[must_use = "give it to map_with_state"]
pub struct StateSpec<K, V, S, E> {
    pub(super) function: Arc<MapFunction<K, V, S, E>>,
    pub(super) initial: Option<Rdd<(K, S)>>,
    pub(super) timeout: Option<Duration>,
    pub(super) partitions: Option<Box<dyn FnOnce(HashSeed) -> PartitionChoice>>,
    pub(super) migrations: Migrations<K, S>,
}

impl<K: Key, V: Data, S: Data, E: Data> StateSpec<K, V, S, E> {
    /// `function` gets a key, a value of it (none when the key is due: it times out, or its timer fires) and its state,
    /// and makes a record of the stream of each call. Source: Spark's `StateSpec.function` of three arguments.
    pub fn function(function: impl Fn(&K, Option<V>, &mut State<'_, S>) -> E + Closure) -> Self {
        StateSpec::function_with_time(move |_, key, value, state| Some(function(key, value, state)))
    }
    /// As [`StateSpec::function`]; `function` gets the batch time, too, and need not make a record of each call. Source:
    /// Spark's `StateSpec.function` of four arguments.
    pub fn function_with_time(
        function: impl Fn(Time, &K, Option<V>, &mut State<'_, S>) -> Option<E> + Closure,
    ) -> Self {
        let (initial, timeout, partitions, migrations) = Default::default();
        StateSpec { function: Arc::new(Box::new(function)), initial, timeout, partitions, migrations }
    }
    /// The state had another type in an earlier version of the program, and what a checkpoint folder has of it becomes the
    /// state of this one by `migrate`. One call for each older version, the oldest first; they stay in the program for as
    /// long as there may be such a folder. None is needed where the type has a field more (`#[serde(default)]`), fewer or
    /// renamed (`#[serde(alias = "...")]`), or a wider number: such state reads as it is. An addition to Spark.
    ///
    /// ```
    /// use headwater::prelude::*;
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Clone, Serialize, Deserialize)]
    /// struct Visits { count: u64, seconds: f64 }
    /// let spec = StateSpec::function(|_user: &u64, _page: Option<Text>, visits: &mut State<Visits>| {
    ///     let old = visits.get().cloned().unwrap_or(Visits { count: 0, seconds: 0.0 });
    ///     visits.update(Visits { count: old.count + 1, ..old });
    /// });
    /// // Version 1 kept a count, version 2 a pair.
    /// let spec = spec
    ///     .migrate_state(|count: u64| Visits { count, seconds: 0.0 })
    ///     .migrate_state(|(count, seconds): (u64, f64)| Visits { count, seconds });
    /// ```
    pub fn migrate_state<Old: DeserializeOwned + 'static>(mut self, migrate: impl Fn(Old) -> S + Closure) -> Self {
        self.migrations.add(migrate);
        self
    }
    /// Begins with the keys and states of `initial`, as if they came with the first batch, without a call. Of a key that
    /// stands there more than once, one counts. By default there are none.
    pub fn initial_state(self, initial: &Rdd<(K, S)>) -> Self {
        StateSpec { initial: Some(initial.clone()), ..self }
    }
    /// The number of partitions; by default `Conf::default_parallelism`.
    pub fn num_partitions(self, partitions: usize) -> Self {
        StateSpec { partitions: Some(Box::new(move |_| PartitionChoice::Number(partitions))), ..self }
    }
    /// How keys are spread over partitions; by default by their hash.
    pub fn partitioner(self, partitioner: impl Partitioner<K>) -> Self {
        let choice = |seed| PartitionChoice::By(Partitioning::of::<K, _>(partitioner, seed));
        StateSpec { partitions: Some(Box::new(choice)), ..self }
    }
    /// A key that had no record for longer than `interval` is called once more, without a value and with
    /// [`State::is_timing_out`], in the first batch whose time is later than that of its last record by more than
    /// `interval`, and then removed. Whether that batch has records makes no difference. By default keys stay. Source:
    /// Spark's `StateSpec.timeout`, where it happens up to ten batches later.
    pub fn timeout(self, interval: Duration) -> Self {
        StateSpec { timeout: Some(interval), ..self }
    }
}
