//! [`LocalEngine`]: jobs on the threads of this process. Typed values move between threads; nothing is serialised.

use super::stages::{Attempt, RunsTasks, Stages};
use super::task_set::Pool;
use headwater_core::Result;
use headwater_core::engine::{Engine, Job};
use headwater_core::env::Spawner;
use headwater_core::rdd::{Outcome, Stop, TaskContext};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// `local[N]`: N task threads, of which the thread that runs a job is one.
pub struct LocalEngine {
    stages: Stages,
    threads: TaskThreads,
}

impl LocalEngine {
    /// `threads` is at least 1.
    pub fn new(threads: usize, spawner: &dyn Spawner) -> Result<LocalEngine> {
        Ok(LocalEngine { stages: Stages::default(), threads: TaskThreads::new(threads, spawner)? })
    }
    /// Tries a task `failures` times, at least once, before its job fails; without this 4 times. Source: Spark's
    /// `spark.task.maxFailures`.
    pub fn with_task_failures_max(self, failures: usize) -> LocalEngine {
        LocalEngine { stages: Stages::with_task_failures_max(failures), ..self }
    }
}

impl Engine for LocalEngine {
    fn run(&self, job: &Job) -> Result<()> {
        self.stages.run(job, &self.threads)
    }
    fn default_parallelism(&self) -> usize {
        self.threads.pool.threads()
    }
    fn cancel(&self) {
        self.threads.cancel();
    }
    fn stop(&self) {
        self.threads.stop();
    }
    fn runs_this_thread(&self) -> bool {
        TaskContext::get().is_some()
    }
}

/// Threads of this process that run tasks.
pub(super) struct TaskThreads {
    pool: Pool,
    cancelled: Arc<AtomicBool>,
}
impl TaskThreads {
    pub(super) fn new(threads: usize, spawner: &dyn Spawner) -> Result<TaskThreads> {
        Ok(TaskThreads { pool: Pool::new(threads, spawner)?, cancelled: Arc::default() })
    }
    /// Set once jobs are given up.
    pub(super) fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.cancelled
    }
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
    pub(super) fn stop(&self) {
        self.cancel();
        self.pool.shut_down();
    }
}

impl RunsTasks for TaskThreads {
    fn run_wave(&self, todo: &[usize], attempt: &Attempt) -> Vec<(usize, Stop)> {
        if self.pool.works_alone(todo.len()) {
            let failed = |&partition: &usize| Some((partition, run_task(partition, attempt, &self.cancelled).err()?));
            return todo.iter().filter_map(failed).collect();
        }
        let failed = Arc::new(Mutex::new(Vec::new()));
        let (tasks, failures) = (todo.to_vec(), failed.clone());
        let (attempt, cancelled) = (attempt.clone(), self.cancelled.clone());
        self.pool.run(todo.len(), move |at| {
            if let Err(stop) = run_task(tasks[at], &attempt, &cancelled) {
                failures.lock().unwrap_or_else(PoisonError::into_inner).push((tasks[at], stop));
            }
        });
        std::mem::take(&mut *failed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn run_task(partition: usize, attempt: &Attempt, cancelled: &AtomicBool) -> Outcome {
    let updates = attempt.task_context(partition).attempt(cancelled, |task| attempt.stage.run(task))?;
    if updates.is_empty() {
        return Ok(());
    }
    Ok(attempt.count(partition, || updates.commit())?)
}
