//! [`JobScheduler`]: runs the jobs of batches in the order in which they come, on its own threads. A failed output
//! does not hold up the others of its batch, nor later batches.

use super::batch_report::BatchReport;
use super::commit_lane::CommitLane;
use super::job_generator::{BatchOutcome, Event, EventQueue, caught};
use super::job_queue::{JobQueue, JobSet};
use super::tries::{is_worth_a_try, tried};
use super::{ListenerBus, Status};
use crate::ending_thread::EndingThread;
use crate::remaining::RunningOutput;
use headwater_core::dstream::{BatchJob, SetBatchAside};
use headwater_core::env::Env;
use headwater_core::listener::{StreamId, StreamInputInfo};
use headwater_core::sink::{Commit, FailurePolicy};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) struct JobScheduler {
    queue: Arc<JobQueue>,
    threads: Mutex<Vec<EndingThread>>,
    shared: Arc<Shared>,
}
struct Shared {
    env: Env,
    /// Of the outputs that have sinks.
    lanes: Vec<CommitLane<Prepared>>,
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
        let queue = Arc::new(JobQueue::new(concurrent_jobs, env.clock.clone()));
        let shared = Arc::new(Shared {
            env: env.clone(),
            lanes: sinks.map(|sink| CommitLane::new(sink, env.clock.clone())).collect(),
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
        for (number, lane) in scheduler.shared.lanes.iter().enumerate() {
            let shared = scheduler.shared.clone();
            let commits = move || {
                while let Some(prepared) = shared.lanes[number].next() {
                    shared.commit(prepared);
                }
            };
            scheduler.spawn(&format!("sink-commit-{}", lane.output()), commits)?;
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
        if jobs.is_empty() {
            return self.shared.completed(&JobSet::new(time, 0, None));
        }
        let report = BatchReport::submitted(&self.shared.listeners, time, &jobs, inputs).map(Box::new);
        let set = Arc::new(JobSet::new(time, jobs.len(), report));
        let lanes = jobs.iter().filter_map(|job| self.shared.lane(job));
        lanes.for_each(|lane| lane.expect(time));
        jobs.into_iter().for_each(|job| self.queue.add(Some((set.clone(), job))));
    }

    /// Drops the jobs that have not begun.
    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Release);
        self.shared.lanes.iter().for_each(CommitLane::cancel);
        self.shared.env.clock.notify();
    }
    /// Hands over the threads. They end behind the job that runs and, unless cancelled, those that wait.
    pub(crate) fn close(&self) -> Vec<EndingThread> {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.iter().for_each(|_| self.queue.add(None));
        self.shared.lanes.iter().for_each(CommitLane::close);
        threads
    }
    /// The batches of which a job or a commit waits or runs, and the output operations that run, by their batches.
    pub(crate) fn remaining(&self) -> (BTreeSet<Time>, Vec<RunningOutput>) {
        let (mut batches, mut outputs) = self.queue.remaining();
        for (prepared, committing) in self.shared.lanes.iter().map(CommitLane::remaining) {
            batches.extend(prepared);
            outputs.extend(committing);
        }
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
    fn lane(&self, job: &BatchJob) -> Option<&CommitLane<Prepared>> {
        self.lanes.iter().find(|lane| job.commits && lane.output() == job.output_op_id)
    }
    /// Whatever the user's code does, the job is counted.
    fn run(self: &Arc<Self>, set: Arc<JobSet>, job: BatchJob) {
        let lane = self.lane(&job);
        let BatchJob { output_op_id, name, operator, mut run, policy, set_aside, commits } = job;
        let sink = operator.filter(|_| commits);
        let unfinished = Unfinished { shared: self.clone(), set, output_op_id, name, sink, policy, set_aside };
        let time = unfinished.set.time;
        // Dropping what it works on is the user's code too, and comes before the batch may be forgotten.
        let dropping = |run| {
            caught(&unfinished.name, || {
                drop(run);
                Ok(())
            })
        };
        if self.is_over(time) {
            unfinished.dropped();
            let _dropped = dropping(run);
            return lane.into_iter().for_each(|lane| lane.gone(time));
        }
        unfinished.set.report.iter().for_each(|report| report.job_started(output_op_id));
        let result = self.tried(&policy, || caught(&unfinished.name, &mut run));
        let dropped = dropping(run);
        match (result.and_then(|commit| dropped.map(|()| commit)), lane) {
            (Ok(Some(commit)), Some(lane)) => lane.prepared(time, Prepared { commit, job: unfinished }),
            (result, lane) => {
                unfinished.ended(result.map(drop).or_else(|error| unfinished.set_aside(error, false)));
                lane.into_iter().for_each(|lane| lane.gone(time));
            }
        }
    }
    /// Commits a batch of a sink, where nothing has failed before it.
    fn commit(&self, Prepared { commit, job }: Prepared) {
        if self.is_over(job.set.time) {
            job.dropped();
            return self.abort(&commit, &job);
        }
        let mut is_refused = false;
        let mut try_once = || {
            is_refused = false;
            commit.commit().inspect_err(|error| is_refused = error.kind() == ErrorKind::Data)
        };
        let result = self.tried(&job.policy, || caught(&job.name, &mut try_once));
        job.ended(match result {
            Ok(()) => commit.set_refused_aside(),
            Err(error) if is_refused => job.set_aside(error, true).inspect(|()| self.abort(&commit, &job)),
            Err(error) => Err(error),
        });
    }
    fn abort(&self, commit: &Commit, job: &Unfinished) {
        if let Err(error) = caught(&job.name, || commit.abort()) {
            let what = format!("{}: what was prepared of batch {} is left behind", job.name, job.set.time);
            self.env.console.warn(&format!("{what}: {error}"));
        }
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
                (false, false) => BatchOutcome::Done { set_aside: set.set_aside() },
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

/// A batch of a sink that waits for its commit.
struct Prepared {
    commit: Commit,
    job: Unfinished,
}

/// A job that is not done yet; it is counted as ended when it is dropped.
struct Unfinished {
    shared: Arc<Shared>,
    set: Arc<JobSet>,
    output_op_id: usize,
    name: Arc<str>,
    /// The output, if it has a sink.
    sink: Option<OperatorId>,
    policy: FailurePolicy,
    set_aside: Option<SetBatchAside>,
}
impl Unfinished {
    /// Sets the records of the batch aside where the output does that, and it may help. What it failed with otherwise.
    fn set_aside(&self, error: Error, is_refused: bool) -> Result<()> {
        let helps = is_worth_a_try(error.kind()) && !self.shared.is_cancelled();
        let Some(set_aside) = self.set_aside.as_ref().filter(|_| helps) else { return Err(error) };
        let (name, time) = (&self.name, self.set.time);
        if let Err(another) = caught(name, || set_aside(time, &error, is_refused)) {
            let what = format!("{name}: the records of batch {time} cannot be set aside");
            self.shared.env.console.warn(&another.within(what).to_string());
            return Err(error);
        }
        self.set.has_set_aside(self.sink);
        let shown = caught(name, || Ok(error.to_string())).unwrap_or_else(|panic| panic.to_string());
        self.shared.env.console.warn(&format!("{name}: the records of batch {time} are set aside: {shown}"));
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::TestEnv;
    use std::time::Duration;

    /// Notes how many batches were done when it was dropped.
    struct Noting(Arc<Status>, std::sync::mpsc::Sender<u64>);
    impl Drop for Noting {
        fn drop(&mut self) {
            self.1.send(self.0.progress().completed).unwrap();
        }
    }

    #[test]
    fn a_job_lets_go_of_what_it_works_on_before_its_batch_is_done() {
        let env = TestEnv::new().env();
        let status = Arc::new(Status::new(env.clock.clone(), |_| ()));
        let events = Arc::new(EventQueue::new(env.clone(), Duration::from_secs(1)));
        let listeners = Arc::new(ListenerBus::new(env.clone(), 1, status.clone(), Vec::new()));
        let start = JobScheduler::start((1, std::iter::empty()), &env, status.clone(), events, listeners, false);
        let (scheduler, (note, notes)) = (start.unwrap(), std::sync::mpsc::channel());
        for number in 0..2 {
            let noting = Noting(status.clone(), note.clone());
            let run = Box::new(move || {
                let _works_on = &noting;
                Ok(None)
            });
            let (policy, time) = (FailurePolicy::stop(), Time::from_millis(number));
            let job = BatchJob {
                output_op_id: 0,
                name: "a job".into(),
                operator: None,
                run,
                policy,
                set_aside: None,
                commits: false,
            };
            status.batch_submitted(time);
            scheduler.submit(time, vec![job], BTreeMap::new());
        }
        scheduler.close().into_iter().for_each(EndingThread::join);
        assert_eq!((notes.try_iter().collect::<Vec<_>>(), status.progress().completed), (vec![0, 1], 2));
    }
}
