//! [`Slides`]: how the running aggregates of a window by key move from batch to batch: which batches enter the next
//! stage of the state, and what it does with them.

use super::DStream;
use super::node::{DStreamNode, Generated, Tick};
use super::stateful::StateChain;
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, PartitionChoice};
use crate::rdd::{Node, Rdd, RddContext};
use crate::state::{Slide, StateStage, WindowLoader, Windowing};
use crate::time::Time;
use crate::transport::Role;
use crate::{Data, Error, Key, Result};
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the running aggregates are.
pub(super) struct Plan<W> {
    /// The operation that the user called, for errors.
    pub(super) kind: &'static str,
    pub(super) windowing: Arc<W>,
    pub(super) keeps_empty: bool,
    /// Batches; 0 for never.
    pub(super) rebase_every: usize,
    /// Whether who reads a stage wants to know what has changed.
    pub(super) tells_changes: bool,
}

pub(super) struct Slides<K, V, W> {
    plan: Plan<W>,
    parent: Arc<DStreamNode<(K, V)>>,
    context: RddContext,
    /// Every how long a batch enters.
    step: Duration,
    length: Duration,
    /// Every how long somebody reads the aggregates: a batch that is in no window then does not enter.
    told_every: Duration,
    /// What has not entered because a batch before it could not be made: at most one window.
    waiting: Mutex<BTreeMap<Time, Option<Rdd<(K, V)>>>>,
}

impl<K: Key, V: Data, W: Windowing<V>> Slides<K, V, W> {
    /// Over the batches of `stream`; `length` and `told_every` are what `checked_window` gave.
    pub(super) fn new(stream: &DStream<(K, V)>, plan: Plan<W>, length: Duration, told_every: Duration) -> Self {
        let (parent, context, step) = (stream.node.clone(), stream.context().clone(), stream.slide_duration());
        Slides { plan, parent, context, step, length, told_every, waiting: Mutex::default() }
    }
    /// A chain for their stages.
    pub(super) fn chain(&self) -> StateChain<Slide<K, V, W>> {
        StateChain::new(Arc::new(WindowLoader { windowing: self.plan.windowing.clone(), length: self.length }))
    }
    pub(super) fn context(&self) -> &RddContext {
        &self.context
    }
    /// The operation that the user called.
    pub(super) fn kind(&self) -> &'static str {
        self.plan.kind
    }
    /// The stage of batch `tick.time`, which stands behind the newest of `chain`.
    pub(super) fn stage(
        &self,
        chain: &StateChain<Slide<K, V, W>>,
        tick: &Tick,
    ) -> Result<Arc<StateStage<Slide<K, V, W>>>> {
        let start = tick.time - self.length + self.step;
        chain.stage(&self.context, tick, |by, before| {
            let before = before.unwrap_or(tick.zero);
            let batches = self.entering(tick, start.max(before + self.step))?;
            Ok(Slide {
                windowing: self.plan.windowing.clone(),
                entering: batches.into_iter().map(|(time, rdd)| (time, self.reduced(&rdd, by))).collect(),
                after: tick.time - self.length,
                keeps_empty: self.plan.keeps_empty,
                rebases: self.rebases_between(before, tick),
                tells_changes: self.plan.tells_changes,
                origin: Origin::here(self.plan.kind),
            })
        })
    }
    /// The batches from `first` on that enter. Where one of them cannot be made none does, and those that were made wait
    /// for the next stage.
    fn entering(&self, tick: &Tick, first: Time) -> Result<Vec<(Time, Rdd<(K, V)>)>> {
        let mut made = mem::take(&mut *self.waiting());
        // What has left the window meanwhile goes when the lock is free.
        made = made.split_off(&first);
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
        let every = self.step.as_millis() * self.plan.rebase_every as u128;
        let number = |time: Time| (time - tick.zero).as_millis().checked_div(every);
        number(tick.time) > number(before)
    }
    /// One record per key of a batch, spread as the aggregates are.
    fn reduced(&self, rdd: &Rdd<(K, V)>, by: &KeyPartitioner<K>) -> Arc<dyn Node<(K, V)>> {
        let windowing = self.plan.windowing.clone();
        let reduced = rdd.reduce_by_key(move |a, b| windowing.reduce(a, b));
        let placed = reduced.choosing(&PartitionChoice::By(by.erased().clone()));
        placed.expect("a reduction chooses its partitions").node().clone()
    }
}
