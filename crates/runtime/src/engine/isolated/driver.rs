//! The driver's side: sends each task that has an address to a worker, and runs the others itself.

use super::message::{Message, Reply, StageAddress, TaskMessage};
use super::wire::{Connection, Wire, worker_waits};
use super::worker::{BuildWorker, Worker};
use crate::engine::local::TaskThreads;
use crate::engine::stages::{Attempt, RunsTasks, Stage, Stages};
use headwater_core::engine::{Engine, Job, RemoteAction, RemoteStage};
use headwater_core::env::{Spawner, Thread};
use headwater_core::item::ItemScope;
use headwater_core::rdd::{Stop, TaskContext};
use headwater_core::time::Time;
use headwater_core::transport::{Role, Transport};
use headwater_core::{Error, ErrorKind, OperatorId, Result, wire};
use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Workers in threads of their own, each with its own program; see the module above. Their threads end when the engine
/// stops, or is dropped.
pub(crate) struct IsolatedEngine {
    workers: usize,
    build: BuildWorker,
    spawner: Arc<dyn Spawner>,
    stages: Stages,
    tasks: Tasks,
    threads: Mutex<Vec<Box<dyn Thread>>>,
}
struct Tasks {
    wire: Arc<Wire>,
    /// The operators that the workers have.
    known: OnceLock<HashSet<OperatorId>>,
    /// For tasks without an address.
    own: TaskThreads,
}

impl IsolatedEngine {
    /// An engine whose `workers`, at least one, come to life with the program; `build` builds it for each of them.
    pub(crate) fn new(workers: usize, spawner: Arc<dyn Spawner>, build: BuildWorker) -> Result<IsolatedEngine> {
        let tasks = Tasks { wire: Arc::default(), known: OnceLock::new(), own: TaskThreads::new(1, &*spawner)? };
        Ok(IsolatedEngine { workers, build, spawner, stages: Stages::default(), tasks, threads: Mutex::default() })
    }

    fn start_worker(&self, number: usize, zero: Time, operators: &[OperatorId]) -> Result<Starting> {
        let ((send, messages), (built, is_built)) = (channel(), channel());
        let worker = Worker {
            wire: self.tasks.wire.clone(),
            default_parallelism: self.workers,
            build: self.build.clone(),
            zero,
            operators: operators.to_vec(),
            messages,
            cancelled: self.tasks.own.cancelled().clone(),
        };
        let thread = self.spawner.spawn(&format!("worker-{number}"), Box::new(move || worker.run(built)))?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok((send, is_built))
    }
}
type Starting = (Sender<Message>, Receiver<Result<Vec<OperatorId>>>);

impl Engine for IsolatedEngine {
    fn run(&self, job: &Job) -> Result<()> {
        self.stages.run(job, &self.tasks)
    }
    fn default_parallelism(&self) -> usize {
        self.workers
    }
    fn cancel(&self) {
        self.tasks.own.cancel();
    }
    fn stop(&self) {
        self.tasks.own.stop();
        self.tasks.wire.hang_up();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.into_iter().for_each(Thread::join);
    }
    fn runs_this_thread(&self) -> bool {
        TaskContext::get().is_some()
    }
    fn program_started(&self, zero: Time, operators: &[OperatorId]) -> Result<()> {
        let workers = (0..self.workers).map(|number| self.start_worker(number, zero, operators));
        let mut senders = Vec::with_capacity(self.workers);
        for (sender, built) in workers.collect::<Result<Vec<_>>>()? {
            let ended = |error| Error::new(ErrorKind::Internal, "a worker ended at once").because(error);
            let operators = built.recv().map_err(ended)??;
            self.tasks.known.get_or_init(|| operators.into_iter().collect());
            senders.push(sender);
        }
        self.tasks.wire.set_workers(senders);
        Ok(())
    }
    fn transport(&self) -> Option<Arc<dyn Transport>> {
        Some(Arc::new(Connection { wire: self.tasks.wire.clone(), role: Role::Driver }))
    }
}
impl Drop for IsolatedEngine {
    fn drop(&mut self) {
        self.stop();
    }
}

impl RunsTasks for Tasks {
    fn run_wave(&self, todo: &[usize], attempt: &Attempt) -> Vec<(usize, Stop)> {
        let address = self.address_of(&attempt.stage).filter(|_| self.wire.num_workers() > 0 && !worker_waits());
        let Some((stage, action)) = address else { return self.own.run_wave(todo, attempt) };
        let sent: Vec<_> =
            todo.iter().map(|partition| (*partition, self.send(stage, action, *partition, attempt))).collect();
        let ended = sent.into_iter().map(|(partition, reply)| (partition, received(&reply, partition, attempt)));
        ended.filter_map(|(partition, ended)| Some((partition, ended.err()?))).collect()
    }
}

impl Tasks {
    /// By what a worker finds the stage, if it can.
    fn address_of(&self, stage: &Stage) -> Option<(StageAddress, Option<RemoteAction>)> {
        let known = |operator| self.known.get().is_some_and(|known| known.contains(&operator));
        match stage {
            Stage::Map(shuffle) => {
                let id = shuffle.id();
                let known = match id.scope {
                    ItemScope::Program => true,
                    ItemScope::Batch(operator, _) => known(operator) && !id.scope.is_being_made(),
                    ItemScope::Process => false,
                };
                known.then(|| (StageAddress::Map { shuffle: id, shape: shuffle.shape() }, None))
            }
            Stage::Result(stage) => stage.remote().filter(|remote| known(remote.operator)).map(|remote| {
                let RemoteStage { operator, time, action, parameter, partitions } = remote;
                (StageAddress::Result { operator, time, parameter, partitions }, Some(action))
            }),
        }
    }

    /// A partition goes to the same worker in every stage, and to the next one when it is tried again.
    fn send(
        &self,
        stage: StageAddress,
        action: Option<RemoteAction>,
        partition: usize,
        attempt: &Attempt,
    ) -> Receiver<Vec<u8>> {
        let (number, stage_id, batch_time) = (attempt.number, attempt.stage_id, attempt.batch_time);
        let message = TaskMessage { stage, partition, attempt: number, stage_id, batch_time };
        let task = wire::encode(&message).expect("numbers and names can be written");
        let (reply, replied) = channel();
        // A worker that is gone never replies, which the receiver notices.
        self.wire.send(partition + number, Message::Task { task, action, reply });
        replied
    }
}

/// Waits for the end of a task and takes its result.
fn received(reply: &Receiver<Vec<u8>>, partition: usize, attempt: &Attempt) -> Result<(), Stop> {
    let reply = reply.recv().map_err(|_| Error::new(ErrorKind::Outside, "the worker is gone"))?;
    match Reply::decode(&reply)? {
        Reply::Done { result, accumulators } => {
            if let Stage::Result(stage) = &attempt.stage {
                stage.accept(partition, &result)?;
            }
            let registry = attempt.context.accumulators();
            let add = || accumulators.iter().try_for_each(|(id, bytes)| registry.merge(*id, bytes));
            Ok(attempt.count(partition, add)?)
        }
        Reply::Lost => Err(Stop::Lost),
        Reply::Cancelled => Err(Stop::Cancelled),
        Reply::Failed(error) => Err(Error::from(error).into()),
    }
}
