//! `reduce_by_key_and_window`: one record per key of the window that ends with a batch. The aggregates run along from
//! batch to batch: what enters is added and what leaves is taken away, and nothing is reduced twice.

use super::node::{AnyDStream, DStreamNode, Generated, Tick};
use super::stateful::StateChain;
use super::window_reduce::WindowReduce;
use super::{DStream, Window};
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, PartitionChoice};
use crate::rdd::{Node, Rdd, RddContext};
use crate::state::{Inverse, Slide, StateOutputs, StateRecords, StateStage, StateVersion, TwoStacks, Windowing};
use crate::time::Time;
use crate::transport::Role;
use crate::{Closure, Data, Error, Key, Result};
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

impl<K: Key, V: Data> DStream<(K, V)> {
    /// One record per key that has a value in the window: its values of all batches of the window, reduced by `reduce`,
    /// which must be associative. Keys whose last value leaves are gone. `window` is a length, with a window per batch,
    /// or `(length, slide)`; which batches it has says [`DStream::window`].
    ///
    /// A batch is reduced once. In the window, each key has a queue of two stacks, so that a batch costs the keys that
    /// it brings and those of the batch that leaves, with about three calls of `reduce` for each, however long the window
    /// is; memory is one value per key and batch in the window. Every window costs one record per key that is in it: see
    /// [`DStream::reduce_by_key_and_window_changes`] for what avoids that. Where `reduce` has an inverse,
    /// [`DStream::reduce_by_key_and_window_inverse`] costs less.
    ///
    /// The number of partitions, or the partitioner, is chosen behind it ([`DStream::with_partitions`]). No checkpoint
    /// folder is needed: aggregates are in memory. Source: Spark's `reduceByKeyAndWindow(reduceFunc, ...)`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let highest = |bids: DStream<(char, u32)>| bids.reduce_by_key_and_window(|a, b| a.max(b), seconds(2));
    /// let bids = [vec![('a', 7)], vec![('a', 3), ('b', 1)], vec![]];
    /// check(bids, highest, [vec![('a', 7)], vec![('a', 7), ('b', 1)], vec![('a', 3), ('b', 1)]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_key_and_window(
        &self,
        reduce: impl Fn(V, V) -> V + Closure,
        window: impl Into<Window>,
    ) -> DStream<(K, V)> {
        let reduce = Arc::new(reduce);
        let reduce = move |a, b| reduce(a, b);
        let kind = "reduce_by_key_and_window";
        let plan = Plan { kind, keeps_empty: false, rebase_every: 0, filter: |_: &K, _: &V| true };
        self.running(window.into(), Arc::new(TwoStacks(reduce.clone())), reduce, plan)
    }

    /// As [`DStream::reduce_by_key_and_window`], where `inverse` takes away what `reduce` added:
    /// `inverse(reduce(x, y), y)` is `x`. A key has one running aggregate: a batch costs one call of `reduce` for each key
    /// that it brings and one of `inverse` for each key of the batch that leaves.
    ///
    /// As in Spark, a key stays when its last value has left, with the neutral value (0 for a sum) that is left over: give
    /// a filter to be rid of such keys, which [`DStream::reduce_by_key_and_window_with`] takes. The same for
    /// floating-point numbers, where rounding adds up as long as a key has values in the window:
    /// [`WindowReduce::rebase_every`]. Source: Spark's `reduceByKeyAndWindow(reduceFunc, invReduceFunc, ...)`; with a
    /// slide duration that is longer than the window Spark counts skipped batches in, here the window is the window.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let sums = |pairs: DStream<(char, u32)>| {
    ///     pairs.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2))
    /// };
    /// let pairs = [vec![('a', 1)], vec![('a', 2)], vec![], vec![]];
    /// check(pairs, sums, [vec![('a', 1)], vec![('a', 3)], vec![('a', 2)], vec![('a', 0)]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_key_and_window_inverse(
        &self,
        reduce: impl Fn(V, V) -> V + Closure,
        inverse: impl Fn(V, V) -> V + Closure,
        window: impl Into<Window>,
    ) -> DStream<(K, V)> {
        let reduce = Arc::new(reduce);
        let reduce = move |a, b| reduce(a, b);
        let kind = "reduce_by_key_and_window_inverse";
        let plan = Plan { kind, keeps_empty: true, rebase_every: 0, filter: |_: &K, _: &V| true };
        self.running(window.into(), Arc::new(Inverse { reduce: reduce.clone(), inverse }), reduce, plan)
    }

    /// [`DStream::reduce_by_key_and_window_inverse`] with a filter, or one that makes its aggregates anew now and then.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let sums = |pairs: DStream<(char, u32)>| {
    ///     let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(2)).filter(|_, sum| *sum > 1);
    ///     pairs.reduce_by_key_and_window_with(sum)
    /// };
    /// check([vec![('a', 1)], vec![('a', 2)], vec![], vec![]], sums, [vec![], vec![('a', 3)], vec![('a', 2)], vec![]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_key_and_window_with(&self, reduce: WindowReduce<K, V>) -> DStream<(K, V)> {
        let WindowReduce { reduce, inverse, window, filter, rebase_every } = reduce;
        let keeps_empty = filter.is_none();
        let filter = move |key: &K, value: &V| filter.as_ref().is_none_or(|filter| filter(key, value));
        let of_batch = reduce.clone();
        let windowing = Inverse { reduce: move |a, b| reduce(a, b), inverse };
        let plan = Plan { kind: "reduce_by_key_and_window_with", keeps_empty, rebase_every, filter };
        self.running(window, Arc::new(windowing), move |a, b| of_batch(a, b), plan)
    }

    /// What has changed since the window before: the keys of which values entered or left, each with its aggregate, or
    /// with `None` where no value of it is in the window any more. Where many keys are in the window and few are touched
    /// between two windows, this costs the few: [`DStream::reduce_by_key_and_window_inverse`] makes a record of every key
    /// for every window. The filter of `reduce` decides which aggregates are told; a key that it drops is told with `None`
    /// each time it is touched. An addition to Spark.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let changes = |pairs: DStream<(char, u32)>| {
    ///     pairs.reduce_by_key_and_window_changes(WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(2)))
    /// };
    /// let pairs = [vec![('a', 1), ('b', 5)], vec![('a', 2)], vec![], vec![]];
    /// let changed = [
    ///     vec![('a', Some(1)), ('b', Some(5))],
    ///     vec![('a', Some(3))],
    ///     vec![('a', Some(2)), ('b', None)],
    ///     vec![('a', None)],
    /// ];
    /// check(pairs, changes, changed);
    /// ```
    #[track_caller]
    pub fn reduce_by_key_and_window_changes(&self, reduce: WindowReduce<K, V>) -> DStream<(K, Option<V>)> {
        let WindowReduce { reduce, inverse, window, filter, rebase_every } = reduce;
        let kind = "reduce_by_key_and_window_changes";
        let (length, slide) = self.checked_window(kind, window);
        let of_batch = reduce.clone();
        let windowing = Arc::new(Inverse { reduce: move |a, b| reduce(a, b), inverse });
        let (parent, step, context) = (self.node.clone(), self.slide_duration(), self.context().clone());
        let reduce = move |a, b| of_batch(a, b);
        let keeps_empty = false;
        let slides = Slides {
            parent,
            context,
            step,
            length,
            told_every: slide,
            windowing,
            reduce,
            keeps_empty,
            rebase_every,
            waiting: Mutex::default(),
        };
        let (chain, filter) = (Arc::new(StateChain::new()), Arc::new(filter));
        let stages = chain.clone();
        let stream = self.attach_sliding(kind, vec![self.node.clone()], slide, length.max(slide), move |tick| {
            let origin = Origin::here(kind);
            let stage = slides.stage(&stages, tick, tick.partitions.clone(), true, origin)?;
            let filter = filter.clone();
            let told = move |key: &K, value: &V| (*filter).as_ref().is_none_or(|filter| filter(key, value));
            let changes = Rdd::from_node(&slides.context, StateOutputs { stage, origin });
            Ok(Some(changes.map(move |(key, value)| {
                let value = value.filter(|value| told(&key, value));
                (key, value)
            })))
        });
        self.graph.add_stateful(stream.node.clone(), chain);
        stream.choosing_partitions()
    }
}

/// What becomes of the running aggregates.
struct Plan<F> {
    /// The operation that the user called, for errors.
    kind: &'static str,
    keeps_empty: bool,
    rebase_every: usize,
    /// Which keys and aggregates are in the stream.
    filter: F,
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// The aggregates of `windowing`, which run along with this stream's batches, at the times of `window`.
    #[track_caller]
    fn running<W: Windowing<V>>(
        &self,
        window: Window,
        windowing: Arc<W>,
        reduce: impl Fn(V, V) -> V + Clone + Closure,
        plan: Plan<impl Fn(&K, &V) -> bool + Closure>,
    ) -> DStream<(K, V)> {
        let Plan { kind, keeps_empty, rebase_every, filter } = plan;
        let (length, slide) = self.checked_window(kind, window);
        let (parent, step, context) = (self.node.clone(), self.slide_duration(), self.context().clone());
        let slides = Slides {
            parent,
            context,
            step,
            length,
            told_every: slide,
            windowing,
            reduce,
            keeps_empty,
            rebase_every,
            waiting: Mutex::default(),
        };
        let chain = Arc::new(StateChain::new());
        // Who chooses the partitions behind this operator means those of the aggregates.
        let chosen: Arc<OnceLock<Weak<dyn AnyDStream>>> = Arc::default();
        let (stages, choice) = (chain.clone(), chosen.clone());
        let aggregates = self.attach("running_aggregates", vec![self.node.clone()], move |tick| {
            let choice = choice.get().and_then(Weak::upgrade).and_then(|node| node.header().partitions());
            let stage = slides.stage(&stages, tick, choice, false, Origin::here(kind))?;
            Ok(Some(Rdd::from_node(&slides.context, StateVersion(stage))))
        });
        self.graph.add_stateful(aggregates.node.clone(), chain.clone());
        let emit = Arc::new(move |key: &K, entry: &W::Entry| {
            let total = W::total(entry);
            filter(key, total).then(|| (key.clone(), total.clone()))
        });
        let (of, context) = (aggregates.node.clone(), self.context().clone());
        let stream = self.attach_sliding(kind, vec![of.clone()], slide, Duration::ZERO, move |tick| {
            let _has_stage = of.get_or_compute(tick.time)?;
            let Some(stage) = chain.at(tick.time) else { return Ok(None) };
            Ok(Some(Rdd::from_node(&context, StateRecords { stage, emit: emit.clone(), origin: Origin::here(kind) })))
        });
        let node: Arc<dyn AnyDStream> = stream.node.clone();
        let _fresh = chosen.set(Arc::downgrade(&node));
        stream.choosing_partitions()
    }
}

/// How the aggregates of a window move from batch to batch.
struct Slides<K, V, W, F> {
    parent: Arc<DStreamNode<(K, V)>>,
    context: RddContext,
    /// Every how long a batch enters.
    step: Duration,
    length: Duration,
    /// Every how long somebody reads the aggregates: a batch that is in no window then does not enter.
    told_every: Duration,
    windowing: Arc<W>,
    reduce: F,
    keeps_empty: bool,
    /// Batches; 0 for never.
    rebase_every: usize,
    /// What has not entered because a batch before it could not be made: at most one window.
    waiting: Mutex<BTreeMap<Time, Option<Rdd<(K, V)>>>>,
}
impl<K: Key, V: Data, W: Windowing<V>, F: Fn(V, V) -> V + Clone + Closure> Slides<K, V, W, F> {
    /// The stage of batch `tick.time`.
    fn stage(
        &self,
        chain: &StateChain<Slide<K, V, W>>,
        tick: &Tick,
        choice: Option<PartitionChoice>,
        tells_changes: bool,
        origin: Origin,
    ) -> Result<Arc<StateStage<Slide<K, V, W>>>> {
        let start = tick.time - self.length + self.step;
        chain.stage(&self.context, tick, choice, |by, before| {
            let before = before.unwrap_or(tick.zero);
            let batches = self.entering(tick, start.max(before + self.step))?;
            Ok(Slide {
                windowing: self.windowing.clone(),
                entering: batches.into_iter().map(|(time, rdd)| (time, self.reduced(&rdd, by))).collect(),
                start,
                keeps_empty: self.keeps_empty,
                rebases: self.rebases_between(before, tick),
                tells_changes,
                origin,
            })
        })
    }
    /// The batches from `first` on that enter. Where one of them cannot be made none does, and those that were made wait
    /// for the next stage.
    fn entering(&self, tick: &Tick, first: Time) -> Result<Vec<(Time, Rdd<(K, V)>)>> {
        let mut made = mem::take(&mut *self.waiting()).split_off(&first);
        let is_told = |time: &Time| {
            let every = self.told_every.as_millis();
            let to_next = (every - (*time - tick.zero).as_millis() % every) % every;
            to_next < self.length.as_millis()
        };
        let mut failed = None;
        for time in first.to(tick.time, self.step)?.filter(is_told) {
            if made.contains_key(&time) {
                continue;
            }
            match self.made(tick, time) {
                Ok(rdd) => drop(made.insert(time, rdd)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            None => Ok(made.into_iter().filter_map(|(time, rdd)| Some((time, rdd?))).collect()),
            Some(error) => {
                *self.waiting() = made;
                Err(error)
            }
        }
    }
    fn made(&self, tick: &Tick, time: Time) -> Generated<(K, V)> {
        let is_forgotten = self.parent.forgotten().is_some_and(|forgotten| time <= forgotten);
        // A worker makes what it has forgotten anew, as often as a task of the driver's asks.
        if is_forgotten && self.context.transport_as(Role::Worker).is_none() {
            return Err(Error::program(format!(
                "the window of {} has no batch {time}, which could not be generated: there is no window until that batch \
                 has left it",
                tick.operator
            )));
        }
        self.parent.get_or_compute(time)
    }
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Time, Option<Rdd<(K, V)>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether a batch behind `before` is one of those in which aggregates are made anew.
    fn rebases_between(&self, before: Time, tick: &Tick) -> bool {
        let every = self.step.as_millis() * self.rebase_every as u128;
        let number = |time: Time| (time - tick.zero).as_millis().checked_div(every);
        number(tick.time) > number(before)
    }
    /// One record per key of a batch, spread as the aggregates are.
    fn reduced(&self, rdd: &Rdd<(K, V)>, by: &KeyPartitioner<K>) -> Arc<dyn Node<(K, V)>> {
        let reduced = rdd.reduce_by_key(self.reduce.clone());
        let placed = reduced.choosing(&PartitionChoice::By(by.erased().clone()));
        placed.expect("a reduction chooses its partitions").node().clone()
    }
}
