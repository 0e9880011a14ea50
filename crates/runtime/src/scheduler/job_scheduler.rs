//! [`JobScheduler`]: runs the jobs of batches in the order in which they come, on its own threads. A failed output
//! does not hold up the others of its batch, nor later batches.

use super::batch_report::BatchReport;
use super::job_generator::{BatchOutcome, Event, EventQueue, caught};
use super::{ListenerBus, Status};
use headwater_core::dstream::BatchJob;
use headwater_core::env::{Spawner, Thread};
use headwater_core::listener::{StreamId, StreamInputInfo};
use headwater_core::time::Time;
use headwater_core::{ErrorKind, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

pub(crate) struct JobScheduler {
    queue: Arc<JobQueue>,
    threads: Mutex<Vec<Box<dyn Thread>>>,
    shared: Arc<Shared>,
}
struct Shared {
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
    /// `None` behind the last job there will be.
    jobs: Mutex<VecDeque<Option<(Arc<JobSet>, BatchJob)>>>,
    added: Condvar,
}

impl JobQueue {
    fn add(&self, job: Option<(Arc<JobSet>, BatchJob)>) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
        self.added.notify_one();
    }
    /// Waits for the next job. (A channel would spin before it sleeps, which a batch every millisecond pays for.)
    fn next(&self) -> Option<(Arc<JobSet>, BatchJob)> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(job) = jobs.pop_front() {
                return job;
            }
            jobs = self.added.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
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
    /// Starts `concurrent_jobs` threads, which [`JobScheduler::shut_down`] joins.
    pub(crate) fn start(
        concurrent_jobs: usize,
        spawner: &dyn Spawner,
        status: Arc<Status>,
        events: Arc<EventQueue>,
        listeners: Arc<ListenerBus>,
        durable: bool,
    ) -> Result<JobScheduler> {
        let queue = Arc::new(JobQueue { jobs: Mutex::default(), added: Condvar::new() });
        let shared = Arc::new(Shared {
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
            let body = move || {
                shared.status.claim_thread();
                while let Some((set, job)) = queue.next() {
                    shared.run(&set, job);
                }
            };
            let thread = spawner.spawn(&format!("streaming-job-executor-{number}"), Box::new(body))?;
            scheduler.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(scheduler)
    }

    /// Queues the jobs of batch `time`. A batch without jobs is done at once, and listeners do not hear of it.
    pub(crate) fn submit(&self, time: Time, jobs: Vec<BatchJob>, inputs: BTreeMap<StreamId, StreamInputInfo>) {
        let (left, failed, dropped) = (AtomicUsize::new(jobs.len()), AtomicBool::new(false), AtomicBool::new(false));
        if jobs.is_empty() {
            return self.shared.completed(&JobSet { time, left, failed, dropped, report: None });
        }
        let report = BatchReport::submitted(&self.shared.listeners, time, &jobs, inputs).map(Box::new);
        let set = Arc::new(JobSet { time, left, failed, dropped, report });
        jobs.into_iter().for_each(|job| self.queue.add(Some((set.clone(), job))));
    }

    /// Drops the jobs that have not begun.
    pub(crate) fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::Release);
    }
    /// Ends the threads without waiting for them.
    pub(crate) fn close(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.iter().for_each(|_| self.queue.add(None));
    }
    /// Waits for the job that runs and, unless cancelled, for those that wait; then ends the threads.
    pub(crate) fn shut_down(&self) {
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.iter().for_each(|_| self.queue.add(None));
        threads.into_iter().for_each(Thread::join);
    }
}
impl Drop for JobScheduler {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Shared {
    /// Whatever the user's code does, the job is counted.
    fn run(&self, set: &JobSet, job: BatchJob) {
        let _counted = Counted { shared: self, set };
        let BatchJob { output_op_id, name, run, .. } = job;
        if self.is_cancelled() || set.time.milliseconds() > self.failed.load(Ordering::Acquire) {
            set.dropped.store(true, Ordering::Relaxed);
            set.report.iter().for_each(|report| report.job_dropped());
            // Dropping the closure is the user's code too.
            let _dropped = caught(&name, || {
                drop(run);
                Ok(())
            });
            return;
        }
        set.report.iter().for_each(|report| report.job_started(output_op_id));
        let result = caught(&name, run);
        if let Some(report) = &set.report {
            report.job_completed(output_op_id, failure_reason(&result));
        }
        let Err(error) = result else { return };
        // What fails while the stop cuts it off, by whatever name, is no failure of the program's.
        let cut_off = error.kind() == ErrorKind::Cancelled || self.is_cancelled();
        (if cut_off { &set.dropped } else { &set.failed }).store(true, Ordering::Relaxed);
        if !cut_off {
            if self.durable {
                self.failed.fetch_min(set.time.milliseconds(), Ordering::AcqRel);
            }
            let job = format!("batch {}, output operation {output_op_id} ({name})", set.time);
            // A warning shows the user's error, and goes where the user has it go.
            let _reported = caught("reporting", || {
                self.status.report_error(error.within(job));
                Ok(())
            });
        }
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

/// Counts a job of its batch as ended when it is dropped.
struct Counted<'a> {
    shared: &'a Shared,
    set: &'a JobSet,
}
impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.set.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.completed(self.set);
        }
    }
}
