//! How a process takes over a checkpoint folder: lock, a look at the journal, the plan; then fence, journal, states and
//! inputs, before anything runs.

use super::dead_letters::{DeadLetters, LetterOptions};
use super::driver_state::DriverState;
use super::event::{DriverEvent, Started, StoredOperator};
use super::loading::{Loading, Versions};
use super::plan::{Fate, UpgradePlan, operators_of};
use super::resume::{DownTime, Resumption};
use super::run::Durable;
use super::snapshots::SnapshotFolder;
use super::state_logs::{StateLogs, read_log};
use headwater_core::dead_letters::DeadLetterLimits;
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::{Env, StorageLock};
use headwater_core::input::InputFolder;
use headwater_core::time::{DurationExt, Time};
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use headwater_storage::{Fence, Journal, JournalOptions, JournalRecovery};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The settings that say how.
pub(crate) struct OpenOptions {
    pub(crate) application: String,
    pub(crate) down_time: DownTime,
    /// See [`UpgradePlan::check`].
    pub(crate) dropped: String,
    /// Whether a program may go on with inputs that cannot deliver again what batches had.
    pub(crate) loses_inputs: bool,
    /// Bytes of changes behind which there is a snapshot of the states.
    pub(crate) snapshot_after: u64,
    pub(crate) dead_letters: DeadLetterLimits,
}

/// A folder that this process may take over: it has the lock, where there is one, and has looked into the journal.
pub(crate) struct Opened {
    env: Env,
    folder: String,
    options: OpenOptions,
    lock: Option<Box<dyn Any + Send + Sync>>,
    /// As the process before left it, or has it by now.
    left: DriverState,
    pub(crate) resumption: Resumption,
}

/// A folder that this process has taken over.
pub(super) struct Taken {
    pub(super) env: Env,
    pub(super) folder: String,
    pub(super) options: OpenOptions,
    pub(super) fence: Arc<Fence>,
    pub(super) journal: Arc<Journal<DriverState>>,
    pub(super) lock: Option<Box<dyn Any + Send + Sync>>,
    /// As the process before left it.
    left: DriverState,
    resumption: Resumption,
    /// See [`Started::lineage`].
    lineage: u64,
}

/// Looks into the folder, of which nothing changes. Where the store has locks, no other process uses it from here on.
pub(crate) fn open(env: &Env, folder: &str, batch: Duration, options: OpenOptions) -> Result<Opened> {
    let within = |error: Error| error.within(format!("cannot use the checkpoint folder {folder}"));
    let lock = match env.storage.lock(&format!("{folder}/lock")).map_err(within)? {
        StorageLock::Held(lock) => Some(lock),
        StorageLock::Unknown => None,
        StorageLock::Taken => {
            return Err(Error::new(
                ErrorKind::Fenced,
                format!(
                    "the checkpoint folder {folder} is in use by another process of this machine: stop that one, or give \
                     this program a folder of its own"
                ),
            ));
        }
    };
    let looked = Journal::look(env.storage.clone(), &format!("{folder}/journal"), DriverState::default)?;
    let left = match looked {
        None => {
            check_is_new(env, folder)?;
            DriverState::default()
        }
        Some((application, ..)) if application != options.application => {
            return Err(Error::program(format!(
                "the checkpoint folder {folder} belongs to the application {application:?} and this one is {:?}: use \
                 another folder, or the same Conf::app_name",
                options.application
            )));
        }
        Some((_, left, _)) => left,
    };
    let resumption = Resumption::of(&left, batch, env.clock.now(), options.down_time).map_err(within)?;
    let (env, folder) = (env.clone(), folder.to_owned());
    Ok(Opened { env, folder, options, lock, left, resumption })
}

/// That a folder without a journal has nothing else either: the journal is made before the logs of states.
fn check_is_new(env: &Env, folder: &str) -> Result<()> {
    let logs = [("state/changes", "states"), ("state/windows", "states"), ("dead-letters/log", "dead letters")];
    for (log, what) in logs {
        if !env.storage.list(&format!("{folder}/{log}"))?.is_empty() {
            let message = format!(
                "the checkpoint folder {folder} has {what} and no journal, which says what they are: it was removed, or the \
                 folder was copied in part; restore it from a copy, or give the program an empty folder to begin anew"
            );
            return Err(Error::new(ErrorKind::Data, message));
        }
    }
    if Fence::look(&*env.storage, &format!("{folder}/fence"))?.is_some() {
        let warning = "was used before and has no journal: the application begins anew there";
        env.console.warn(&format!("the checkpoint folder {folder} {warning}"));
    }
    Ok(())
}

impl Opened {
    /// Takes the folder over, gives the started graph what is stored, and goes on. Others that write there from now on are
    /// refused their commits. Where the plan loses something that nobody has agreed to lose, this is an error, nothing has
    /// changed, and a process that runs there goes on.
    pub(crate) fn restore(self, graph: &Arc<DStreamGraph>) -> Result<(Durable, Resumption)> {
        self.check_plan(graph)?;
        let taken = self.take(graph.batch_duration())?;
        let resumption = taken.resumption.clone();
        Ok((taken.restore(graph)?, resumption))
    }
    fn check_plan(&self, graph: &DStreamGraph) -> Result<()> {
        let Opened { env, folder, options, left, .. } = self;
        let committed = left.committed_or(self.resumption.zero);
        let (operators, mut plan) = compare(graph, left, committed);
        if let Some(long) = operators.iter().find(|of| of.id.len() > usize::from(u16::MAX)) {
            return Err(Error::program(format!("the operator id {:.40}... is longer than 65,535 bytes", long.id)));
        }
        // Without a lock somebody may run there, who shall not be replaced by a process that cannot read what is stored. He
        // may also have removed what is read here: what is wrong indeed is told when it is read again.
        if self.lock.is_none()
            && let Ok(read) = read_states((env, folder, &options.application), left, committed, graph)
        {
            plan = read;
        }
        options.check(graph, left, &plan)
    }
    fn take(self, batch: Duration) -> Result<Taken> {
        let Opened { env, folder, options, lock, left: looked, mut resumption } = self;
        let within = |error: Error| error.within(format!("cannot use the checkpoint folder {folder}"));
        let owner = format!("{} since {}", options.application, env.clock.now());
        let fence = Arc::new(Fence::take(env.storage.clone(), &format!("{folder}/fence"), &owner).map_err(within)?);
        let (journal, recovery): (Journal<DriverState>, JournalRecovery) = Journal::open(
            env.storage.clone(),
            &format!("{folder}/journal"),
            JournalOptions::new(&options.application),
            fence.clone(),
            DriverState::default,
        )
        .map_err(within)?;
        recovery.warnings().iter().for_each(|warning| env.console.warn(warning));
        let left = journal.read(DriverState::clone);
        // Without a lock, another process may have gone on since.
        if left != looked {
            let zero = resumption.zero;
            resumption = Resumption::of(&left, batch, env.clock.now(), options.down_time).map_err(within)?;
            if resumption.zero != zero {
                let message = format!(
                    "another process that ran on the checkpoint folder {folder} has changed when there are batches while \
                     this one started: start it again"
                );
                return Err(Error::new(ErrorKind::Outside, message));
            }
        }
        let lineage = left.lineage.unwrap_or_else(|| env.random.next_u64());
        let journal = Arc::new(journal);
        Ok(Taken { env, folder, options, fence, journal, lock, left, resumption, lineage })
    }
}

impl OpenOptions {
    /// That nothing is lost which nobody has agreed to lose.
    fn check(&self, graph: &DStreamGraph, left: &DriverState, plan: &UpgradePlan) -> Result<()> {
        plan.check(&self.dropped)?;
        for input in graph.input_operators() {
            let id = input.operator.as_str();
            let has_some = left.batches.values().flatten().any(|(of, _)| of == id);
            let goes_on = plan.fate_of(id) == Some(Fate::Kept) && !left.batches.is_empty();
            if goes_on && !has_some && !self.loses_inputs {
                return Err(Error::program(format!(
                    "{} cannot deliver again what batches had of it before the restart: use an input that can (ranges, \
                     or a receiver with a log), or set headwater.streaming.restart_without_inputs = true to go on with \
                     what it has from now on",
                    input.place
                )));
            }
        }
        Ok(())
    }
}

impl Taken {
    /// A name for the application that lives as long as the folder.
    pub(super) fn application(&self) -> String {
        format!("{}-{:016x}", self.options.application, self.lineage)
    }
    fn restore(self, graph: &Arc<DStreamGraph>) -> Result<Durable> {
        let committed = self.left.committed_or(self.resumption.zero);
        let (operators, plan) = compare(graph, &self.left, committed);
        graph.resume(committed, self.left_gaps());
        let (logs, versions, plan) = self.load_states(graph, committed, &operators, plan)?;
        self.options.check(graph, &self.left, &plan)?;
        let restored = self.restore_inputs(graph, &plan)?;
        let letters = self.open_letters(graph, committed)?;
        graph.end_restore(committed, &versions)?;
        if plan.changes_something() {
            self.env.console.warn(&format!("{} goes on with a changed program:\n{plan}", self.folder));
        }
        let incompatible = |of: &StoredOperator| plan.fate_of(&of.id) == Some(Fate::Incompatible);
        let begins_anew = |of: StoredOperator| match incompatible(&of) {
            true => StoredOperator { since: committed.into(), ..of },
            false => of,
        };
        let gaps = self.resumption.gaps.iter().map(|(after, before)| ((*after).into(), (*before).into())).collect();
        self.journal.record(&DriverEvent::Started(Started {
            epoch: self.fence.epoch(),
            zero: self.resumption.zero.into(),
            batch_millis: graph.batch_duration().milliseconds() as u64,
            operators: operators.into_iter().map(begins_anew).collect(),
            gaps,
            lineage: Some(self.lineage),
        }))?;
        self.journal.sync()?;
        Durable::new(self, graph.clone(), (logs, letters), restored, committed)
    }
    fn left_gaps(&self) -> Vec<(Time, Time)> {
        let known = self.left.gaps.iter().map(|(after, before)| (Time::from(*after), Time::from(*before)));
        known.chain(self.resumption.gaps.iter().copied()).collect()
    }

    /// Gives the inputs their batches back: those that are done again, and those that somebody looks back to.
    fn restore_inputs(&self, graph: &DStreamGraph, plan: &UpgradePlan) -> Result<BTreeSet<Time>> {
        let (zero, batch) = (self.resumption.zero, graph.batch_duration());
        let mut restored = BTreeSet::new();
        for input in graph.input_operators() {
            let id = input.operator.as_str();
            let path = format!("{}/received/{}", self.folder, file_name(id));
            let folder = InputFolder { storage: self.env.storage.clone(), path, epoch: self.fence.epoch() };
            input.input.keep_in(folder)?;
            if plan.fate_of(id) != Some(Fate::Kept) {
                continue;
            }
            for (time, inputs) in &self.left.batches {
                let Some((_, bytes)) = inputs.iter().find(|(of, _)| of == id) else { continue };
                // A coarser grid brings several batches together.
                let time = ceiling(Time::from(*time), batch, zero)?;
                input.input.restore(time, &bytes.0)?;
                restored.insert(time);
            }
        }
        Ok(restored)
    }

    /// The store of what is set aside, where something is or was.
    fn open_letters(&self, graph: &DStreamGraph, committed: Time) -> Result<Option<Arc<DeadLetters>>> {
        let operators: BTreeSet<&'static str> = graph.set_aside_operators().map(OperatorId::as_str).collect();
        let has_stream = graph.streams_letters();
        if operators.is_empty() && !has_stream && self.left.letters.next == 0 {
            return Ok(None);
        }
        let OpenOptions { application, dead_letters: limits, .. } = &self.options;
        let (epoch, forget) = (self.fence.epoch(), committed - graph.looks_back());
        let options = LetterOptions { application, epoch, limits: *limits, operators, has_stream, forget };
        let letters = Arc::new(DeadLetters::open(&self.env, &self.folder, self.journal.clone(), options)?);
        let (zero, batch) = (self.resumption.zero, graph.batch_duration());
        for (time, inputs) in &self.left.batches {
            let (time, is_done) = (Time::from(*time), Time::from(*time) <= committed);
            letters.restore(ceiling(time, batch, zero)?, inputs, is_done)?;
        }
        graph.context().keep_dead_letters_in(letters.clone());
        Ok(Some(letters))
    }

    /// Loads the states. What an operator cannot read is in the plan.
    fn load_states(
        &self,
        graph: &DStreamGraph,
        committed: Time,
        operators: &[StoredOperator],
        mut plan: UpgradePlan,
    ) -> Result<(Option<Arc<StateLogs>>, Versions, UpgradePlan)> {
        if operators.iter().chain(&self.left.operators).all(|of| of.state.is_none()) {
            return Ok((None, Vec::new(), plan));
        }
        let mut loading = Loading::of(graph, &self.left, committed, operators, &plan);
        let from = loading.load_snapshot(&self.snapshots(), &*self.env.console)?;
        let logs = StateLogs::open(
            &self.env.storage,
            &format!("{}/state", self.folder),
            (&self.options.application, self.fence.epoch()),
            ([self.left.first_changes, self.left.first_windows], self.left.log_ends),
            &|message| self.env.console.warn(&message),
            &mut |log, record| loading.load_change(log, record, from.as_ref()),
        )?;
        loading.tell(&mut plan);
        let logs = Arc::new(logs);
        graph.context().keep_state_in(logs.clone());
        Ok((Some(logs), loading.versions(), plan))
    }
    pub(super) fn snapshots(&self) -> SnapshotFolder {
        let (storage, path) = (self.env.storage.clone(), format!("{}/state/snapshots", self.folder));
        SnapshotFolder { storage, path, application: self.options.application.clone(), epoch: self.fence.epoch() }
    }
}

/// What becomes of what the folder has when the program of this graph, which has started, goes on with it. Nothing changes,
/// and the process that runs there goes on.
pub(crate) fn plan(env: &Env, folder: &str, graph: &DStreamGraph) -> Result<UpgradePlan> {
    let looked = Journal::look(env.storage.clone(), &format!("{folder}/journal"), DriverState::default)?;
    let (application, left, _) = looked.unwrap_or_default();
    // Whether the batch interval may be what it is.
    Resumption::of(&left, graph.batch_duration(), env.clock.now(), DownTime::InOrder)?;
    read_states((env, folder, &application), &left, left.committed_or(Time::from_millis(0)), graph)
}

/// The operators of the program, and what becomes of what is stored as far as that can be said without reading it.
fn compare(graph: &DStreamGraph, left: &DriverState, committed: Time) -> (Vec<StoredOperator>, UpgradePlan) {
    let operators = operators_of(graph, &left.operators, committed.into());
    let plan = UpgradePlan::of(left, &operators, graph.batch_duration());
    (operators, plan)
}

/// The plan, by reading all that is stored with the types of the program.
fn read_states(
    (env, folder, application): (&Env, &str, &str),
    left: &DriverState,
    committed: Time,
    graph: &DStreamGraph,
) -> Result<UpgradePlan> {
    let (operators, mut plan) = compare(graph, left, committed);
    if plan.is_fresh {
        return Ok(plan);
    }
    let mut loading = Loading::of(graph, left, committed, &operators, &plan);
    let (storage, path) = (env.storage.clone(), format!("{folder}/state/snapshots"));
    let snapshots = SnapshotFolder { storage, path, application: application.to_owned(), epoch: u64::MAX };
    let from = loading.load_snapshot(&snapshots, &*env.console)?;
    let first = [left.first_changes, left.first_windows];
    for (at, first) in first.into_iter().enumerate() {
        let of = (application, u64::MAX, first);
        read_log(&env.storage, &format!("{folder}/state"), of, (at, left.log_ends[at]), &mut |log, record, _| {
            loading.load_change(log, record, from.as_ref())
        })?;
    }
    loading.tell(&mut plan);
    Ok(plan)
}

/// The first time of the grid that is not before `time`.
fn ceiling(time: Time, batch: Duration, zero: Time) -> Result<Time> {
    let floor = time.floor_from(batch, zero)?;
    Ok(if floor == time { time } else { floor + batch })
}

/// A name for a folder, different for different ids, in characters that every store takes.
pub(super) fn file_name(id: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    id.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}
