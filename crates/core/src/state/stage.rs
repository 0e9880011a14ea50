//! [`StateStage`]: the step from one version of an operator's state to the next, a stage of its own whose tasks change
//! one partition each. A task that fails leaves its partition as it was before the batch.

mod read;

use super::items::PieceWriter;
use super::keyed::{Cursor, KeyedState};
use super::memory::Room;
use super::operator::StateOperator;
use super::store::StateLog;
use crate::hash::HashSeed;
use crate::item::ItemId;
use crate::rdd::{CHUNK, FoundShuffles, Outcome, RddContext, Shuffle, StateStatus, Stop, Task};
use crate::time::Time;
use crate::transport::{Role, Transport};
use crate::{Data, Error, ErrorKind, Key, Record, Result as Fallible, wire};
pub(crate) use read::{StateOutputs, StateRecords, StateVersion, all_entries};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The state of one partition of an operator.
pub(crate) trait PartitionState: Send + Sized + 'static {
    type Key: Key;
    /// What a key's entry holds.
    type Value: Record;
    /// Whether what has no room in memory goes to disk, where there is one.
    const SPILLS: bool = false;
    fn fresh(seed: HashSeed) -> Self;
    /// What has no room in memory from here on goes to disk. State that does not spill takes what it needs.
    fn spill_to(&mut self, _room: Room) {}
    /// The entries in memory.
    fn entries(&self) -> &KeyedState<Self::Key, Self::Value>;
    /// A batch begins, and versions before `oldest` are not read any more. While it `is_read`, scans are under way.
    fn begin(&mut self, oldest: Time, is_read: bool) -> Fallible<()>;
    /// Moves to disk what has no room in memory, as a change of the batch, which has made all others.
    fn make_room(&mut self, _task: &Task<'_>) -> Outcome {
        Ok(())
    }
    /// Takes back what the batch has changed so far.
    fn rollback(&mut self);
    /// The batch has made `version`; versions before `oldest` are not read any more.
    fn commit(&mut self, version: Time, oldest: Time);
    /// What it takes; it is asked behind each batch.
    fn report(&mut self) -> StateStatus {
        let (keys, memory_bytes) = (self.entries().len(), self.entries().table_bytes());
        StateStatus { keys, memory_bytes, ..StateStatus::default() }
    }
    /// Fills `out` with up to `most` of what `take` makes of the entries of `version`, from `cursor` on; the cursor to
    /// go on at, or none at the end.
    fn scan<R>(
        &self,
        version: Time,
        cursor: Cursor,
        most: usize,
        out: &mut Vec<R>,
        take: impl FnMut(&Self::Key, &Self::Value) -> Option<R>,
    ) -> Fallible<Option<Cursor>> {
        Ok(self.entries().scan(version, cursor, most, out, take))
    }
    /// From here on [`PartitionState::changes`] tells what batches have changed, in values of that `version`.
    fn keep_changes(&mut self, version: u32);
    /// What the running batch, of `time`, has changed, as pieces: asked once all is done, before the commit.
    fn changes(&mut self, time: Time) -> Fallible<Vec<(StateLog, Vec<u8>)>>;
    /// Writes a page of a snapshot, from `cursor` on, as entries are now. Pages are of different versions, but whatever
    /// changes or moves between the first and the last is among the changes of those batches: with them the pages make the
    /// state of each version behind the last page. The cursor to go on at, or none at the end.
    fn image(&self, cursor: Cursor, out: &mut PieceWriter) -> Fallible<Option<Cursor>>;
    /// For another process of the application.
    fn encode(&self) -> Fallible<Vec<u8>>;
    fn decode(seed: HashSeed, bytes: &[u8]) -> Fallible<Self>;
}

/// What a batch does to the state.
pub(crate) trait Step: Send + Sync + 'static {
    type State: PartitionState;
    /// What it makes besides, for who reads the batch.
    type Output: Data;
    /// The shuffles that its tasks read.
    fn shuffles(&self, found: &mut FoundShuffles);
    /// Changes the partition of `task`. What it has changed is taken back if it fails.
    fn advance(&self, state: &mut Self::State, task: &Task<'_>) -> Result<Outputs<Self::Output>, Stop>;
}

/// What a task makes for the readers, in chunks: a long vector would be copied again and again as it grows.
pub(crate) struct Outputs<E>(Vec<Vec<E>>);
impl<E> Default for Outputs<E> {
    fn default() -> Self {
        Outputs(Vec::new())
    }
}
impl<E> Outputs<E> {
    #[inline(always)]
    pub(super) fn push(&mut self, output: E) {
        match self.0.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => chunk.push(output),
            last => {
                let room = last.map_or(4, |chunk| chunk.len());
                let mut chunk = Vec::with_capacity(room);
                chunk.push(output);
                self.0.push(chunk);
            }
        }
    }
}
pub(crate) struct StateStage<P: Step> {
    pub(super) operator: Arc<StateOperator<P::State>>,
    /// The version that it makes.
    pub(super) time: Time,
    /// The version that it changes.
    before: Time,
    /// Gone once all partitions are done.
    lineage: Mutex<Option<Arc<Lineage<P>>>>,
    turn: Mutex<()>,
    /// Where the state of this version lies, for other processes, and what it makes besides.
    item: ItemId,
    outputs_item: ItemId,
    place: Place<P::Output>,
}
/// What a stage is computed from.
struct Lineage<P: Step> {
    step: P,
    /// The stage that makes the version before; none for the first.
    previous: Option<Arc<StateStage<P>>>,
}
enum Place<E> {
    /// In this process: the state as it is, changed in place.
    Here { done: Vec<OnceLock<Outputs<E>>>, left: AtomicUsize },
    /// With the other processes, a whole copy for each version.
    Away { transport: Arc<dyn Transport>, complete: AtomicBool },
}

impl<P: Step> StateStage<P> {
    /// The stage behind `previous`, which does what `step` makes: it is told the version before, none for the first.
    pub(crate) fn new(
        context: &RddContext,
        operator: Arc<StateOperator<P::State>>,
        time: Time,
        previous: Option<Arc<StateStage<P>>>,
        step: impl FnOnce(Option<Time>) -> Fallible<P>,
    ) -> Fallible<Arc<StateStage<P>>> {
        let partitions = operator.partitions();
        let mut before = previous.as_ref().map_or(operator.begins(), |previous| previous.time);
        // The driver sees to it that the stages before have run.
        let previous = previous.filter(|_| context.transport_as(Role::Worker).is_none());
        let place = match context.transport() {
            Some(transport) => {
                // A worker has not made the stages before; the driver's tell which version it changes.
                let item = context.next_item();
                match transport.role() {
                    Role::Driver => transport.put_value(item, wire::encode(&before)?),
                    Role::Worker => before = wire::decode(&transport.value(item)?)?,
                }
                Place::Away { transport: transport.clone(), complete: AtomicBool::new(false) }
            }
            None => Place::Here {
                done: (0..partitions).map(|_| OnceLock::new()).collect(),
                left: AtomicUsize::new(partitions),
            },
        };
        let (item, outputs_item) = (context.next_item(), context.next_item());
        // What it makes has names behind these, which are the same in every batch.
        let step = step(Some(before).filter(|before| *before != operator.begins() || operator.is_restored()))?;
        refuse_later_states(&step, &operator)?;
        let (lineage, turn) = (Mutex::new(Some(Arc::new(Lineage { step, previous }))), Mutex::default());
        let stage = Arc::new(StateStage { operator, time, before, lineage, turn, item, outputs_item, place });
        context.register_shuffle(&stage);
        Ok(stage)
    }
    pub(crate) fn time(&self) -> Time {
        self.time
    }
    pub(crate) fn is_complete(&self) -> bool {
        let complete = match &self.place {
            Place::Here { left, .. } => left.load(Ordering::Acquire) == 0,
            Place::Away { complete, .. } => complete.load(Ordering::Relaxed) || self.missing().is_empty(),
        };
        if complete {
            // What the batch was made from is dropped when the lock is free.
            let _lineage = self.lock().take();
        }
        complete
    }
    /// How many stages have to run before its state is there, this one included.
    pub(crate) fn pending(&self) -> usize {
        let mut pending = 0;
        let mut next = self.lock().clone();
        while let Some(lineage) = next {
            pending += 1;
            next = lineage.previous.as_ref().and_then(|previous| previous.lock().clone());
        }
        pending
    }
    /// The time of the first stage that has to run before its state is there.
    pub(crate) fn oldest_waiting(&self) -> Option<Time> {
        let (mut oldest, mut next) = (None, (!self.is_complete()).then_some(self.time).zip(self.lock().clone()));
        while let Some((time, lineage)) = next {
            oldest = Some(time);
            let previous = lineage.previous.as_ref().filter(|previous| !previous.is_complete());
            next = previous.and_then(|previous| Some((previous.time, previous.lock().clone()?)));
        }
        oldest
    }
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Lineage<P>>>> {
        self.lineage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state of this process's partition in place.
    fn advance_here(&self, step: &P, done: &OnceLock<Outputs<P::Output>>, task: &Task<'_>) -> Outcome {
        // Who changes a partition, or reads some of it, has its turn. What runs meanwhile may wait for partitions of
        // states of lower rank only.
        let mut cell = self.operator.cell_in_turn(task.partition());
        if cell.version != self.before {
            let (is, wanted) = (cell.version, self.before);
            return Err(Error::new(ErrorKind::Internal, format!("the state is of {is} and not of {wanted}")).into());
        }
        let cell = &mut *cell;
        let state = cell.state.get_or_insert_with(|| self.operator.fresh());
        state.begin(self.operator.forget_unused(self.before), self.operator.is_read())?;
        let change = Change(state);
        let outputs = step.advance(change.0, task)?;
        task.check()?;
        change.0.make_room(task)?;
        let store = self.operator.store();
        let mut changes = if store.is_some() { change.0.changes(self.time)? } else { Vec::new() };
        change.commit(self.time, self.operator.forget_unused(self.time));
        cell.usage.set(state.report());
        cell.version = self.time;
        store.iter().for_each(|store| store.put(task.partition(), self.time, std::mem::take(&mut changes)));
        let fresh = done.set(outputs);
        assert!(fresh.is_ok(), "a version is made once");
        Ok(())
    }
    /// Makes the next version of a partition from a copy.
    fn advance_away(&self, step: &P, transport: &dyn Transport, task: &Task<'_>) -> Outcome {
        let mut state = match self.before == self.operator.begins() {
            true => P::State::fresh(self.operator.seed()),
            false => self.fetch(transport, ItemId { scope: self.item.scope.at(self.before), ..self.item }, task)?,
        };
        let outputs = step.advance(&mut state, task)?;
        state.commit(self.time, self.time);
        let put = |item, bytes| {
            let mut buckets = vec![Vec::new(); self.operator.partitions()];
            buckets[task.partition()] = bytes;
            transport.put_buckets(item, task.partition(), buckets);
        };
        put(self.outputs_item, wire::encode(&outputs.0)?);
        put(self.item, state.encode()?);
        Ok(())
    }
    fn fetch(&self, transport: &dyn Transport, item: ItemId, task: &Task<'_>) -> Result<P::State, Stop> {
        let mut buckets = transport.buckets(item, self.operator.partitions(), task.partition())?;
        Ok(P::State::decode(self.operator.seed(), &buckets.swap_remove(task.partition()))?)
    }
}

/// The tasks of a stage read their records while they hold the state, so they must not come to want it, or another that
/// is held by one who wants it: they may read states that the operator is made from, and no others, without a shuffle.
fn refuse_later_states<P: Step>(step: &P, operator: &StateOperator<P::State>) -> Fallible<()> {
    let mut found = FoundShuffles::default();
    step.shuffles(&mut found);
    if found.highest_state().is_none_or(|rank| rank < operator.rank()) {
        return Ok(());
    }
    Err(Error::program(format!(
        "the state {} is made of records that are read, partition by partition, from an older batch of itself, or of a \
         state that was built behind it; put repartition() or checkpoint() behind that dataset",
        operator.name()
    )))
}

/// What a batch has changed so far; taken back unless it is committed.
struct Change<'a, S: PartitionState>(&'a mut S);
impl<S: PartitionState> Change<'_, S> {
    fn commit(self, version: Time, oldest: Time) {
        self.0.commit(version, oldest);
    }
}
impl<S: PartitionState> Drop for Change<'_, S> {
    /// Takes back nothing behind a commit.
    fn drop(&mut self) {
        self.0.rollback();
    }
}

impl<P: Step> Shuffle for StateStage<P> {
    fn id(&self) -> ItemId {
        self.item
    }
    fn parents(&self) -> Vec<Arc<dyn Shuffle>> {
        let Some(lineage) = self.lock().clone() else { return Vec::new() };
        FoundShuffles::by(|found| {
            if let Some(previous) = lineage.previous.as_ref().filter(|previous| !previous.is_complete()) {
                found.push(previous.clone());
            }
            lineage.step.shuffles(found);
        })
    }
    fn shape(&self) -> (usize, usize) {
        (self.operator.partitions(), self.operator.partitions())
    }
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn missing(&self) -> Vec<usize> {
        match &self.place {
            Place::Here { done, .. } => (0..done.len()).filter(|at| done[*at].get().is_none()).collect(),
            Place::Away { transport, complete } => {
                let missing = transport.missing_maps(self.item, self.operator.partitions());
                complete.store(missing.is_empty(), Ordering::Relaxed);
                missing
            }
        }
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        let Some(lineage) = self.lock().clone() else { return Ok(()) };
        match &self.place {
            Place::Here { done, left } => {
                let done = &done[task.partition()];
                if done.get().is_none() {
                    self.advance_here(&lineage.step, done, task)?;
                    left.fetch_sub(1, Ordering::AcqRel);
                }
            }
            Place::Away { transport, .. } => self.advance_away(&lineage.step, &**transport, task)?,
        }
        drop(lineage);
        self.is_complete();
        Ok(())
    }
    /// The state and the outputs are there for every reader.
    fn open(&self) {}
    fn keep(&self) {}
}

impl<P: Step> Drop for StateStage<P> {
    fn drop(&mut self) {
        if let Place::Away { transport, .. } = &self.place
            && transport.role() == Role::Driver
        {
            transport.forget_shuffle(self.item);
            transport.forget_shuffle(self.outputs_item);
        }
    }
}
