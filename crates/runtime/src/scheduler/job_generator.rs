//! [`JobGenerator`]: the thread that waits for the next batch time, asks the graph for the batch's jobs and hands them
//! to the scheduler. All that happens to batches goes through its one closed [`Event`].

use super::commits::Commits;
use super::{JobScheduler, ListenerBus, Status};
use headwater_core::dstream::{BatchJob, DStreamGraph};
use headwater_core::env::Env;
use headwater_core::listener::{StreamId, StreamInputInfo};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result, panic_message};
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the generator reacts to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// The clock has reached this batch time.
    GenerateJobs(Time),
    /// All jobs of this batch have ended.
    BatchCompleted(Time),
    /// The same, where the batch is yet to be committed.
    BatchEnded(Time, BatchOutcome),
    /// The inputs have stopped: one more batch if something is left, then end when all batches are done.
    Drain,
    /// End at once.
    Stop,
}

/// What became of the jobs of a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BatchOutcome {
    /// All is well. The outputs whose sinks have nothing of it, since its records were set aside.
    Done { set_aside: Vec<OperatorId> },
    /// One of them has failed.
    Failed,
    /// A stop has cut one off.
    Dropped,
}

/// Events from other threads. It holds at most one completion per pending batch and the stops.
pub(crate) struct EventQueue {
    env: Env,
    /// Whether a completion may wait for the next tick, which is near: waking the generator for it would cost more
    /// than a batch without data.
    completions_wait: bool,
    state: Mutex<Events>,
}
#[derive(Default)]
struct Events {
    queued: VecDeque<Event>,
    /// Whether the generator waits without a tick to come: then every event wakes it.
    no_tick: bool,
}

/// Batch intervals up to this one let completions wait for the next tick.
const NEAR_TICK: Duration = Duration::from_millis(10);

impl EventQueue {
    pub(crate) fn new(env: Env, batch_duration: Duration) -> EventQueue {
        EventQueue { env, completions_wait: batch_duration <= NEAR_TICK, state: Mutex::default() }
    }
    pub(crate) fn post(&self, event: Event) {
        self.lock().queued.push_back(event);
        self.env.clock.notify();
    }
    /// Posts the end of a batch, and counts it, as one step for the generator.
    pub(crate) fn post_completed(&self, time: Time, count: impl FnOnce()) {
        let wake = {
            let mut events = self.lock();
            events.queued.push_back(Event::BatchCompleted(time));
            count();
            events.no_tick || !self.completions_wait
        };
        if wake {
            self.env.clock.notify();
        }
    }
    fn lock(&self) -> MutexGuard<'_, Events> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether an event waits.
    pub(super) fn has_some(&self) -> bool {
        !self.lock().queued.is_empty()
    }
    /// Waits until the clock reaches `deadline`; whether a stop came before.
    pub(super) fn pause(&self, deadline: Time) -> bool {
        let stops = || self.lock().queued.contains(&Event::Stop);
        self.env.clock.wait(Some(deadline), &mut || stops())
    }
    /// The next event, or `None` when the clock reaches `deadline` first, or `over` is true and no event is left.
    fn next(&self, deadline: Option<Time>, over: impl Fn() -> bool) -> Option<Event> {
        self.lock().no_tick = deadline.is_none();
        let mut event = None;
        self.env.clock.wait(deadline, &mut || {
            // In this order: what was posted when it is over must not be missed.
            let over = over();
            event = self.lock().queued.pop_front();
            event.is_some() || over
        });
        event
    }
}

pub(crate) struct JobGenerator {
    pub(crate) env: Env,
    pub(crate) graph: Arc<DStreamGraph>,
    pub(crate) scheduler: Arc<JobScheduler>,
    pub(crate) status: Arc<Status>,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) listeners: Arc<ListenerBus>,
    /// The next batch to generate. Missed ticks are generated late, in order; none is skipped.
    pub(crate) next: Time,
    pub(crate) pending_batches_max: u64,
    pub(crate) phase: Phase,
    pub(crate) commits: Option<Commits>,
}
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// At the limit of pending batches, which were so many; the user has been told.
    Behind(u64),
    Draining,
    /// Nothing can be committed any more.
    GivenUp,
}

impl JobGenerator {
    /// Reacts to events until one of the stops.
    pub(crate) fn run(self) {
        let status = self.status.clone();
        status.claim_thread();
        let ended = caught("the job generator", || {
            self.react();
            Ok(())
        });
        if let Err(error) = ended {
            status.report_error(Error::new(ErrorKind::Internal, "no more batches are generated").because(error));
        }
    }

    fn react(mut self) {
        while let Some(event) = self.next_event() {
            match event {
                Event::GenerateJobs(time) => self.generate_jobs(time),
                Event::BatchCompleted(time) => self.clear_metadata(time),
                Event::BatchEnded(time, outcome) => self.batch_ended(time, outcome),
                Event::Drain => self.phase = Phase::Draining,
                Event::Stop => break,
            }
            if self.phase == Phase::GivenUp {
                break;
            }
        }
        self.close();
    }

    /// `None` when draining is over.
    fn next_event(&mut self) -> Option<Event> {
        loop {
            let drains = self.phase == Phase::Draining && !self.has_unallocated();
            let full = !drains && self.look_at_pending();
            self.before_waiting(!drains && !full && self.env.clock.now() >= self.next);
            if self.phase == Phase::GivenUp {
                return None;
            }
            if drains {
                return self.events.next(None, || self.status.progress().pending == 0);
            }
            // A tick that comes while no more batches may wait is told once, and then waits for one of them to end.
            let deadline = if full && self.phase != Phase::Running { None } else { Some(self.next) };
            match self.events.next(deadline, || false) {
                None if full => continue,
                event => return event.or(Some(Event::GenerateJobs(self.next))),
            }
        }
    }

    /// Whether no more batches may wait; warns when a tick comes meanwhile.
    fn look_at_pending(&mut self) -> bool {
        if self.commits.as_ref().is_some_and(|commits| commits.is_at_once(self.next)) && !self.graph.states_are_full() {
            return false;
        }
        let (mut pending, mut full) = self.pending();
        let late = full && self.phase == Phase::Running && self.env.clock.now() >= self.next;
        if late {
            // The clock may have moved on behind the end of a batch: then its tick is in time.
            (pending, full) = self.pending();
        }
        if late && full {
            self.phase = Phase::Behind(pending);
            self.env.console.warn(&format!(
                "{pending} batches wait or run, the limit (Conf::pending_batches_max, and 400 where there is state): \
                 batch {} and later ones are generated late; processing takes longer than the batch interval",
                self.next
            ));
        } else if let Phase::Behind(limit) = self.phase
            && pending * 2 < limit
        {
            self.phase = Phase::Running;
        }
        full
    }

    /// The batches that wait or run, and whether no more may.
    fn pending(&self) -> (u64, bool) {
        let pending = self.status.progress().pending;
        // What waits takes the states along; where nothing does, batches that failed fill them.
        (pending, pending >= self.pending_batches_max || (pending > 0 && self.graph.states_are_full()))
    }

    fn has_unallocated(&self) -> bool {
        self.graph.inputs().any(|input| input.has_unallocated())
    }

    fn generate_jobs(&mut self, time: Time) {
        let first = self.commits.as_mut().and_then(Commits::next_of_first);
        self.next = first.unwrap_or(time + self.graph.batch_duration());
        self.status.batch_submitted(time);
        match caught("generating the jobs", || self.jobs_and_inputs(time)) {
            Ok((jobs, inputs)) => {
                if self.allocated(time, &jobs) {
                    self.scheduler.submit(time, jobs, inputs);
                }
            }
            Err(error) => {
                self.status.report_error(error.within(format!("error generating jobs for batch {time}")));
                self.status.batch_completed(time, true);
                match self.commits {
                    None => self.clear_metadata(time),
                    Some(_) => self.give_up(),
                }
            }
        }
    }

    /// The jobs of batch `time` and, while someone listens, what its inputs brought.
    fn jobs_and_inputs(&self, time: Time) -> Result<(Vec<BatchJob>, BTreeMap<StreamId, StreamInputInfo>)> {
        let jobs = self.graph.generate_jobs(time)?;
        let mut inputs = BTreeMap::new();
        if !jobs.is_empty() && self.listeners.is_listening() {
            let streams = self.graph.inputs().enumerate().map(|(position, input)| (StreamId::new(position), input));
            inputs.extend(streams.filter_map(|(stream, input)| Some((stream, input.info(stream, time)?))));
        }
        Ok((jobs, inputs))
    }

    /// Records are dropped here, and that is the user's code.
    pub(super) fn clear_metadata(&self, time: Time) {
        let cleared = caught("dropping records", || {
            self.graph.clear_metadata(time);
            Ok(())
        });
        if let Err(error) = cleared {
            self.status.report_error(error.within(format!("error clearing batch {time}")));
        }
    }
}

/// Runs the user's code on the driver; a panic becomes an error.
pub(super) fn caught<R>(what: &str, body: impl FnOnce() -> Result<R>) -> Result<R> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        Err(Error::new(ErrorKind::Data, format!("{what} panicked: {}", panic_message(&*panic))))
    })
}
