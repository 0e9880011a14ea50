//! [`StateChain`]: how an operator with state makes the RDD of a batch: a stage that changes the state of the batch
//! before, for which all processes use the same names.

use super::DStream;
use super::node::Tick;
use crate::partitioner::{KeyPartitioner, PartitionChoice};
use crate::rdd::{Rdd, RddContext};
use crate::state::{PartitionState, StateOperator, StateStage, StateVersion, Step};
use crate::time::Time;
use crate::transport::Role;
use crate::{Error, ErrorKind, Record, Result};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// The state of an operator over time, as far as this process has made it.
pub(super) struct StateChain<P: Step> {
    operator: OnceLock<Arc<StateOperator<P::State>>>,
    /// Its place among all operators with state.
    rank: OnceLock<usize>,
    newest: Mutex<Newest<P>>,
}
struct Newest<P: Step> {
    /// What the next stage stands behind.
    stage: Option<Arc<StateStage<P>>>,
    /// By their times, those that are in use.
    recent: BTreeMap<Time, Weak<StateStage<P>>>,
}

/// Batches of state that may wait for each other to be computed. They wait where batches pile up in front of a slow job,
/// and where one of them fails.
const WAITING_MAX: usize = 400;

/// Batches after which a state that no output has read gets a job of its own.
const OVERDUE: usize = 8;

impl<P: Step> StateChain<P> {
    pub(super) fn new() -> StateChain<P> {
        let newest = Newest { stage: None, recent: BTreeMap::new() };
        StateChain { operator: OnceLock::new(), rank: OnceLock::new(), newest: Mutex::new(newest) }
    }
    /// The stage of batch `time`, as long as its RDD lives.
    pub(super) fn at(&self, time: Time) -> Option<Arc<StateStage<P>>> {
        self.newest().recent.get(&time)?.upgrade()
    }
    fn newest(&self) -> MutexGuard<'_, Newest<P>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stage of batch `tick.time`, which does what `step` says: it is told the partitioner of the state, and which
    /// version it changes; none if it is the first. Where `step` fails there is no stage.
    pub(super) fn stage(
        &self,
        context: &RddContext,
        tick: &Tick,
        choice: Option<PartitionChoice>,
        step: impl FnOnce(&KeyPartitioner<StateKey<P>>, Option<Time>) -> Result<P>,
    ) -> Result<Arc<StateStage<P>>> {
        let shards = context.state_shards();
        let make = || {
            let by: KeyPartitioner<StateKey<P>> = match &choice {
                Some(choice) => choice.typed(context.seed()).expect("the handle takes partitioners of its keys"),
                None => context.default_partitioner([]),
            };
            let shards = shards.max(by.num_partitions());
            let by = by.erased().clone().of_shards(shards).typed().expect("it is one of these keys");
            let (memory, name) = (context.state_memory(), format!("of {}", tick.operator));
            let rank = *self.rank.get().expect("the graph knows of it");
            Arc::new(StateOperator::new(tick.zero, by, memory, rank, name))
        };
        let operator = self.operator.get_or_init(make).clone();
        let previous = self.newest().stage.clone();
        let (previous, newer) = match previous {
            Some(newest) if newest.time() >= tick.time => (None, Some(newest.time())),
            previous => (previous, None),
        };
        // A worker makes batches in any order: the driver tells which version each of them changes.
        if let Some(newer) = newer.filter(|_| context.transport_as(Role::Worker).is_none()) {
            return Err(Error::program(format!(
                "the state of {} has no batch {}: it could not be generated in its turn, and the state has gone on to \
                 {newer}",
                tick.operator, tick.time
            )));
        }
        if previous.as_ref().is_some_and(|previous| previous.pending() >= WAITING_MAX) {
            let message = format!(
                "the state of {} waits for {WAITING_MAX} batches that failed, which is the limit: this batch's records are \
                 not in it; see the errors of those batches",
                tick.operator
            );
            return Err(Error::new(ErrorKind::Resources, message));
        }
        let by = operator.partitioner().clone();
        let stage = StateStage::new(context, operator, tick.time, previous, |before| step(&by, before))?;
        let mut newest = self.newest();
        newest.recent.retain(|_, stage| stage.strong_count() > 0);
        newest.recent.insert(tick.time, Arc::downgrade(&stage));
        let _previous = newest.stage.replace(stage.clone());
        drop(newest);
        Ok(stage)
    }
}
impl<T: Record> DStream<T> {
    /// That the state of `kind` begins with a dataset of this context.
    #[track_caller]
    pub(super) fn check_initial_state<R: Record>(&self, kind: &str, initial: Option<&Rdd<R>>) {
        if initial.is_some_and(|initial| !initial.context().is(self.graph.context())) {
            self.graph.refuse(Error::program(format!(
                "{kind} at {}: the initial state is a dataset of another context; make it with that of the stream \
                 (`stream.context()`)",
                Location::caller()
            )));
        }
    }
}

/// A chain without its types, as the graph sees it.
pub(super) trait Advances: Send + Sync {
    /// It is the operator of that rank among those with state: those that it is made from have lower ones.
    fn set_rank(&self, rank: usize);
    /// What makes the newest version, if so many versions wait that it is time somebody does.
    fn overdue(&self, context: &RddContext) -> Option<Rdd<()>>;
    /// The oldest batch that waits to be computed.
    fn oldest_waiting(&self) -> Option<Time>;
    /// Whether no more batches may wait to be computed.
    fn is_full(&self) -> bool;
}
impl<P: Step> Advances for StateChain<P> {
    fn set_rank(&self, rank: usize) {
        let fresh = self.rank.set(rank);
        assert!(fresh.is_ok(), "an operator is added once");
    }
    fn overdue(&self, context: &RddContext) -> Option<Rdd<()>> {
        let stage = self.newest().stage.clone()?;
        let waiting = stage.pending();
        (waiting > 0 && waiting.is_multiple_of(OVERDUE)).then(|| Rdd::from_node(context, StateVersion(stage)))
    }
    fn oldest_waiting(&self) -> Option<Time> {
        let stage = self.newest().stage.clone()?;
        stage.oldest_waiting()
    }
    fn is_full(&self) -> bool {
        self.newest().stage.clone().is_some_and(|stage| stage.pending() >= WAITING_MAX)
    }
}

type StateKey<P> = <<P as Step>::State as PartitionState>::Key;
