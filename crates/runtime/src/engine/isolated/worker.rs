//! A worker: a thread with a program of its own, which computes the tasks that the driver sends.

use super::message::{Message, Reply, StageAddress, TaskMessage};
use super::wire::{Connection, Wire};
use headwater_core::dstream::DStreamGraph;
use headwater_core::engine::{Engine, Job, RemoteAction};
use headwater_core::item::ItemScope;
use headwater_core::rdd::{Stop, Task, TaskContext};
use headwater_core::time::Time;
use headwater_core::transport::{Role, Transport};
use headwater_core::wire::decode;
use headwater_core::{Error, ErrorKind, OperatorId, Result, panic_message};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender};

/// Builds the program over a worker's engine, on the worker's thread: its graph, and what it holds besides.
pub(crate) type BuildWorker = Arc<dyn Fn(Arc<WorkerEngine>) -> Result<(Arc<DStreamGraph>, Box<dyn Any>)> + Send + Sync>;

/// A worker's program.
struct Built {
    graph: Arc<DStreamGraph>,
    operators: Vec<OperatorId>,
    /// Datasets that the program made and its closures do not hold.
    _program: Box<dyn Any>,
}

/// The engine of a worker's program: it runs no jobs, for the driver does.
pub(crate) struct WorkerEngine {
    connection: Arc<Connection>,
    default_parallelism: usize,
}
impl Engine for WorkerEngine {
    fn run(&self, _job: &Job) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "a worker's program runs no jobs of its own"))
    }
    fn default_parallelism(&self) -> usize {
        self.default_parallelism
    }
    fn cancel(&self) {}
    fn stop(&self) {}
    fn runs_this_thread(&self) -> bool {
        TaskContext::get().is_some()
    }
    fn transport(&self) -> Option<Arc<dyn Transport>> {
        Some(self.connection.clone())
    }
}

/// What a worker's thread begins with.
pub(super) struct Worker {
    pub(super) wire: Arc<Wire>,
    pub(super) default_parallelism: usize,
    pub(super) build: BuildWorker,
    pub(super) zero: Time,
    /// The driver's operators.
    pub(super) operators: Vec<OperatorId>,
    pub(super) messages: Receiver<Message>,
    /// The driver's word that all work is given up.
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Worker {
    /// Builds the program, says whether that went well, and works until the driver hangs up.
    pub(super) fn run(self, built: Sender<Result<Vec<OperatorId>>>) {
        let build = || self.build_program();
        let graph = catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|panic| {
            Err(Error::program(format!("building the program on a worker panicked: {}", panic_message(&*panic))))
        });
        let Built { graph, operators, _program } = match graph {
            Ok(built) => built,
            // Who is not there to hear it does not start the program.
            Err(error) => return drop(built.send(Err(error))),
        };
        drop(built.send(Ok(operators)));
        for message in &self.messages {
            match message {
                Message::Task { task, action, reply } => {
                    let run = || self.run_task(&graph, &task, action).unwrap_or_else(Reply::of_stop);
                    let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
                        let message = format!("writing a task's results panicked: {}", panic_message(&*panic));
                        Reply::of_stop(Error::new(ErrorKind::Data, message).into())
                    });
                    // A driver that has given the job up does not listen any more.
                    drop(reply.send(ended.encode()));
                }
                Message::ClearMetadata(time) => {
                    // Records are dropped here, which is the user's code; what panics there is gone all the same.
                    drop(catch_unwind(AssertUnwindSafe(|| graph.clear_metadata(time))));
                }
            }
        }
    }

    fn build_program(&self) -> Result<Built> {
        let connection = Arc::new(Connection { wire: self.wire.clone(), role: Role::Worker });
        let engine = WorkerEngine { connection, default_parallelism: self.default_parallelism };
        let (graph, _program) = (self.build)(Arc::new(engine))?;
        graph.start(self.zero, |_| {})?;
        let strange = graph.operators().into_iter().find(|(operator, _)| !self.operators.contains(operator));
        let operators = graph.operators().into_iter().map(|(operator, _)| operator).collect();
        match strange {
            None => Ok(Built { graph, operators, _program }),
            Some((operator, place)) => Err(Error::program(format!(
                "a worker built the operator {operator} ({place}), which the driver did not: a program must build the \
                 same operators in every process"
            ))),
        }
    }

    fn run_task(&self, graph: &DStreamGraph, task: &[u8], action: Option<RemoteAction>) -> Result<Reply, Stop> {
        let message: TaskMessage = decode(task)?;
        let mut result = Vec::new();
        let run = |task: &Task<'_>| {
            result = compute(graph, message.stage, action, task)?;
            Ok(())
        };
        let updates = message.context().attempt(&self.cancelled, run)?;
        Ok(Reply::Done { result, accumulators: updates.encode()? })
    }
}

/// Finds the stage in the worker's own program and runs the task.
fn compute(
    graph: &DStreamGraph,
    stage: StageAddress,
    action: Option<RemoteAction>,
    task: &Task<'_>,
) -> Result<Vec<u8>, Stop> {
    match (stage, action) {
        (StageAddress::Result { operator, time, parameter, partitions }, Some(action)) => {
            let rdd = TaskContext::outside_of_tasks(|| graph.any_rdd(operator, time))?;
            let rdd = rdd.ok_or_else(|| differs(format!("an RDD of {operator} for batch {time}")))?;
            action(&*rdd, task, parameter, partitions)
        }
        (StageAddress::Map { shuffle, shape }, _) => {
            if let ItemScope::Batch(operator, time) = shuffle.scope {
                TaskContext::outside_of_tasks(|| graph.any_rdd(operator, time))?;
            }
            let found = graph.context().shuffle(shuffle).ok_or_else(|| differs(format!("the shuffle {shuffle:?}")))?;
            if found.shape() != shape {
                let (maps, partitions) = found.shape();
                return Err(differs(format!(
                    "{} map tasks for {} partitions in the shuffle {shuffle:?} (it makes {maps} for {partitions})",
                    shape.0, shape.1
                ))
                .into());
            }
            found.run_map(task)?;
            Ok(Vec::new())
        }
        (StageAddress::Result { .. }, None) => Err(differs("an action".to_owned()).into()),
    }
}

fn differs(what: String) -> Error {
    Error::program(format!(
        "a worker's program does not make {what}, which the driver's made: what builds the program, and the closures of \
         transform, must do the same in every process"
    ))
}
