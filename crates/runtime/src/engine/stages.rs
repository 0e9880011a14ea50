//! [`Stages`]: a job's stages, parents first, and the retries of their tasks. Which threads or processes run the tasks is
//! the engine's matter.

use headwater_core::engine::{Job, ResultStage};
use headwater_core::rdd::{Outcome, Shuffle, Stop, Task, TaskContext};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, RddContext, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a task is tried before its job fails, unless told otherwise; the default of `Conf::task_failures_max`.
const TASK_FAILURES_MAX: usize = 4;

/// How often tasks of a stage may find that what they read has gone, which is no failure of theirs: buckets that a
/// failed attempt took, a kept partition that left.
const LOSSES_MAX: usize = 16;

/// What the tasks of a stage do.
#[derive(Clone)]
pub(super) enum Stage {
    /// Each computes one map partition of a shuffle.
    Map(Arc<dyn Shuffle>),
    /// Each computes a partition of the job's result.
    Result(Arc<dyn ResultStage>),
}
impl Stage {
    pub(super) fn run(&self, task: &Task<'_>) -> Outcome {
        match self {
            Stage::Map(shuffle) => shuffle.run_map(task),
            Stage::Result(stage) => stage.run(task),
        }
    }
    fn reads(&self) -> Vec<Arc<dyn Shuffle>> {
        match self {
            Stage::Map(shuffle) => shuffle.parents(),
            Stage::Result(stage) => stage.shuffles(),
        }
    }
}

/// One attempt at tasks of a stage.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) stage: Stage,
    pub(super) stage_id: u64,
    pub(super) number: usize,
    pub(super) batch_time: Option<Time>,
    pub(super) context: RddContext,
}
impl Attempt {
    /// What the task of `partition` knows of itself.
    pub(super) fn task_context(&self, partition: usize) -> TaskContext {
        TaskContext::new(partition, self.number, self.stage_id, self.batch_time)
    }
    /// Counts what the successful task of `partition` added to accumulators, unless it succeeded before.
    pub(super) fn count(&self, partition: usize, add: impl FnOnce() -> Result<()>) -> Result<()> {
        let counted = match &self.stage {
            Stage::Map(shuffle) => shuffle.counted(partition),
            Stage::Result(_) => None,
        };
        match counted {
            None => add(),
            Some(counted) if counted.load(Ordering::Relaxed) => Ok(()),
            Some(counted) => add().map(|()| counted.store(true, Ordering::Relaxed)),
        }
    }
}

/// Who runs tasks.
pub(super) trait RunsTasks {
    /// Runs the task of each partition in `todo`; those that did not end well, in any order.
    fn run_wave(&self, todo: &[usize], attempt: &Attempt) -> Vec<(usize, Stop)>;
}

/// What an engine needs to run jobs stage by stage.
pub(super) struct Stages {
    next_id: AtomicU64,
    task_failures_max: usize,
}
impl Default for Stages {
    fn default() -> Self {
        Stages::with_task_failures_max(TASK_FAILURES_MAX)
    }
}

impl Stages {
    pub(super) fn with_task_failures_max(task_failures_max: usize) -> Stages {
        Stages { next_id: AtomicU64::new(0), task_failures_max }
    }

    /// Runs the job to its end.
    pub(super) fn run(&self, job: &Job, tasks: &impl RunsTasks) -> Result<()> {
        job.check()?;
        self.run_stage(Stage::Result(job.stage.clone()), job.stage.partitions(), job, tasks)
    }

    /// Runs the tasks of `partitions`, after the map tasks whose buckets they need. Those that fail run again, and
    /// before them the map tasks whose buckets the failed attempt had taken.
    fn run_stage(&self, stage: Stage, partitions: Vec<usize>, job: &Job, tasks: &impl RunsTasks) -> Result<()> {
        let (mut todo, mut failures, mut losses) = (partitions, 0, 0);
        let stage_id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (batch_time, context) = (job.batch_time, job.context.clone());
        let mut attempt = Attempt { stage, stage_id, number: 0, batch_time, context };
        loop {
            // Asked for anew each time: a persisted dataset reads its shuffles only while it lacks a partition.
            for shuffle in attempt.stage.reads() {
                // Another job that needs them may be running them now.
                let _turn = shuffle.turn();
                let missing = shuffle.missing();
                if !missing.is_empty() {
                    self.run_stage(Stage::Map(shuffle.clone()), missing, job, tasks)?;
                }
            }
            let mut failed = tasks.run_wave(&todo, &attempt);
            failed.sort_by_key(|(partition, stop)| (order(stop), *partition));
            let Some((_, first)) = failed.first() else { return Ok(()) };
            attempt.number += 1;
            match first {
                Stop::Cancelled => return Err(Error::new(ErrorKind::Cancelled, "the context stops")),
                // The program is wrong: another try would say the same.
                Stop::Failed(error) if error.kind() == ErrorKind::Program => {
                    return Err(gave_up(failed, attempt.number));
                }
                Stop::Lost => {
                    losses += 1;
                    // Whoever else took the buckets shall not take them again: every reader gets a copy from here on.
                    attempt.stage.reads().iter().for_each(|shuffle| shuffle.keep());
                }
                _ => failures += 1,
            }
            if failures >= self.task_failures_max.max(1) || losses >= LOSSES_MAX {
                return Err(gave_up(failed, attempt.number));
            }
            todo = failed.into_iter().map(|(partition, _)| partition).collect();
        }
    }
}

/// Which of several ends of tasks decides what becomes of the stage.
fn order(stop: &Stop) -> usize {
    match stop {
        Stop::Cancelled => 0,
        Stop::Lost => 2,
        _ => 1,
    }
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
