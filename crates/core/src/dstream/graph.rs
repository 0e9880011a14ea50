//! [`DStreamGraph`]: the inputs, operators and outputs of a context. While it is built it gathers what is wrong with
//! it; once started it turns each batch time into jobs, and forgets what is no longer needed.

use super::asked::Asked;
use super::checkpoint::check_interval;
use super::node::{AnyDStream, DStreamNode, Header, address};
use super::operator_ids::operator_ids;
use super::outputs::{BatchJob, Output};
use super::remember::remember_durations;
use super::resume::SkippedBatches;
use super::stateful::Advances;
use crate::dead_letters::DeadLetter;
use crate::input::InputDStream;
use crate::origin::OperatorId;
use crate::rdd::RddContext;
use crate::time::Time;
use crate::transport::Role;
use crate::{Error, Result};
use std::any::Any;
use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// An operator whose RDD is made from that of the batch before.
pub(super) struct Stateful {
    pub(super) node: Arc<dyn AnyDStream>,
    pub(super) chain: Arc<dyn Advances>,
}
pub(super) struct Input {
    pub(super) node: Arc<dyn AnyDStream>,
    pub(super) source: Arc<dyn InputDStream>,
}

/// The recipe of an application.
pub struct DStreamGraph {
    context: RddContext,
    batch_duration: Duration,
    state: Mutex<State>,
    started: OnceLock<Started>,
    stopped: AtomicBool,
}
#[derive(Default)]
pub(super) struct State {
    /// In the order of creation: parents before children.
    pub(super) nodes: Vec<Arc<dyn AnyDStream>>,
    inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    stateful: Vec<Stateful>,
    /// What is wrong with the program so far; `start` reports the first.
    errors: Vec<Error>,
    remember: Option<Duration>,
    /// The stream of dead letters.
    pub(super) letter_stream: Option<Arc<DStreamNode<DeadLetter>>>,
}
/// The graph from `start` on: it changes no more.
pub(super) struct Started {
    pub(super) nodes: Vec<Arc<dyn AnyDStream>>,
    pub(super) inputs: Vec<Input>,
    pub(super) outputs: Vec<Output>,
    /// Of the operators with state, those that an output reads, parents before children.
    pub(super) stateful: Vec<Stateful>,
    /// What was skipped while no process ran.
    pub(super) skipped: Arc<SkippedBatches>,
    /// The operators that read their states: they are asked for their RDDs before the states go on.
    state_readers: Vec<Arc<dyn AnyDStream>>,
    /// The operators that set records aside and that an output reads.
    setting_aside: Vec<Arc<dyn AnyDStream>>,
    /// Of those, where the program has a stream of letters, the ones behind it.
    behind_letters: Option<Vec<OperatorId>>,
    /// Those that no output reads.
    idle: Vec<Stateful>,
    /// Told about operators that are added too late.
    misused: Box<dyn Fn(Error) + Send + Sync>,
    /// The newest batch whose inputs have their RDDs.
    newest: Mutex<Option<Time>>,
    /// For other processes: batches that were generated and are not done.
    open: Mutex<BTreeSet<Time>>,
    /// Held while `slice` asks for earlier batches, and while batches are forgotten.
    looking_back: Mutex<()>,
}
impl Started {
    fn open(&self) -> MutexGuard<'_, BTreeSet<Time>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Batch `time` is done: the newest one up to which all are.
    fn close(&self, time: Time, batch_duration: Duration) -> Time {
        let mut open = self.open();
        open.remove(&time);
        open.first().map_or(time, |oldest| *oldest - batch_duration)
    }
    pub(super) fn newest(&self) -> MutexGuard<'_, Option<Time>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DStreamGraph {
    /// An empty graph with a batch every `batch_duration`.
    pub fn new(context: RddContext, batch_duration: Duration) -> DStreamGraph {
        DStreamGraph {
            context,
            batch_duration,
            state: Mutex::default(),
            started: OnceLock::new(),
            stopped: AtomicBool::new(false),
        }
    }
    /// What datasets are made with.
    pub fn context(&self) -> &RddContext {
        &self.context
    }
    /// The batch interval.
    pub fn batch_duration(&self) -> Duration {
        self.batch_duration
    }
    /// Keeps every RDD at least this long; only once.
    pub fn remember(&self, duration: Duration) {
        let known = self.state().remember.replace(duration);
        if let Some(known) = known {
            self.refuse(Error::program(format!(
                "remember duration already set as {known:?}, cannot set it again to {duration:?}"
            )));
        }
    }

    pub(crate) fn add_node(&self, node: Arc<dyn AnyDStream>) {
        if self.may_change(node.header(), "adding new inputs, transformations, and output operations") {
            self.state().nodes.push(node);
        }
    }
    /// The operator `node`, which was added, has a state: it is asked for its RDD in each batch that it has one in,
    /// whether an output asks then or not.
    pub(super) fn add_stateful(&self, node: Arc<dyn AnyDStream>, chain: Arc<dyn Advances>) {
        let mut state = self.state();
        chain.set_rank(state.stateful.len());
        state.stateful.push(Stateful { node, chain });
    }
    pub(crate) fn add_input(&self, node: Arc<dyn AnyDStream>, source: Arc<dyn InputDStream>) {
        if self.may_change(node.header(), "adding new inputs, transformations, and output operations") {
            let mut state = self.state();
            state.nodes.push(node.clone());
            state.inputs.push(Input { node, source });
        }
    }
    /// Whether the graph has not started; else `what` is refused.
    pub(crate) fn may_change(&self, operator: &Header, what: &str) -> bool {
        if self.started.get().is_some() {
            let when = if self.stopped.load(Ordering::Acquire) { "stopping" } else { "starting" };
            self.refuse(Error::program(format!(
                "{}: {what} after {when} a context is not supported; build the whole graph before start()",
                operator.place()
            )));
        }
        self.started.get().is_none()
    }
    /// The user names an operator.
    pub(crate) fn name(&self, operator: &Header, name: String) {
        if name.is_empty() {
            self.refuse(Error::program(format!("{}: .uid(\"\") is no name", operator.place())));
        }
        if self.may_change(operator, "naming an operator") {
            operator.set_uid(name);
        }
    }
    /// Something is wrong with the program: `start` reports it or, after that, `await_termination`.
    pub fn refuse(&self, error: Error) {
        match self.started.get() {
            Some(started) => (started.misused)(error),
            None => self.state().errors.push(error),
        }
    }

    /// Checks the program and fixes it: the first batch is `zero` plus the batch interval. `misused` hears of what
    /// the program tries to add later.
    pub fn start(&self, zero: Time, misused: impl Fn(Error) + Send + Sync + 'static) -> Result<()> {
        let mut state = self.state();
        if !state.errors.is_empty() {
            return Err(state.errors.remove(0));
        }
        // A worker's program may lack outputs: they run on the driver.
        if state.outputs.is_empty() && self.context.transport_as(Role::Worker).is_none() {
            return Err(Error::program(
                "no output operations registered, so nothing to execute; end a stream with print(), foreach_rdd(), ...",
            ));
        }
        state.nodes.iter().try_for_each(|node| check_interval(node.header()))?;
        let operators = operator_ids(&state.nodes)?;
        self.context.program_is_built();
        let remember = remember_durations(&state.nodes, state.remember.unwrap_or_default());
        let output_nodes: HashSet<_> = state.outputs.iter().map(|output| address(&output.node)).collect();
        // Who has RDDs remembered for some time looks at them with `slice`.
        let by_user = state.remember.is_some();
        let asked = Asked::of(&state.nodes, |node| output_nodes.contains(&address(node)), by_user);
        let skipped = Arc::new(SkippedBatches::default());
        for (((node, operator), remember), asked) in state.nodes.iter().zip(&operators).zip(remember).zip(asked) {
            node.header().start(*operator, zero, skipped.clone(), remember, asked);
        }
        let State { nodes, inputs, outputs, stateful, letter_stream, .. } = std::mem::take(&mut *state);
        drop(state);
        let read = ancestors(outputs.iter().map(|output| &output.node));
        let (stateful, idle) = stateful.into_iter().partition(|of: &Stateful| read.contains(&address(&of.node)));
        let reads_state = |node: &&Arc<dyn AnyDStream>| {
            node.header().reads_state() && node.parents().iter().all(|state| read.contains(&address(state)))
        };
        let state_readers = nodes.iter().filter(reads_state).cloned().collect();
        let sets_aside = |node: &&Arc<dyn AnyDStream>| node.header().sets_aside() && read.contains(&address(node));
        let setting_aside: Vec<_> = nodes.iter().filter(sets_aside).cloned().collect();
        // One that no output reads has nothing: its letters would be gone.
        let letter_stream = letter_stream.map(|stream| -> Arc<dyn AnyDStream> { stream });
        let is_read = |stream: &Arc<dyn AnyDStream>| read.contains(&address(stream));
        let behind_letters = letter_stream.filter(is_read).map(|stream| behind(&stream, &setting_aside));
        let ((newest, open, looking_back), misused) = (Default::default(), Box::new(misused));
        let started = Started {
            nodes,
            inputs,
            outputs,
            stateful,
            skipped,
            state_readers,
            setting_aside,
            behind_letters,
            idle,
            misused,
            newest,
            open,
            looking_back,
        };
        let fresh = self.started.set(started);
        assert!(fresh.is_ok(), "a context is consumed by its start");
        self.context.engine().program_started(zero, &operators)
    }

    /// No batch will be asked for any more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    /// The newest batch that was generated; none before the first.
    pub(super) fn newest_batch(&self) -> Option<Time> {
        *self.started.get()?.newest()
    }
    /// An operator with state that `node` is made from and that no output reads, so that nothing drives it.
    pub(super) fn idle_state(&self, node: Arc<dyn AnyDStream>) -> Option<&Arc<dyn AnyDStream>> {
        let idle = &self.started.get()?.idle;
        let made_from = if idle.is_empty() { HashSet::new() } else { ancestors([&node].into_iter()) };
        idle.iter().map(|idle| &idle.node).find(|idle| made_from.contains(&address(idle)))
    }
    /// While it is held, no batch is forgotten. Only once started.
    pub(super) fn look_back(&self) -> MutexGuard<'_, ()> {
        self.started().looking_back.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn started(&self) -> &Started {
        self.started.get().expect("the runtime asks for batches behind start()")
    }
    /// The operators that set records aside, as far as an output reads them.
    pub fn set_aside_operators(&self) -> impl Iterator<Item = OperatorId> {
        self.started().setting_aside.iter().filter_map(|node| node.header().operator())
    }
    /// Whether the program has a stream of dead letters.
    pub fn streams_letters(&self) -> bool {
        self.started().behind_letters.is_some()
    }
    /// Those of them that have a batch at `time`.
    fn set_aside_operators_at(&self, time: Time) -> Vec<OperatorId> {
        let at_time = self.started().setting_aside.iter().filter(|node| node.header().has_turn(time));
        at_time.filter_map(|node| node.header().operator()).collect()
    }
    /// How long before a batch somebody may still ask for what operators made.
    pub fn remembers(&self) -> Duration {
        self.started().nodes.iter().map(|node| node.header().remembered()).max().unwrap_or_default()
    }
    /// The inputs, in the order of creation.
    pub fn inputs(&self) -> impl Iterator<Item = &dyn InputDStream> {
        self.started().inputs.iter().map(|input| &*input.source)
    }

    /// The same, each with its operator and where it was created.
    pub fn placed_inputs(&self) -> impl Iterator<Item = (String, &dyn InputDStream)> {
        self.started().inputs.iter().map(|input| (input.node.header().place(), &*input.source))
    }

    /// The jobs of batch `time`, one per output that has an RDD, in the order of creation. Every input is asked, also
    /// one that no output reads at this time: a record belongs to the batch in which it was taken.
    pub fn generate_jobs(&self, time: Time) -> Result<Vec<BatchJob>> {
        let started = self.started();
        if self.context.transport_as(Role::Driver).is_some() {
            started.open().insert(time);
        }
        let operators = self.set_aside_operators_at(time);
        self.context.dead_letters().allocate(time, &operators, started.behind_letters.as_deref());
        for input in &started.inputs {
            input.source.allocate(time)?;
            input.node.generate(time)?;
        }
        let not_generated: Vec<_> =
            started.stateful.iter().map(|stateful| stateful.node.generate(time).err()).collect();
        // What goes wrong here goes wrong again where somebody asks for it.
        started.state_readers.iter().for_each(|reader| drop(reader.generate(time)));
        started.newest().replace(time);
        Ok(self.jobs(time, not_generated))
    }
    /// Whether a state has as many batches to be computed as may wait: the next one would be refused.
    pub fn states_are_full(&self) -> bool {
        self.started().stateful.iter().any(|stateful| stateful.chain.is_full())
    }

    /// Forgets what only batch `time` and earlier ones needed.
    pub fn clear_metadata(&self, time: Time) {
        let started = self.started();
        let _nobody_looks_back = self.look_back();
        started.nodes.iter().for_each(|node| node.clear_metadata(time));
        started.inputs.iter().for_each(|input| input.source.processed(time));
        if let Some(transport) = self.context.transport_as(Role::Driver) {
            // Workers keep what the batches are made of that a state still waits for.
            let waiting = started.stateful.iter().filter_map(|stateful| stateful.chain.oldest_waiting()).min();
            let closed = started.close(time, self.batch_duration);
            let done = waiting.map_or(closed, |waiting| closed.min(waiting - self.batch_duration));
            transport.clear_metadata(done, done - self.remembers());
        }
    }

    /// The RDD of `operator` for the batch `time`, as an `Rdd` of its record type: what a task that another process
    /// sent works on.
    pub fn any_rdd(&self, operator: OperatorId, time: Time) -> Result<Option<Box<dyn Any>>> {
        let known = self.started().nodes.iter().find(|node| node.header().operator() == Some(operator));
        let unknown = || Error::program(format!("this process's program has no operator {operator}"));
        known.ok_or_else(unknown)?.any_rdd(time)
    }

    /// Each operator's id and where it was created, in the order of creation. Only once started.
    pub fn operators(&self) -> Vec<(OperatorId, String)> {
        let nodes = self.started.get().map(|started| &started.nodes[..]).unwrap_or_default();
        nodes.iter().filter_map(|node| Some((node.header().operator()?, node.header().place()))).collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those of the operators that are made from `stream`.
fn behind(stream: &Arc<dyn AnyDStream>, operators: &[Arc<dyn AnyDStream>]) -> Vec<OperatorId> {
    let is_behind = |node: &&Arc<dyn AnyDStream>| ancestors([*node].into_iter()).contains(&address(stream));
    operators.iter().filter(is_behind).filter_map(|node| node.header().operator()).collect()
}

/// The nodes themselves and all that they are made from.
fn ancestors<'a>(of: impl Iterator<Item = &'a Arc<dyn AnyDStream>>) -> HashSet<*const ()> {
    let (mut found, mut next): (HashSet<_>, Vec<_>) = (HashSet::new(), of.cloned().collect());
    while let Some(node) = next.pop() {
        if found.insert(address(&node)) {
            next.extend(node.parents().iter().cloned());
        }
    }
    found
}
