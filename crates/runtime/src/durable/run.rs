//! [`Durable`]: what the job generator does so that batches outlive the process. It is asked before the jobs of a batch are
//! handed out and when they have ended; nothing is handed out, counted or forgotten before the event that says so is
//! synced.

use super::dead_letters::DeadLetters;
use super::driver_state::DriverState;
use super::event::{Blob, DriverEvent, Millis};
use super::open::Taken;
use super::snapshots::{SnapshotFolder, Snapshotting};
use super::state_logs::StateLogs;
use headwater_core::dstream::{DStreamGraph, StatefulOperator};
use headwater_core::env::Env;
use headwater_core::time::Time;
use headwater_core::{ErrorKind, OperatorId, Result};
use headwater_storage::Journal;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Processes whose changes are in the logs: behind so many there are snapshots, however few changes there were. Each leaves
/// files of its own, and a restart reads all of them.
const PROCESSES_MAX: usize = 50;

pub(crate) struct Durable {
    env: Env,
    graph: Arc<DStreamGraph>,
    journal: Arc<Journal<DriverState>>,
    /// None where there is no state.
    logs: Option<Arc<StateLogs>>,
    /// None where nothing is set aside, and never was.
    letters: Option<Arc<DeadLetters>>,
    states: Vec<StatefulOperator>,
    snapshots: SnapshotFolder,
    snapshotting: Option<Snapshotting>,
    /// Bytes of changes, see `Conf::state_snapshot_after`.
    snapshot_after: u64,
    /// For the numbers of snapshots.
    begun: u64,
    epoch: u64,
    application: String,
    /// How long allocations are kept behind the newest batch that is committed.
    looks_back: Duration,
    /// Batches that are allocated and not committed.
    open: BTreeMap<Time, OpenBatch>,
    committed: Time,
    /// Batches whose commit is recorded and maybe not synced.
    recorded: Vec<Time>,
    /// Whether events wait for a sync.
    unsynced: bool,
    /// What is done once the events before it are synced.
    then: Vec<Then>,
    /// Batches of the process before that somebody may look back to.
    restored: BTreeSet<Time>,
    _lock: Option<Box<dyn Any + Send + Sync>>,
}

/// A batch that is allocated and not committed.
struct OpenBatch {
    /// Whether its jobs have ended.
    has_ended: bool,
    /// Those whose sinks have it when it has ended.
    sinks: Vec<OperatorId>,
}

/// What follows when an event is durable.
enum Then {
    TakeSnapshot(u64),
    RemoveSnapshot(u64),
    TrimLogs([u64; 2]),
    TrimLetters(u64),
}

impl Durable {
    pub(super) fn new(
        taken: Taken,
        graph: Arc<DStreamGraph>,
        (logs, letters): (Option<Arc<StateLogs>>, Option<Arc<DeadLetters>>),
        restored: BTreeSet<Time>,
        committed: Time,
    ) -> Result<Durable> {
        let (states, looks_back, snapshots) = (graph.stateful_operators(), graph.looks_back(), taken.snapshots());
        let application = taken.application();
        let Taken { env, fence, journal, lock, options, .. } = taken;
        let (snapshotting, open, recorded, then) = Default::default();
        let mut durable = Durable {
            env,
            graph,
            journal,
            logs,
            letters,
            states,
            snapshots,
            snapshotting,
            snapshot_after: options.snapshot_after,
            begun: 0,
            epoch: fence.epoch(),
            application,
            looks_back,
            open,
            committed,
            recorded,
            unsynced: false,
            then,
            restored,
            _lock: lock,
        };
        // What an earlier process had begun, or taken of batches that it did not commit.
        let at: Millis = committed.into();
        let useless = durable.journal.read(|state| {
            let early = state.snapshots.iter().filter(|snapshot| snapshot.until > at);
            early.map(|snapshot| snapshot.number).chain(state.begun).collect::<Vec<u64>>()
        });
        for number in useless {
            durable.record(&DriverEvent::SnapshotForgotten { number })?;
            durable.then.push(Then::RemoveSnapshot(number));
        }
        Ok(durable)
    }

    /// A name for the application that lives as long as the folder.
    pub(crate) fn application(&self) -> &str {
        &self.application
    }
    /// The newest batch that the sink of an output has committed, as far as the journal knows.
    pub(crate) fn committed_by(&self, output: OperatorId) -> Option<Time> {
        self.journal.read(|state| state.sinks.get(output.as_str()).map(|time| (*time).into()))
    }
    /// The newest batch whose inputs are fixed: no sink has a later one. Before the first batch, a time before all.
    pub(crate) fn newest_allocated(&self) -> Time {
        self.journal.read(|state| state.grid.map_or(Time::from_millis(i64::MIN), |grid| grid.allocated.into()))
    }
    /// The inputs of batch `time`, whose outputs have these `sinks`, are fixed; durable with the next [`Durable::sync`].
    pub(crate) fn allocated(&mut self, time: Time, sinks: Vec<OperatorId>) -> Result<()> {
        self.open.insert(time, OpenBatch { has_ended: false, sinks });
        // One of the process before is in the journal already.
        if self.journal.read(|state| state.batches.contains_key(&Millis::from(time))) {
            return Ok(());
        }
        let inputs = self.graph.allocations(time).into_iter();
        let inputs = inputs.map(|(operator, bytes)| (operator.to_string(), Blob(bytes)));
        let (again, letters) = self.letters.as_ref().map(|letters| letters.allocation(time)).unwrap_or_default();
        let inputs = inputs.chain(again).collect();
        self.record(&DriverEvent::Allocated { time: time.into(), inputs, letters })
    }
    /// The jobs of batch `time` have ended, well. The sinks of `set_aside` have nothing of it: told otherwise, they would
    /// miss it at the next start.
    pub(crate) fn ended(&mut self, time: Time, set_aside: &[OperatorId]) {
        self.open.entry(time).and_modify(|batch| {
            batch.has_ended = true;
            batch.sinks.retain(|sink| !set_aside.contains(sink));
        });
    }
    /// Whether a batch has ended that is not committed, and may be.
    pub(crate) fn first_has_ended(&self) -> bool {
        self.open.first_key_value().is_some_and(|(_, batch)| batch.has_ended)
    }
    /// Whether something waits for a [`Durable::sync`].
    pub(crate) fn needs_sync(&self) -> bool {
        self.unsynced || !self.recorded.is_empty() || self.first_has_ended()
    }
    /// Makes durable what there is, and commits what can be; the batches that are committed by it, and whose inputs and
    /// blocks may go. After an error call it again when what it says is mended: nothing is lost by it.
    pub(crate) fn sync(&mut self) -> Result<Vec<Time>> {
        if self.first_has_ended() {
            // What a batch has changed is durable before its commit.
            self.logs.iter().try_for_each(|logs| logs.sync())?;
            let letters = match &self.letters {
                Some(letters) => letters.sync(self.newest_ended())?,
                None => None,
            };
            let logs = self.logs.as_ref().map_or([None; 2], |logs| logs.ends());
            while self.first_has_ended()
                && let Some((time, batch)) = self.open.first_key_value()
            {
                let (time, forget) = (*time, (*time - self.looks_back).into());
                let sinks = batch.sinks.iter().map(|output| output.to_string()).collect();
                self.record(&DriverEvent::Committed { time: time.into(), forget, logs, sinks, letters })?;
                self.open.remove(&time);
                self.recorded.push(time);
            }
        }
        if self.unsynced {
            self.journal.sync()?;
            self.unsynced = false;
            self.letters.iter().for_each(|letters| letters.synced());
        }
        let then = std::mem::take(&mut self.then);
        then.into_iter().for_each(|then| self.follow(then));
        if let Some(newest) = self.recorded.last() {
            self.committed = *newest;
            self.look_after_states()?;
            self.look_after_letters()?;
        }
        // The last of it all: where something fails before, these are told by the next call.
        Ok(std::mem::take(&mut self.recorded))
    }
    /// The newest batch that is committed with the next sync: all up to it have ended.
    fn newest_ended(&self) -> Time {
        let ended = self.open.iter().take_while(|(_, batch)| batch.has_ended);
        ended.last().map_or(self.committed, |(time, _)| *time)
    }
    /// Batches of the process before that nobody looks back to any more.
    pub(crate) fn forgotten(&mut self) -> BTreeSet<Time> {
        let kept = self.restored.split_off(&(self.committed - self.looks_back + Duration::from_millis(1)));
        std::mem::replace(&mut self.restored, kept)
    }
    /// The process ends: the next one has few events to read. What could not be written is read from the log then.
    pub(crate) fn close(&mut self) -> Result<()> {
        if let Some(snapshotting) = self.snapshotting.take() {
            snapshotting.end();
        }
        self.journal.snapshot()
    }

    fn record(&mut self, event: &DriverEvent) -> Result<()> {
        self.unsynced = true;
        self.journal.record(event)
    }
    fn follow(&mut self, then: Then) {
        let done = match then {
            Then::TakeSnapshot(number) => self.begin_snapshot(number).or_else(|error| {
                self.env.console.warn(&format!("no snapshot of the states can begin: {error}"));
                self.record(&DriverEvent::SnapshotForgotten { number })
            }),
            Then::RemoveSnapshot(number) => self.snapshots.remove(number),
            Then::TrimLetters(first) => self.letters.iter().try_for_each(|letters| letters.remove_before(first)),
            Then::TrimLogs(first) => self.logs.iter().try_for_each(|logs| logs.remove_before(first)),
        };
        if let Err(error) = done {
            self.env.console.warn(&format!("old state stays on disk for now: {error}"));
        }
    }

    /// Lets go of dead letters that have gone. Events go with the next sync.
    fn look_after_letters(&mut self) -> Result<()> {
        let Some(letters) = self.letters.clone() else { return Ok(()) };
        let behind = self.looks_back.max(self.graph.remembers());
        match letters.tidy(self.committed - behind) {
            Ok(None) => {}
            Ok(Some((segment, lowest))) => {
                self.record(&DriverEvent::LettersTrimmed { segment, lowest })?;
                self.then.push(Then::TrimLetters(segment));
            }
            Err(error) => self.env.console.warn(&format!("old dead letters stay on disk for now: {error}")),
        }
        Ok(())
    }
    /// Takes snapshots, and lets go of what they make needless. Events go with the next sync.
    fn look_after_states(&mut self) -> Result<()> {
        let Some(logs) = self.logs.clone() else { return Ok(()) };
        self.end_snapshot()?;
        let looks_back = self.states.iter().map(|of| of.looks_back).max().unwrap_or_default();
        let usable_at: Millis = (self.committed - looks_back).into();
        let (usable, pending, bytes, processes) = self.journal.read(|state| {
            let (usable, pending): (Vec<_>, Vec<_>) =
                state.snapshots.iter().cloned().partition(|snapshot| snapshot.until <= usable_at);
            let bytes = state.snapshots.last().map_or(0, |snapshot| snapshot.bytes);
            (usable, !pending.is_empty() || state.begun.is_some(), bytes, state.epochs.len())
        });
        for old in usable.iter().rev().skip(2) {
            self.record(&DriverEvent::SnapshotForgotten { number: old.number })?;
            self.then.push(Then::RemoveSnapshot(old.number));
        }
        let is_large = logs.bytes_since_snapshot() >= (2 * bytes).max(self.snapshot_after);
        // The logs are cut behind the older of two snapshots.
        let is_scattered = processes > PROCESSES_MAX && self.begun < 2;
        if !pending && self.snapshotting.is_none() && (is_large || is_scattered) {
            self.begun += 1;
            let number = (self.epoch << 20) + self.begun;
            self.record(&DriverEvent::SnapshotBegun { number })?;
            self.then.push(Then::TakeSnapshot(number));
        }
        // Behind the older of two snapshots; what is in a window behind its beginning.
        let changes = usable.iter().rev().nth(1).map_or(Time::from_millis(i64::MIN), |older| older.since.into());
        let windows = self.states.iter().filter_map(|of| Some(self.committed - of.looks_back - of.window?)).min();
        let windows = windows.unwrap_or(self.committed);
        let mut first = logs.first_needed([changes, windows]);
        let known = self.journal.read(|state| [state.first_changes, state.first_windows]);
        if usable.len() < 2 {
            // The first snapshot may be damaged, and then all changes are needed.
            first[0] = known[0];
        }
        if known < first {
            let done = changes.min(windows).into();
            self.record(&DriverEvent::LogsTrimmed { changes: first[0], windows: first[1], done })?;
            self.then.push(Then::TrimLogs(first));
        }
        Ok(())
    }
    fn begin_snapshot(&mut self, number: u64) -> Result<()> {
        let operators = self.states.iter().map(|of| of.operator).collect();
        self.logs.iter().for_each(|logs| logs.snapshot_begins());
        let begun = Snapshotting::begin(&self.env, self.snapshots.clone(), self.graph.clone(), operators, number);
        self.snapshotting = Some(begun?);
        Ok(())
    }
    /// Takes note of a snapshot that has ended.
    fn end_snapshot(&mut self) -> Result<()> {
        let Some(outcome) = self.snapshotting.as_ref().and_then(Snapshotting::outcome) else { return Ok(()) };
        let Some(ended) = self.snapshotting.take() else { return Ok(()) };
        let number = ended.number;
        ended.end();
        match outcome {
            Ok(snapshot) => self.record(&DriverEvent::SnapshotTaken(snapshot)),
            Err(error) => {
                if error.kind() != ErrorKind::Cancelled {
                    let later = "it is tried again behind as many changes, which are kept until then";
                    self.env.console.warn(&format!("the snapshot of the states failed: {error}; {later}"));
                }
                self.then.push(Then::RemoveSnapshot(number));
                self.record(&DriverEvent::SnapshotForgotten { number })
            }
        }
    }
}

impl Drop for Durable {
    fn drop(&mut self) {
        if let Some(snapshotting) = self.snapshotting.take() {
            snapshotting.end();
        }
    }
}
