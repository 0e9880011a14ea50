//! [`LocalEngine`]: jobs on the threads of this process. Typed values move between threads; nothing is serialised.

use super::task_set::Pool;
use headwater_core::engine::{Engine, Job};
use headwater_core::env::Spawner;
use headwater_core::rdd::{Outcome, Shuffle, Stop, Task, TaskState};
use headwater_core::{Error, ErrorKind, Result, panic_message};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a task is tried before its job fails; Spark's `spark.task.maxFailures`.
const ATTEMPTS_MAX: usize = 4;

/// `local[N]`: N task threads, of which the thread that runs a job is one.
pub struct LocalEngine {
    pool: Pool,
    cancelled: Arc<AtomicBool>,
}

thread_local! {
    /// Whether this thread runs a task: a job inside one would find its data only in this process.
    static IN_TASK: Cell<bool> = const { Cell::new(false) };
}

/// What the tasks of one stage do.
type RunTask = Arc<dyn Fn(&Task<'_>) -> Outcome + Send + Sync>;

/// The shuffles that a stage reads.
type Reads<'a> = &'a dyn Fn() -> Vec<Arc<dyn Shuffle>>;

impl LocalEngine {
    /// `threads` is at least 1.
    pub fn new(threads: usize, spawner: &dyn Spawner) -> Result<LocalEngine> {
        Ok(LocalEngine { pool: Pool::new(threads, spawner)?, cancelled: Arc::default() })
    }

    /// Runs the tasks at `partitions`, after the map tasks whose buckets they need. Those that fail run again, and
    /// before them the map tasks whose buckets the failed attempt had taken.
    fn run_stage(&self, partitions: Vec<usize>, reads: Reads<'_>, run: &RunTask) -> Result<()> {
        let mut todo = partitions;
        let mut attempt = 0;
        loop {
            // Asked for anew each time: a persisted dataset reads its shuffles only while it lacks a partition.
            for shuffle in reads() {
                self.run_map_stage(&shuffle)?;
            }
            let failed = self.run_wave(&todo, attempt, run);
            let Some((_, first)) = failed.first() else { return Ok(()) };
            attempt += 1;
            match first {
                Stop::Cancelled => return Err(Error::new(ErrorKind::Cancelled, "the context stops")),
                // The program is wrong: another try would say the same.
                Stop::Failed(error) if error.kind() == ErrorKind::Program => return Err(gave_up(failed, attempt)),
                _ if attempt < ATTEMPTS_MAX => {}
                _ => return Err(gave_up(failed, attempt)),
            }
            todo = failed.into_iter().map(|(partition, _)| partition).collect();
        }
    }

    fn run_map_stage(&self, shuffle: &Arc<dyn Shuffle>) -> Result<()> {
        let missing = shuffle.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let map = shuffle.clone();
        let run: RunTask = Arc::new(move |task| map.run_map(task));
        self.run_stage(missing, &|| shuffle.parents(), &run)
    }

    /// One attempt at each of `todo`; those that did not end well, in order.
    fn run_wave(&self, todo: &[usize], attempt: usize, run: &RunTask) -> Vec<(usize, Stop)> {
        let failed = Arc::new(Mutex::new(Vec::new()));
        let (tasks, failures) = (todo.to_vec(), failed.clone());
        let (run, cancelled) = (run.clone(), self.cancelled.clone());
        self.pool.run(todo.len(), move |at| {
            if let Err(stop) = run_task(tasks[at], attempt, &cancelled, &run) {
                failures.lock().unwrap_or_else(PoisonError::into_inner).push((tasks[at], stop));
            }
        });
        let mut failed = std::mem::take(&mut *failed.lock().unwrap_or_else(PoisonError::into_inner));
        failed.sort_by_key(|(partition, stop)| (!matches!(stop, Stop::Cancelled), *partition));
        failed
    }
}

fn run_task(partition: usize, attempt: usize, cancelled: &AtomicBool, run: &RunTask) -> Outcome {
    let state = TaskState::new(cancelled);
    let task = Task::new(partition, attempt, &state);
    task.check()?;
    IN_TASK.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&task)));
    IN_TASK.set(false);
    outcome.unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        let blamed = match state.operator() {
            Some(operator) => format!("{operator} panicked: {message}"),
            None => format!("the task panicked: {message}"),
        };
        Err(Error::new(ErrorKind::Data, blamed).into())
    })
}

/// The job's error: that of the first task which cannot be computed.
fn gave_up(failed: Vec<(usize, Stop)>, attempts: usize) -> Error {
    let (partition, stop) = failed.into_iter().next().expect("a stage gives up for a failed task");
    let what = format!("the task of partition {partition} failed {attempts} times, the last time");
    match stop {
        Stop::Failed(error) if error.kind() == ErrorKind::Program => *error,
        Stop::Failed(error) => error.within(what),
        stop => Error::new(ErrorKind::Internal, format!("{what} by {stop:?}")),
    }
}

impl Engine for LocalEngine {
    fn run(&self, job: &Job) -> Result<()> {
        if IN_TASK.get() {
            return Err(Error::program(
                "an action (collect, count, ...) was called inside the closure of an operator: an RDD belongs to the \
                 driver; join the datasets, or collect one before and move its records into the closure",
            ));
        }
        job.check()?;
        let stage = job.stage.clone();
        let run: RunTask = Arc::new(move |task| stage.run(task));
        self.run_stage(job.stage.partitions(), &|| job.stage.shuffles(), &run)
    }
    fn default_parallelism(&self) -> usize {
        self.pool.threads()
    }
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
    fn stop(&self) {
        self.cancel();
        self.pool.shut_down();
    }
    fn runs_this_thread(&self) -> bool {
        IN_TASK.get()
    }
}
