//! `reduce_by_key_and_window`: one record per key of the window that ends with a batch. The aggregates run along from
//! batch to batch: what enters is added and what leaves is taken away, and nothing is reduced twice.

use super::node::AnyDStream;
use super::stateful::StateChain;
use super::window_reduce::WindowReduce;
use super::window_slides::{Plan, Slides};
use super::{DStream, Window};
use crate::origin::Origin;
use crate::rdd::Rdd;
use crate::state::{Inverse, Slide, StateOutputs, StateRecords, StateVersion, TwoStacks, Windowing};
use crate::{Closure, Data, Key};
use std::sync::Arc;
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
    /// A batch that cannot be generated in its turn enters with the next one; until it can, or has left the window, the
    /// windows over it are errors.
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
        let (kind, windowing) = ("reduce_by_key_and_window", Arc::new(TwoStacks(reduce)));
        let plan = Plan { kind, windowing, keeps_empty: false, rebase_every: 0, tells_changes: false };
        self.running(window.into(), plan, |_, _| true)
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
        let (kind, windowing) = ("reduce_by_key_and_window_inverse", Arc::new(Inverse { reduce, inverse }));
        let plan = Plan { kind, windowing, keeps_empty: true, rebase_every: 0, tells_changes: false };
        self.running(window.into(), plan, |_, _| true)
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
        let (kind, windowing) = ("reduce_by_key_and_window_with", Arc::new(Inverse { reduce, inverse }));
        let plan = Plan { kind, windowing, keeps_empty: filter.is_none(), rebase_every, tells_changes: false };
        self.running(window, plan, move |key, value| filter.as_ref().is_none_or(|filter| filter(key, value)))
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
        let (kind, windowing) = ("reduce_by_key_and_window_changes", Arc::new(Inverse { reduce, inverse }));
        let (length, slide) = self.checked_window(kind, window);
        let plan = Plan { kind, windowing, keeps_empty: false, rebase_every, tells_changes: true };
        let slides = Slides::new(self, plan, length, slide);
        let (chain, filter) = (Arc::new(slides.chain()), Arc::new(filter));
        let stages = chain.clone();
        let stream = self.attach_sliding(kind, vec![self.node.clone()], slide, length.max(slide), move |tick| {
            let stage = slides.stage(&stages, tick)?;
            let filter = filter.clone();
            let told = move |key: &K, value: &V| (*filter).as_ref().is_none_or(|filter| filter(key, value));
            let changes = Rdd::from_node(slides.context(), StateOutputs { stage, origin: Origin::here(kind) });
            Ok(Some(changes.map(move |(key, value)| {
                let value = value.filter(|value| told(&key, value));
                (key, value)
            })))
        });
        self.graph.add_stateful(stream.node.clone(), chain);
        stream.choosing_partitions()
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// The aggregates that `filter` takes, at the times of `window`.
    #[track_caller]
    fn running<W: Windowing<V>>(
        &self,
        window: Window,
        plan: Plan<W>,
        filter: impl Fn(&K, &V) -> bool + Closure,
    ) -> DStream<(K, V)> {
        let kind = plan.kind;
        let (length, slide) = self.checked_window(kind, window);
        let slides = Slides::new(self, plan, length, slide);
        let chain = Arc::new(slides.chain());
        let aggregates = self.aggregates(slides, &chain);
        let of = aggregates.node.clone();
        let emit = Arc::new(move |key: &K, entry: &W::Entry| {
            let total = W::total(entry);
            filter(key, total).then(|| (key.clone(), total.clone()))
        });
        let context = self.context().clone();
        let stream = self.attach_sliding(kind, vec![of.clone()], slide, Duration::ZERO, move |tick| {
            let _has_stage = of.get_or_compute(tick.time)?;
            let Some(stage) = chain.at(tick.time) else { return Ok(None) };
            let records = StateRecords::new(stage, emit.clone(), tick.is_asked_for, Origin::here(kind))?;
            Ok(Some(Rdd::from_node(&context, records)))
        });
        stream.node.header().set_reads_state();
        stream.choosing_partitions_with(&aggregates)
    }

    /// The operator whose state the aggregates are: they run along with this stream's batches, also where the windows
    /// are fewer.
    #[track_caller]
    fn aggregates<W: Windowing<V>>(
        &self,
        slides: Slides<K, V, W>,
        chain: &Arc<StateChain<Slide<K, V, W>>>,
    ) -> DStream<()> {
        let stages = chain.clone();
        let aggregates = self.attach(slides.kind(), vec![self.node.clone()], move |tick| {
            let stage = slides.stage(&stages, tick)?;
            Ok(Some(Rdd::from_node(slides.context(), StateVersion(stage))))
        });
        self.graph.add_stateful(aggregates.node.clone(), chain.clone());
        aggregates
    }
}
