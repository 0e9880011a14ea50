//! `map_with_state`: a function with a state for each key, which touches only the keys that a batch brings, and those
//! that are due.

use super::DStream;
use super::node::{AnyDStream, Generated, Tick};
use super::state_spec::StateSpec;
use super::stateful::StateChain;
use crate::origin::Origin;
use crate::rdd::Rdd;
use crate::state::{MapWithState, StateOutputs, all_entries};
use crate::{Data, Key};
use std::ops::Deref;
use std::sync::Arc;

impl<K: Key, V: Data> DStream<(K, V)> {
    /// What the function of `spec` makes of each record, given the state of the record's key, which it may change. It is
    /// called once per record, in the order of arrival within a partition, and for each key that is due (see
    /// [`StateSpec::timeout`] and [`State::set_timer`]). Other keys cost nothing. What it returns is the stream;
    /// [`MapWithStateDStream::state_snapshots`] is the state itself.
    ///
    /// A batch changes the state once, whatever tasks are tried again, and a task that fails leaves it as it was. The
    /// state is in memory, and what has no room there on disk, by [`StateLimits`](crate::rdd::StateLimits); no checkpoint
    /// folder is needed. Source: Spark's `mapWithState`, whose time-outs come with every tenth batch only.
    ///
    /// [`State::set_timer`]: crate::state::State::set_timer
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let running_counts = |words: DStream<char>| {
    ///     let spec = StateSpec::function(|word: &char, one: Option<u32>, count: &mut State<u32>| {
    ///         let sum = count.get().unwrap_or(&0) + one.unwrap_or(0);
    ///         count.update(sum);
    ///         (*word, sum)
    ///     });
    ///     words.map(|word| (word, 1)).map_with_state(spec).stream()
    /// };
    /// check([vec!['a', 'b', 'a'], vec!['a']], running_counts, [vec![('a', 1), ('b', 1), ('a', 2)], vec![('a', 3)]]);
    /// ```
    #[track_caller]
    pub fn map_with_state<S: Data, E: Data>(&self, spec: StateSpec<K, V, S, E>) -> MapWithStateDStream<K, S, E> {
        let (parent, context) = (self.node.clone(), self.context().clone());
        let StateSpec { function, initial, timeout, partitions, migrations } = spec;
        let migrations = if timeout.is_none() { migrations.without_timeouts() } else { migrations };
        let chain = Arc::new(StateChain::new(Arc::new(migrations)));
        let stages = chain.clone();
        self.check_initial_state("map_with_state", initial.as_ref());
        let stream = self.attach("map_with_state", vec![self.node.clone()], move |tick| {
            let data = parent.get_or_compute(tick.time)?;
            let origin = Origin::here("map_with_state");
            let stage = stages.stage(&context, tick, |by, before| {
                Ok(MapWithState {
                    time: tick.time,
                    map: function.clone(),
                    data: data.map(|rdd| rdd.spread(by)),
                    initial: initial.as_ref().filter(|_| before.is_none()).map(|rdd| rdd.spread(by)),
                    timeout,
                    origin,
                })
            })?;
            Ok(Some(Rdd::from_node(&context, StateOutputs { stage, origin })))
        });
        if let Some(partitions) = partitions.map(|choice| choice(self.context().seed())) {
            stream.check_partitions("StateSpec", partitions.num_partitions());
            stream.node.header().set_partitions(partitions);
        }
        self.graph.add_stateful(stream.node.clone(), chain.clone());
        let (of, context) = (stream.node.clone(), self.context().clone());
        let snapshot = Arc::new(move |tick: &Tick| {
            let _has_stage = of.get_or_compute(tick.time)?;
            let Some(stage) = chain.at(tick.time) else { return Ok(None) };
            Ok(Some(Rdd::from_node(&context, all_entries(stage, tick.is_asked_for, Origin::here("state_snapshots"))?)))
        });
        MapWithStateDStream { stream, snapshot }
    }
}

/// What [`DStream::map_with_state`] makes: the stream of what its function returns, with the state at hand. Source:
/// Spark's `MapWithStateDStream`.
#[derive(Clone)]
pub struct MapWithStateDStream<K, S, E> {
    stream: DStream<E>,
    snapshot: Arc<dyn Fn(&Tick) -> Generated<(K, S)> + Send + Sync>,
}

impl<K: Key, S: Data, E: Data> MapWithStateDStream<K, S, E> {
    /// The stream of what the function returned.
    pub fn stream(&self) -> DStream<E> {
        self.stream.clone()
    }
    /// All keys and their states, behind each batch: a full scan of the state in each batch that it is read in.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let snapshots = |words: DStream<char>| {
    ///     let spec = StateSpec::function(|_: &char, _: Option<()>, count: &mut State<u32>| {
    ///         count.update(count.get().unwrap_or(&0) + 1);
    ///     });
    ///     words.map(|word| (word, ())).map_with_state(spec).state_snapshots()
    /// };
    /// check([vec!['a'], vec!['b', 'b']], snapshots, [vec![('a', 1)], vec![('a', 1), ('b', 2)]]);
    /// ```
    #[track_caller]
    pub fn state_snapshots(&self) -> DStream<(K, S)> {
        let snapshot = self.snapshot.clone();
        let snapshots =
            self.stream.attach("state_snapshots", vec![self.stream.node.clone()], move |tick| snapshot(tick));
        snapshots.node.header().set_reads_state();
        snapshots
    }
}

impl<K, S, E> Deref for MapWithStateDStream<K, S, E> {
    type Target = DStream<E>;
    fn deref(&self) -> &DStream<E> {
        &self.stream
    }
}
