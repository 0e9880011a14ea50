//! [`JobQueue`]: the jobs that wait for an executor, in order, and what each executor has in hand.

use super::batch_report::BatchReport;
use crate::remaining::RunningOutput;
use headwater_core::OperatorId;
use headwater_core::dstream::BatchJob;
use headwater_core::env::Clock;
use headwater_core::time::Time;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs that wait for an executor. Bounded by the generator's limit of pending batches.
pub(super) struct JobQueue {
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
    pub(super) fn new(executors: usize, clock: Arc<dyn Clock>) -> JobQueue {
        let running = std::iter::repeat_with(|| None).take(executors).collect();
        JobQueue { jobs: Mutex::new(Jobs { waiting: VecDeque::new(), running }), added: Condvar::new(), clock }
    }
    pub(super) fn add(&self, job: Option<(Arc<JobSet>, BatchJob)>) {
        self.lock().waiting.push_back(job);
        self.added.notify_one();
    }
    /// Waits for the next job of `executor`. (A channel would spin before it sleeps, which a batch every millisecond pays
    /// for.)
    pub(super) fn next(&self, executor: usize) -> Option<(Arc<JobSet>, BatchJob)> {
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
    /// The batches of which a job waits or runs, and the jobs that run.
    pub(super) fn remaining(&self) -> (BTreeSet<Time>, Vec<RunningOutput>) {
        let jobs = self.lock();
        // A job that has ended stays in hand for a moment; so does not its batch, when it was the last one of it.
        let running = || jobs.running.iter().flatten().filter(|running| running.set.left.load(Ordering::Acquire) > 0);
        let waiting = jobs.waiting.iter().flatten().map(|(set, _)| set.time);
        let batches = waiting.chain(running().map(|running| running.set.time)).collect();
        let now = self.clock.now();
        let output = |running: &Running| RunningOutput {
            batch_time: running.set.time,
            id: running.output_op_id,
            name: running.name.to_string(),
            duration: now - running.since,
        };
        (batches, running().map(output).collect())
    }
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs of one batch.
pub(super) struct JobSet {
    pub(super) time: Time,
    pub(super) left: AtomicUsize,
    pub(super) failed: AtomicBool,
    /// Whether a stop has cut it off.
    pub(super) dropped: AtomicBool,
    /// The outputs with sinks that have set its records aside.
    set_aside: Mutex<Vec<OperatorId>>,
    /// For listeners, if there were any when it was submitted.
    pub(super) report: Option<Box<BatchReport>>,
}

impl JobSet {
    pub(super) fn new(time: Time, jobs: usize, report: Option<Box<BatchReport>>) -> JobSet {
        let (left, failed, dropped) = (AtomicUsize::new(jobs), AtomicBool::new(false), AtomicBool::new(false));
        JobSet { time, left, failed, dropped, set_aside: Mutex::default(), report }
    }
    pub(super) fn has_set_aside(&self, sink: Option<OperatorId>) {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner).extend(sink);
    }
    pub(super) fn set_aside(&self) -> Vec<OperatorId> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
