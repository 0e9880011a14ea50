//! [`Engine`]: what runs a job. A job's graph is cut at its shuffles into stages, and a stage into one task per
//! partition; this cutting belongs to the [`Job`], so that every engine runs the same stages.

use crate::item::batch_is_being_made;
use crate::origin::{OperatorId, batch_time};
use crate::rdd::{Outcome, RddContext, Shuffle, Stop, Task, Visits};
use crate::time::Time;
use crate::transport::Transport;
use crate::{Error, ErrorKind, Result};
use std::any::Any;
use std::sync::Arc;

/// Runs jobs: threads of this process, or a cluster.
pub trait Engine: Send + Sync {
    /// Runs the job to its end. A task that fails is tried again as often as the engine's limit says; then the job
    /// fails with the task's error. Several threads may run jobs at a time.
    fn run(&self, job: &Job) -> Result<()>;
    /// How many tasks run at a time.
    fn default_parallelism(&self) -> usize;
    /// Ends the running jobs soon, and every later one at once, with [`crate::ErrorKind::Cancelled`].
    fn cancel(&self);
    /// Ends the engine's threads, when no job runs any more; later jobs end as after [`Engine::cancel`].
    fn stop(&self);
    /// Whether the calling thread runs a task of any engine.
    fn runs_this_thread(&self) -> bool;
    /// The program is fixed, with these operators: the first batch comes one batch interval after `zero`. An engine with
    /// workers has them build the same program.
    fn program_started(&self, _zero: Time, _operators: &[OperatorId]) -> Result<()> {
        Ok(())
    }
    /// How this process reaches the others; none where the engine is this process alone.
    fn transport(&self) -> Option<Arc<dyn Transport>> {
        None
    }
}

/// The last stage of a job, whose tasks leave their results with the action that asked.
pub trait ResultStage: Send + Sync {
    /// The partitions to compute, one task each.
    fn partitions(&self) -> Vec<usize>;
    /// The shuffles that the stage reads.
    fn shuffles(&self) -> Vec<Arc<dyn Shuffle>>;
    /// Computes a partition and keeps its result; a later attempt replaces it.
    fn run(&self, task: &Task<'_>) -> Outcome;
    /// How another process computes a partition; none where only this one can.
    fn remote(&self) -> Option<RemoteStage> {
        None
    }
    /// Takes the result of a partition that another process computed.
    fn accept(&self, partition: usize, _result: &[u8]) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, format!("nobody asked for a result of partition {partition}")))
    }
}

/// Stages that may wait for each other: one that reads a shuffle or checkpoint comes behind it. A thread of 2 MiB has
/// room for 1,800 in an unoptimised program.
const STAGES_MAX: usize = 500;
/// The address of a result stage: an operator's RDD of a batch, and what to do with its partitions.
#[derive(Clone, Copy)]
pub struct RemoteStage {
    /// The operator.
    pub operator: OperatorId,
    /// The batch.
    pub time: Time,
    /// The action: a function of the program, and so at hand in every process that runs it. It is given the process's
    /// own `Rdd` of that operator and batch, and returns the partition's result as bytes.
    pub action: RemoteAction,
    /// The action's own.
    pub parameter: usize,
    /// How many partitions the RDD has: equal in all processes.
    pub partitions: usize,
}

/// See [`RemoteStage::action`]; `partitions` is [`RemoteStage::partitions`].
pub type RemoteAction =
    fn(rdd: &dyn Any, task: &Task<'_>, parameter: usize, partitions: usize) -> Result<Vec<u8>, Stop>;

/// What an action asks an engine to do.
pub struct Job {
    /// The stage that ends it; the others are found by [`ResultStage::shuffles`] and [`Shuffle::parents`].
    pub stage: Arc<dyn ResultStage>,
    /// The batch that it is for, if it is for one.
    pub batch_time: Option<Time>,
    /// What its datasets were made with.
    pub context: RddContext,
    too_long: bool,
}

impl Job {
    /// The job of `stage`. A shuffle that is read from more than one place of the job, or was read by a job before,
    /// keeps its buckets; so does one that is read inside `transform`, for what is made there reads it again.
    pub fn new(stage: Arc<dyn ResultStage>, context: &RddContext) -> Job {
        let mut readers = Visits::default();
        let too_long = !count_readers(stage.shuffles(), &mut readers, STAGES_MAX);
        Job { stage, batch_time: batch_time(), context: context.clone(), too_long }
    }
    /// Whether the engine can run it; it asks before it does.
    pub fn check(&self) -> Result<()> {
        match self.too_long {
            true => Err(Error::program(format!(
                "the lineage of the dataset has more than {STAGES_MAX} shuffles or checkpoints that were not computed, \
                 one behind the other; run an action on a checkpoint() every few times"
            ))),
            false => Ok(()),
        }
    }
}

/// Whether at most `levels` stages wait for each other.
fn count_readers(shuffles: Vec<Arc<dyn Shuffle>>, readers: &mut Visits, levels: usize) -> bool {
    shuffles.into_iter().all(|shuffle| match readers.count(&*shuffle) {
        1 => {
            shuffle.open();
            if batch_is_being_made() {
                shuffle.keep();
            }
            levels > 0 && count_readers(shuffle.parents(), readers, levels - 1)
        }
        _ => {
            shuffle.keep();
            true
        }
    })
}
