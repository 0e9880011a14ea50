//! [`StateChain`]: how an operator with state makes the RDD of a batch: a stage that changes the state of the batch
//! before, for which all processes use the same names.

use super::DStream;
use super::node::Tick;
use crate::partitioner::{KeyPartitioner, PartitionChoice};
use crate::rdd::{Rdd, RddContext};
use crate::state::{
    FieldChanges, Loader, OperatorStore, PartitionState, StateOperator, StateStage, StateTypes, StateVersion, Step,
};
use crate::time::Time;
use crate::transport::Role;
use crate::{Error, ErrorKind, OperatorId, Record, Result};
use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// The state of an operator over time, as far as this process has made it.
pub(super) struct StateChain<P: Step> {
    operator: OnceLock<Arc<StateOperator<P::State>>>,
    loader: Arc<dyn Loader<P::State>>,
    /// Its place among all operators with state.
    rank: OnceLock<usize>,
    /// What is loaded of what an earlier process left.
    restoring: Mutex<Option<Restoring<P::State>>>,
    newest: Mutex<Newest<P>>,
}
/// A state before its first batch in this process.
struct Restoring<S: PartitionState> {
    operator: StateOperator<S>,
    states: Vec<S>,
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
    /// `loader` makes the state of what an earlier process left.
    pub(super) fn new(loader: Arc<dyn Loader<P::State>>) -> StateChain<P> {
        let newest = Newest { stage: None, recent: BTreeMap::new() };
        let (operator, rank, restoring) = Default::default();
        StateChain { operator, loader, rank, restoring, newest: Mutex::new(newest) }
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
        step: impl FnOnce(&KeyPartitioner<StateKey<P>>, Option<Time>) -> Result<P>,
    ) -> Result<Arc<StateStage<P>>> {
        let make = || Arc::new(self.new_operator(context, tick.operator, tick.zero, tick.partitions.as_ref()));
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

impl<P: Step> StateChain<P> {
    /// The operator with its partitions, before its first batch, which is the one behind `begins`.
    fn new_operator(
        &self,
        context: &RddContext,
        id: OperatorId,
        begins: Time,
        choice: Option<&PartitionChoice>,
    ) -> StateOperator<P::State> {
        let by: KeyPartitioner<StateKey<P>> = match choice {
            Some(choice) => choice.typed(context.seed()).expect("the handle takes partitioners of its keys"),
            None => context.default_partitioner([]),
        };
        let shards = context.state_shards().max(by.num_partitions());
        let by = by.erased().clone().of_shards(shards).typed().expect("it is one of these keys");
        let rank = *self.rank.get().expect("the graph knows of it");
        let store = self.store(context, id);
        StateOperator::new(begins, by, context.state_memory(), rank, format!("of {id}"), store)
    }
    /// Where its changes go, if they outlive the process.
    fn store(&self, context: &RddContext, id: OperatorId) -> Option<OperatorStore> {
        let version = self.loader.types().version;
        context.state_store().map(|store| OperatorStore::new(store.clone(), id, version))
    }
    fn restoring(&self) -> MutexGuard<'_, Option<Restoring<P::State>>> {
        self.restoring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A chain without its types, as the graph sees it.
pub(super) trait Advances: Send + Sync {
    /// What its state is made of.
    fn types(&self) -> StateTypes;
    /// In which fields what is stored differs from the program's type, by a piece of it; none if it has no value.
    fn field_changes(&self, piece: &[u8]) -> Result<Option<FieldChanges>>;
    /// For a window, how long it is.
    fn window(&self) -> Option<Duration>;
    /// Before the first batch: the state is that of an earlier process as of the batch `version`. What that left is
    /// loaded next.
    fn begin_restore(&self, context: &RddContext, id: OperatorId, version: Time, choice: Option<&PartitionChoice>);
    /// Takes over a piece of it; they come in the order in which they were made.
    fn load(&self, piece: &[u8]) -> Result<()>;
    /// All of it is there and `is_good`; else it is forgotten.
    fn end_restore(&self, context: &RddContext, id: OperatorId, is_good: bool);
    /// Hands the pieces of a snapshot to `write`, with their partitions, while batches go on. The batch behind which changes
    /// must be added to it, and the first whose state comes of that; none before the first batch.
    fn image(&self, write: &mut dyn FnMut(usize, Vec<u8>) -> Result<()>) -> Result<Option<(Time, Time)>>;
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
    fn types(&self) -> StateTypes {
        self.loader.types()
    }
    fn field_changes(&self, piece: &[u8]) -> Result<Option<FieldChanges>> {
        self.loader.field_changes(piece)
    }
    fn window(&self) -> Option<Duration> {
        self.loader.window()
    }
    fn begin_restore(&self, context: &RddContext, id: OperatorId, version: Time, choice: Option<&PartitionChoice>) {
        let operator = self.new_operator(context, id, version, choice);
        let states = (0..operator.partitions()).map(|_| operator.fresh()).collect();
        *self.restoring() = Some(Restoring { operator, states });
    }
    fn load(&self, piece: &[u8]) -> Result<()> {
        let mut restoring = self.restoring();
        let Restoring { operator, states } = restoring.as_mut().expect("loading follows begin_restore");
        let by = operator.partitioner().clone();
        self.loader.load(states, &|key| by.partition(key), piece).map_err(|error| error.within(operator.name()))
    }
    fn end_restore(&self, context: &RddContext, id: OperatorId, is_good: bool) {
        if let Some(Restoring { operator, states }) = self.restoring().take().filter(|_| is_good) {
            let fresh = self.operator.set(Arc::new(operator.restored(states, self.store(context, id))));
            assert!(fresh.is_ok(), "a state is restored before its first batch");
        }
    }
    fn image(&self, write: &mut dyn FnMut(usize, Vec<u8>) -> Result<()>) -> Result<Option<(Time, Time)>> {
        match self.operator.get() {
            Some(operator) => operator.image(self.loader.types().version, write).map(Some),
            None => Ok(None),
        }
    }
    fn set_rank(&self, rank: usize) {
        let fresh = self.rank.set(rank);
        assert!(fresh.is_ok(), "an operator is added once");
    }
    fn overdue(&self, context: &RddContext) -> Option<Rdd<()>> {
        let stage = self.newest().stage.clone()?;
        let waiting = stage.pending();
        // What is committed has its state with it.
        let overdue = if context.state_store().is_some() { 1 } else { OVERDUE };
        (waiting > 0 && waiting.is_multiple_of(overdue)).then(|| Rdd::from_node(context, StateVersion(stage)))
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
