//! [`DStreamNode`]: one operator of the graph. It computes the RDD of a batch time once and remembers it as long as
//! anyone may ask again.

use super::asked::Asked;
use super::persist::Keeping;
use super::resume::SkippedBatches;
use crate::item::making_batch;
use crate::origin::{OperatorId, Origin, on_behalf_of};
use crate::partitioner::PartitionChoice;
use crate::rdd::Rdd;
use crate::time::{DurationExt, Time};
use crate::{Error, ErrorKind, Record, Result, StorageLevel, panic_message};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What an operator is given to make its batch: the time and what the user set on it.
pub(crate) struct Tick {
    pub(crate) operator: OperatorId,
    pub(crate) time: Time,
    /// The time before the first batch.
    pub(crate) zero: Time,
    /// `.with_partitions(n)` or `.with_partitioner(p)`
    pub(crate) partitions: Option<PartitionChoice>,
    /// Whether somebody may ask for this batch, in its turn or later.
    pub(crate) is_asked_for: bool,
}
impl Tick {
    /// What the operator has made, in the partitions that the user chose.
    pub(crate) fn placed<T: Record>(&self, made: Rdd<T>) -> Rdd<T> {
        match &self.partitions {
            None => made,
            // Both say what is wrong where `transform` made something that does not choose its partitions.
            Some(PartitionChoice::Number(partitions)) => made.with_partitions(*partitions),
            Some(choice) => made.choosing(choice).unwrap_or_else(|| made.refuse_partitioner()),
        }
    }
}

/// `None`: the stream has no RDD at this time, which is not the same as an empty one.
pub(crate) type Generated<T> = Result<Option<Rdd<T>>>;

/// One operator, typed.
pub(crate) struct DStreamNode<T> {
    pub(super) header: Header,
    parents: Vec<Arc<dyn AnyDStream>>,
    compute: Box<dyn Fn(&Tick) -> Generated<T> + Send + Sync>,
    generated: Mutex<Generations<T>>,
    /// Held while an RDD is made: of two threads that ask for one, the second finds it. Who holds it waits for parents
    /// at most, so nobody waits in a circle.
    turn: Mutex<()>,
    pub(super) keeping: OnceLock<Keeping<T>>,
    /// A window keeps no RDDs but those of this stream, which it reads.
    pub(super) persists: OnceLock<Arc<DStreamNode<T>>>,
}

/// What an operator remembers.
struct Generations<T> {
    rdds: BTreeMap<Time, Option<Rdd<T>>>,
    /// The newest time whose RDD may be forgotten. Batches may end out of order; what was forgotten stays so.
    forgotten: Option<Time>,
}

/// What the graph knows of every operator.
pub(crate) struct Header {
    pub(crate) kind: &'static str,
    pub(crate) location: &'static Location<'static>,
    /// Every how long it yields an RDD.
    pub(crate) slide: Duration,
    /// How long before a batch time it may ask its parents for their RDDs: the length of a window.
    pub(crate) looks_back: Duration,
    /// What the user sets while the graph is built.
    settings: Mutex<Settings>,
    /// Whether it shuffles, into a number of partitions that the user may choose.
    chooses_partitions: AtomicBool,
    /// An earlier operator whose partitions it goes on with: the user's choice is for both.
    shares_partitions: OnceLock<Arc<dyn AnyDStream>>,
    /// Whether it reads the state of its parent, which goes on: its RDD is generated in the batch's turn or never.
    reads_state: AtomicBool,
    /// Whether it sets records aside, and can have them once more.
    sets_aside: AtomicBool,
    /// How many operators and outputs read it.
    readers: AtomicUsize,
    /// Set when the graph starts.
    started: OnceLock<Started>,
}
#[derive(Default)]
struct Settings {
    uid: Option<String>,
    partitions: Option<PartitionChoice>,
    /// None unless the user or a window chose one.
    level: Option<StorageLevel>,
    checkpoint_interval: Option<Duration>,
}
struct Started {
    operator: OperatorId,
    zero: Time,
    skipped: Arc<SkippedBatches>,
    remember: Duration,
    asked: Arc<Asked>,
    partitions: Option<PartitionChoice>,
}

/// An operator without its type: what the graph walks.
pub(crate) trait AnyDStream: Send + Sync {
    fn header(&self) -> &Header;
    fn parents(&self) -> &[Arc<dyn AnyDStream>];
    /// Forgets the RDDs that nobody may ask for once batch `time` is done.
    fn clear_metadata(&self, time: Time);
    /// Generates the RDD of `time`, if it is not there yet, and leaves it for its readers.
    fn generate(&self, time: Time) -> Result<()>;
    /// The RDD of `time`, as an `Rdd` of the operator's record type.
    fn any_rdd(&self, time: Time) -> Result<Option<Box<dyn Any>>>;
}

impl Header {
    pub(crate) fn new(kind: &'static str, location: &'static Location<'static>, slide: Duration) -> Header {
        let (settings, chooses_partitions, shares_partitions, reads_state, readers, started) = Default::default();
        let sets_aside = AtomicBool::new(false);
        Header {
            kind,
            location,
            slide,
            looks_back: Duration::ZERO,
            settings,
            chooses_partitions,
            shares_partitions,
            reads_state,
            sets_aside,
            readers,
            started,
        }
    }
    pub(crate) fn looking_back(self, looks_back: Duration) -> Header {
        Header { looks_back, ..self }
    }
    pub(crate) fn place(&self) -> String {
        format!("{} at {}:{}:{}", self.kind, self.location.file(), self.location.line(), self.location.column())
    }
    pub(crate) fn uid(&self) -> Option<String> {
        self.settings().uid.clone()
    }
    pub(crate) fn set_uid(&self, uid: String) {
        self.settings().uid = Some(uid);
    }
    pub(crate) fn set_partitions(&self, partitions: PartitionChoice) {
        if let Some(earlier) = self.shares_partitions.get() {
            earlier.header().set_partitions(partitions.clone());
        }
        self.settings().partitions = Some(partitions);
    }
    /// What the user chose.
    pub(crate) fn partitions(&self) -> Option<PartitionChoice> {
        self.settings().partitions.clone()
    }
    pub(crate) fn level(&self) -> StorageLevel {
        self.chosen_level().unwrap_or_default()
    }
    pub(crate) fn chosen_level(&self) -> Option<StorageLevel> {
        self.settings().level
    }
    pub(crate) fn set_level(&self, level: StorageLevel) {
        self.settings().level = Some(level);
    }
    pub(crate) fn checkpoint_interval(&self) -> Option<Duration> {
        self.settings().checkpoint_interval
    }
    pub(crate) fn set_checkpoint_interval(&self, interval: Duration) {
        self.settings().checkpoint_interval = Some(interval);
    }
    pub(crate) fn let_choose_partitions(&self) {
        self.chooses_partitions.store(true, Ordering::Relaxed);
    }
    pub(crate) fn share_partitions(&self, earlier: Arc<dyn AnyDStream>) {
        self.shares_partitions.get_or_init(|| earlier);
    }
    pub(crate) fn chooses_partitions(&self) -> bool {
        self.chooses_partitions.load(Ordering::Relaxed)
    }
    pub(super) fn set_reads_state(&self) {
        self.reads_state.store(true, Ordering::Relaxed);
    }
    pub(super) fn reads_state(&self) -> bool {
        self.reads_state.load(Ordering::Relaxed)
    }
    pub(super) fn set_sets_aside(&self) {
        self.sets_aside.store(true, Ordering::Relaxed);
    }
    pub(super) fn sets_aside(&self) -> bool {
        self.sets_aside.load(Ordering::Relaxed)
    }
    /// Whether it has an RDD at `time`, as far as that is known without making it. Only once started.
    pub(super) fn has_turn(&self, time: Time) -> bool {
        self.started.get().is_some_and(|started| {
            let in_turn = time > started.zero && (time - started.zero).is_multiple_of_duration(self.slide);
            in_turn && !started.skipped.has(time)
        })
    }
    /// Where it is the last of several steps, the first.
    pub(super) fn first_step(&self) -> Option<&Arc<dyn AnyDStream>> {
        self.shares_partitions.get()
    }
    pub(crate) fn add_reader(&self) {
        self.readers.fetch_add(1, Ordering::Relaxed);
    }
    pub(super) fn start(
        &self,
        operator: OperatorId,
        zero: Time,
        skipped: Arc<SkippedBatches>,
        remember: Duration,
        asked: Arc<Asked>,
    ) {
        let partitions = self.settings().partitions.clone();
        let fresh = self.started.set(Started { operator, zero, skipped, remember, asked, partitions });
        assert!(fresh.is_ok(), "a graph starts once");
    }
    /// How long its RDDs are remembered. Only once started.
    pub(crate) fn remembered(&self) -> Duration {
        self.started.get().map_or(Duration::ZERO, |started| started.remember)
    }
    pub(crate) fn operator(&self) -> Option<OperatorId> {
        self.started.get().map(|started| started.operator)
    }
    /// The time before the first batch. Only once started.
    pub(crate) fn zero(&self) -> Option<Time> {
        self.started.get().map(|started| started.zero)
    }
    /// Where what it makes comes from. Only once started.
    pub(crate) fn origin(&self) -> Option<Origin> {
        Some(Origin::of_operator(self.kind, self.location, self.operator()?))
    }
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Record> DStreamNode<T> {
    pub(crate) fn new(
        header: Header,
        parents: Vec<Arc<dyn AnyDStream>>,
        compute: impl Fn(&Tick) -> Generated<T> + Send + Sync + 'static,
    ) -> Arc<Self> {
        parents.iter().for_each(|parent| parent.header().add_reader());
        let generated = Mutex::new(Generations { rdds: BTreeMap::new(), forgotten: None });
        let (turn, keeping, persists) = Default::default();
        Arc::new(DStreamNode { header, parents, compute: Box::new(compute), generated, turn, keeping, persists })
    }

    /// The RDD of batch `time`: the one generated before, or a new one. None at a time that is not `zero` plus a
    /// multiple of the slide duration.
    pub(crate) fn get_or_compute(&self, time: Time) -> Generated<T> {
        let Some(started) = self.header.started.get() else {
            return Err(Error::program(format!(
                "{} has not been initialized: the graph has not started",
                self.header.place()
            )));
        };
        if !self.header.has_turn(time) {
            return Ok(None);
        }
        if let Some(known) = self.generated().rdds.get(&time) {
            return Ok(known.clone());
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.generated().rdds.get(&time) {
            return Ok(known.clone());
        }
        let operator = started.operator;
        let tick = Tick {
            operator,
            time,
            zero: started.zero,
            partitions: started.partitions.clone(),
            is_asked_for: started.asked.at(started.zero, time),
        };
        let origin = Origin::of_operator(self.header.kind, self.header.location, operator);
        let make = || Ok((self.compute)(&tick)?.map(|rdd| self.kept(rdd, time, started.zero)));
        let compute = || making_batch(operator, time, make);
        let computed = on_behalf_of(origin, time, || catch_unwind(AssertUnwindSafe(compute)));
        let rdd = computed.unwrap_or_else(|panic| {
            Err(Error::new(ErrorKind::Data, format!("{origin} panicked: {}", panic_message(&*panic))))
        })?;
        if let Some(rdd) = &rdd
            && self.header.readers.load(Ordering::Relaxed) > 1
            && rdd.storage_level() == StorageLevel::NONE
        {
            rdd.keep_shuffles();
        }
        let rdd = rdd.map(|rdd| rdd.made_by(operator, time));
        self.generated().rdds.insert(time, rdd.clone());
        Ok(rdd)
    }

    /// The newest time whose RDD may be forgotten, if there is any.
    pub(super) fn forgotten(&self) -> Option<Time> {
        self.generated().forgotten
    }
    fn generated(&self) -> MutexGuard<'_, Generations<T>> {
        self.generated.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name for the node while the graph is built.
pub(super) fn address(node: &Arc<dyn AnyDStream>) -> *const () {
    Arc::as_ptr(node).cast()
}

impl<T: Record> AnyDStream for DStreamNode<T> {
    fn header(&self) -> &Header {
        &self.header
    }
    fn parents(&self) -> &[Arc<dyn AnyDStream>] {
        &self.parents
    }
    fn clear_metadata(&self, time: Time) {
        let Some(started) = self.header.started.get() else { return };
        let up_to = time - started.remember;
        let mut generated = self.generated();
        generated.forgotten = generated.forgotten.max(Some(up_to));
        while let Some(oldest) = generated.rdds.first_entry().filter(|oldest| *oldest.key() <= up_to) {
            let rdd = oldest.remove();
            // Dropping an RDD may free a lot: not under the lock.
            drop(generated);
            drop(rdd);
            generated = self.generated();
        }
    }
    fn generate(&self, time: Time) -> Result<()> {
        self.get_or_compute(time).map(drop)
    }
    fn any_rdd(&self, time: Time) -> Result<Option<Box<dyn Any>>> {
        Ok(self.get_or_compute(time)?.map(|rdd| Box::new(rdd) as _))
    }
}
