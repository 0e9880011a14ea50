//! [`JobScheduler`]: runs the jobs of batches in the order in which they come, on its own threads. A failed output
//! does not hold up the others of its batch, nor later batches.

use super::batch_report::BatchReport;
use super::commit_lane::{CommitLane, Prepared};
use super::job_generator::{BatchOutcome, Event, EventQueue, caught};
use super::{ListenerBus, Status};
use crate::ending_thread::EndingThread;
use crate::remaining::RunningOutput;
use headwater_core::dstream::BatchJob;
use headwater_core::env::{Clock, Env};
use headwater_core::listener::{StreamId, StreamInputInfo};
use headwater_core::sink::FailurePolicy;
use headwater_core::time::Time;
use headwater_core::{ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub(crate) struct JobScheduler {
    queue: Arc<JobQueue>,
    threads: Mutex<Vec<EndingThread>>,
    shared: Arc<Shared>,
}
struct Shared {
    env: Env,
    /// Of the outputs that have sinks, by their positions.
    lanes: BTreeMap<usize, CommitLane>,
    status: Arc<Status>,
    events: Arc<EventQueue>,
    listeners: Arc<ListenerBus>,
    /// Jobs that have not begun are dropped.
    cancelled: AtomicBool,
    /// Whether a batch counts when it is committed, and not when its jobs have ended.
    durable: bool,
    /// Where it does, the oldest batch that has failed, in milliseconds: later ones are dropped.
    failed: AtomicI64,
}

/// Jobs that wait for an executor. Bounded by the generator's limit of pending batches.
struct JobQueue {
    jobs: Mutex<Jobs>,
    added: Condvar,
    clock: Arc<dyn Clock>,
}
struct Jobs {
    /// `None` behind the last job there will be.
    waiting: VecDeque<Option<(Arc<JobSet>, BatchJob)>>,
    /// What each executor has in hand, until it asks for the next.
    running: Vec<Option<Running>>,
}
/// A job that an executor runs, for those who ask.
struct Running {
    set: Arc<JobSet>,
    output_op_id: usize,
    name: Arc<str>,
    since: Time,
}

impl JobQueue {
    fn add(&self, job: Option<(Arc<JobSet>, BatchJob)>) {
        self.lock().waiting.push_back(job);
        self.added.notify_one();
    }
    /// Waits for the next job of `executor`. (A channel would spin before it sleeps, which a batch every millisecond pays
    /// for.)
    fn next(&self, executor: usize) -> Option<(Arc<JobSet>, BatchJob)> {
        let mut jobs = self.lock();
        jobs.running[executor] = None;
        loop {
            if let Some(next) = jobs.waiting.pop_front() {
                jobs.running[executor] = next.as_ref().map(|(set, job)| Running {
                    set: set.clone(),
                    output_op_id: job.output_op_id,
                    name: job.name.clone(),
                    since: self.clock.now(),
                });
                return next;
            }
            jobs = self.added.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs of one batch.
struct JobSet {
    time: Time,
    left: AtomicUsize,
    failed: AtomicBool,
    /// Whether a stop has cut it off.
    dropped: AtomicBool,
    /// For listeners, if there were any when it was submitted.
    report: Option<Box<BatchReport>>,
}

impl JobScheduler {
    /// Starts `concurrent_jobs` threads, and one for each of the outputs `sinks`, which [`JobScheduler::close`] hands over.
    pub(crate) fn start(
        (concurrent_jobs, sinks): (usize, impl Iterator<Item = (usize, Arc<str>)>),
        env: &Env,
        status: Arc<Status>,
        events: Arc<EventQueue>,
        listeners: Arc<ListenerBus>,
        durable: bool,
    ) -> Result<JobScheduler> {
        let queue = Arc::new(JobQueue {
            jobs: Mutex::new(Jobs {
                waiting: VecDeque::new(),
                running: std::iter::repeat_with(|| None).take(concurrent_jobs).collect(),
            }),
            added: Condvar::new(),
            clock: env.clock.clone(),
        });
        let sinks: Vec<(usize, Arc<str>)> = sinks.collect();
        let shared = Arc::new(Shared {
            env: env.clone(),
            lanes: sinks.iter().map(|(output, _)| (*output, CommitLane::default())).collect(),
            status,
            events,
            listeners,
            cancelled: AtomicBool::new(false),
            durable,
            failed: AtomicI64::new(i64::MAX),
        });
        let scheduler = JobScheduler { queue, threads: Mutex::default(), shared };
        for number in 0..concurrent_jobs {
            let (queue, shared) = (scheduler.queue.clone(), scheduler.shared.clone());
            let jobs = move || {
                while let Some((set, job)) = queue.next(number) {
                    shared.run(set, job);
                }
            };
            scheduler.spawn(&format!("streaming-job-executor-{number}"), jobs)?;
        }
        for (output, _) in sinks {
            let shared = scheduler.shared.clone();
            let commits = move || {
                while let Some(prepared) = shared.lanes.get(&output).and_then(CommitLane::next) {
                    shared.commit(prepared);
                }
            };
            scheduler.spawn(&format!("sink-commit-{output}"), commits)?;
        }
        Ok(scheduler)
    }

    fn spawn(&self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
        let status = self.shared.status.clone();
        let thread = EndingThread::spawn(&self.shared.env, name, move || {
            status.claim_thread();
            body();
        })?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Queues the jobs of batch `time`. A batch without jobs is done at once, and listeners do not hear of it.
    pub(crate) fn submit(&self, time: Time, jobs: Vec<BatchJob>, inputs: BTreeMap<StreamId, StreamInputInfo>) {
        let (left, failed, dropped) = (AtomicUsize::new(jobs.len()), AtomicBool::new(false), AtomicBool::new(false));
        if jobs.is_empty() {
            return self.shared.completed(&JobSet { time, left, failed, dropped, report: None });
        }
        let report = BatchReport::submitted(&self.shared.listeners, time, &jobs, inputs).map(Box::new);
        let set = Arc::new(JobSet { time, left, failed, dropped, report });
        let lanes = jobs.iter().filter_map(|job| self.shared.lane(job));
        lanes.for_each(|lane| lane.expect(time));
        jobs.into_iter().for_each(|job| self.queue.add(Some((set.clone(), job))));
    }

    /// Drops the jobs that have not begun.
    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Release);
        self.shared.lanes.values().for_each(CommitLane::cancel);
        self.shared.env.clock.notify();
    }
    /// Hands over the threads. They end behind the job that runs and, unless cancelled, those that wait.
    pub(crate) fn close(&self) -> Vec<EndingThread> {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.iter().for_each(|_| self.queue.add(None));
        self.shared.lanes.values().for_each(CommitLane::close);
        threads
    }
    /// The batches of which a job waits or runs, and the output operations that run, by their batches.
    pub(crate) fn remaining(&self) -> (BTreeSet<Time>, Vec<RunningOutput>) {
        let jobs = self.queue.lock();
        // A job that has ended stays in hand for a moment; so does not its batch, when it was the last one of it.
        let running = || jobs.running.iter().flatten().filter(|running| running.set.left.load(Ordering::Acquire) > 0);
        let waiting = jobs.waiting.iter().flatten().map(|(set, _)| set.time);
        let commits = self.shared.lanes.values().flat_map(CommitLane::waiting);
        let batches = waiting.chain(running().map(|running| running.set.time)).chain(commits).collect();
        let now = self.queue.clock.now();
        let output = |running: &Running| RunningOutput {
            batch_time: running.set.time,
            id: running.output_op_id,
            name: running.name.to_string(),
            duration: now - running.since,
        };
        let mut outputs: Vec<RunningOutput> = running().map(output).collect();
        outputs.sort_by_key(|output| (output.batch_time, output.id));
        (batches, outputs)
    }
}
/// The start has failed, or a stop has handed over all threads.
impl Drop for JobScheduler {
    fn drop(&mut self) {
        self.close().into_iter().for_each(EndingThread::join);
    }
}

impl Shared {
    fn lane(&self, job: &BatchJob) -> Option<&CommitLane> {
        self.lanes.get(&job.output_op_id).filter(|_| job.commits)
    }
    /// Whatever the user's code does, the job is counted.
    fn run(self: &Arc<Self>, set: Arc<JobSet>, mut job: BatchJob) {
        let lane = self.lane(&job);
        let BatchJob { output_op_id, ref name, policy, .. } = job;
        let unfinished = Unfinished { shared: self.clone(), set, output_op_id, name: name.clone(), policy };
        let time = unfinished.set.time;
        if self.is_over(time) {
            unfinished.dropped();
            // Dropping the closure is the user's code too.
            let _dropped = caught(&unfinished.name, || {
                drop(job);
                Ok(())
            });
            return lane.into_iter().for_each(|lane| lane.gone(time));
        }
        unfinished.set.report.iter().for_each(|report| report.job_started(output_op_id));
        let result = self.tried(&policy, || caught(&unfinished.name, &mut job.run));
        match (result, lane) {
            (Ok(Some(commit)), Some(lane)) => lane.prepared(time, Prepared { commit, job: unfinished }),
            (result, lane) => {
                unfinished.ended(result.map(drop));
                lane.into_iter().for_each(|lane| lane.gone(time));
            }
        }
    }
    /// Commits a batch of a sink, where nothing has failed before it.
    fn commit(&self, Prepared { commit, job }: Prepared) {
        if self.is_over(job.set.time) {
            job.dropped();
            if let Err(error) = caught(&job.name, || commit.abort()) {
                let what = format!("{}: what was prepared of batch {} is left behind", job.name, job.set.time);
                self.env.console.warn(&format!("{what}: {error}"));
            }
            return;
        }
        let result = self.tried(&job.policy, || caught(&job.name, || commit.commit()));
        job.ended(result);
    }
    /// Tries it again as the policy says, unless a stop comes.
    fn tried<R>(&self, policy: &FailurePolicy, mut body: impl FnMut() -> Result<R>) -> Result<R> {
        tried(&self.env, policy, || self.is_cancelled(), &mut body)
    }
    /// Whether what has not begun does not begin any more: a stop has come, or an earlier batch has failed.
    fn is_over(&self, time: Time) -> bool {
        self.is_cancelled() || time.milliseconds() > self.failed.load(Ordering::Acquire)
    }
    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
    fn completed(&self, set: &JobSet) {
        set.report.iter().for_each(|report| report.completed());
        let (failed, dropped) = (set.failed.load(Ordering::Relaxed), set.dropped.load(Ordering::Relaxed));
        if self.durable {
            let outcome = match (dropped, failed) {
                (true, _) => BatchOutcome::Dropped,
                (false, true) => BatchOutcome::Failed,
                (false, false) => BatchOutcome::Done,
            };
            return self.events.post(Event::BatchEnded(set.time, outcome));
        }
        self.events.post_completed(set.time, || match dropped {
            true => self.status.batch_dropped(),
            false => self.status.batch_completed(set.time, failed),
        });
    }
}

/// What listeners are told of a failure. Showing the user's error is the user's code too.
fn failure_reason(result: &Result<()>) -> Option<String> {
    let error = result.as_ref().err()?;
    let shown = caught("showing the error", || Ok(error.to_string()));
    Some(shown.unwrap_or_else(|panic| panic.to_string()))
}

/// Calls `body` again, behind pauses, as often as `policy` says and it is no use to give up before.
pub(crate) fn tried<R>(
    env: &Env,
    policy: &FailurePolicy,
    is_cancelled: impl Fn() -> bool,
    body: &mut dyn FnMut() -> Result<R>,
) -> Result<R> {
    for failures in 0.. {
        let error = match body() {
            Err(error) if !is_cancelled() && is_worth_a_try(error.kind()) => error,
            ended => return ended,
        };
        let Some(pause) = policy.pause_after(failures) else { return Err(error) };
        let until = env.clock.now() + pause;
        env.console.warn(&format!("{error}; it is tried again in {pause:?}"));
        env.clock.wait(Some(until), &mut || is_cancelled());
    }
    unreachable!("a policy ends before the numbers do")
}
/// Whether an error may be gone the next time.
fn is_worth_a_try(kind: ErrorKind) -> bool {
    !matches!(kind, ErrorKind::Cancelled | ErrorKind::Program | ErrorKind::Fenced | ErrorKind::Internal)
}

/// A job that is not done yet; it is counted as ended when it is dropped.
pub(super) struct Unfinished {
    shared: Arc<Shared>,
    set: Arc<JobSet>,
    output_op_id: usize,
    name: Arc<str>,
    policy: FailurePolicy,
}
impl Unfinished {
    /// Takes note of its result.
    fn ended(&self, result: Result<()>) {
        let Unfinished { shared, set, output_op_id, name, .. } = self;
        if let Some(report) = &set.report {
            report.job_completed(*output_op_id, failure_reason(&result));
        }
        let Err(error) = result else { return };
        // What fails while the stop cuts it off, by whatever name, is no failure of the program's.
        let cut_off = error.kind() == ErrorKind::Cancelled || shared.is_cancelled();
        (if cut_off { &set.dropped } else { &set.failed }).store(true, Ordering::Relaxed);
        if !cut_off {
            if shared.durable {
                shared.failed.fetch_min(set.time.milliseconds(), Ordering::AcqRel);
            }
            let job = format!("batch {}, output operation {output_op_id} ({name})", set.time);
            // A warning shows the user's error, and goes where the user has it go.
            let _reported = caught("reporting", || {
                shared.status.report_error(error.within(job));
                Ok(())
            });
        }
    }
    /// It was cut off before it began, or before its commit did.
    fn dropped(&self) {
        self.set.dropped.store(true, Ordering::Relaxed);
        self.set.report.iter().for_each(|report| report.job_dropped());
    }
}
impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.set.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.completed(&self.set);
        }
    }
}
