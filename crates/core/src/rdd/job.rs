//! How an action becomes a job: its last stage computes a result per partition and leaves it with the action.

use super::{FoundShuffles, Node, Outcome, Rdd, Shuffle, Stop, Task, TaskContext};
use crate::engine::{Job, RemoteStage, ResultStage};
use crate::item::privately;
use crate::transport::Role;
use crate::wire::{self, WireError};
use crate::{Closure, Data, Error, ErrorKind, Record, Result};
use std::any::Any;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A task's part of an action's result.
pub(super) type Partial<R> = Result<R, Stop>;

/// An action without a closure of the user's: another process that runs the same program has it too, and so can compute
/// its partitions.
pub(super) trait KnownAction<T>: 'static {
    /// The result of a partition.
    type Output: Data;
    /// Computes it; `parameter` is the action's own.
    fn run(node: &dyn Node<T>, task: &Task<'_>, parameter: usize) -> Partial<Self::Output>;
}

impl<T: Record> Rdd<T> {
    /// Runs `body` once for each of `partitions`; the results in their order. `body` runs in this process, on every
    /// engine.
    pub(super) fn run_job<R: Data>(
        &self,
        partitions: Range<usize>,
        body: impl Fn(&dyn Node<T>, &Task<'_>) -> Partial<R> + Closure,
    ) -> Result<Vec<R>> {
        self.agreed(|| self.submit(partitions, body, None))
    }

    /// Runs the action `A` on `partitions`, in other processes if the engine has any.
    pub(super) fn run_action<A: KnownAction<T>>(
        &self,
        partitions: Range<usize>,
        parameter: usize,
    ) -> Result<Vec<A::Output>> {
        let action = remote::<T, A>;
        let all = self.num_partitions();
        let remote =
            self.made_by.map(|(operator, time)| RemoteStage { operator, time, action, parameter, partitions: all });
        self.agreed(|| self.submit(partitions, move |node, task| A::run(node, task, parameter), remote))
    }

    /// The driver's result of an action, in every process. An action inside `transform` steers the program, so a worker
    /// that makes the batch's datasets again must get the same answer; it does not run the action a second time. What the
    /// action makes on its way is its own: one that runs several jobs is agreed on as a whole.
    pub(super) fn agreed<R: Data>(&self, run: impl FnOnce() -> Result<R>) -> Result<R> {
        if TaskContext::get().is_some() {
            return Err(Error::program(
                "an action (collect, count, ...) was called inside the closure of an operator: an RDD belongs to the \
                 driver; join the datasets, or collect one before and move its records into the closure",
            ));
        }
        let Some(transport) = self.context.transport() else { return run() };
        let item = self.context.next_item();
        match transport.role() {
            Role::Driver if item.is_shared() => {
                let result = privately(run);
                transport.put_value(item, wire::encode(&result.as_ref().map_err(WireError::from))?);
                result
            }
            Role::Driver => run(),
            Role::Worker => wire::decode::<Result<R, WireError>>(&transport.value(item)?)?.map_err(Error::from),
        }
    }

    fn submit<R: Data>(
        &self,
        partitions: Range<usize>,
        body: impl Fn(&dyn Node<T>, &Task<'_>) -> Partial<R> + Closure,
        remote: Option<RemoteStage>,
    ) -> Result<Vec<R>> {
        let results = partitions.clone().map(|_| Mutex::new(None)).collect();
        let stage = Arc::new(Results { node: self.node.clone(), body, partitions, remote, results });
        self.context.engine().run(&Job::new(stage.clone(), &self.context))?;
        let taken = |slot: &Mutex<Option<R>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let results: Option<Vec<R>> = stage.results.iter().map(taken).collect();
        results.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine ended a job without a result of each task"))
    }
}

/// Runs the action on a worker: `rdd` is the same dataset, made by the worker's own program.
fn remote<T: Record, A: KnownAction<T>>(
    rdd: &dyn Any,
    task: &Task<'_>,
    parameter: usize,
    partitions: usize,
) -> Partial<Vec<u8>> {
    let Some(rdd) = rdd.downcast_ref::<Rdd<T>>() else {
        return Err(Error::program("a worker's program made records of another type than the driver's").into());
    };
    if rdd.num_partitions() != partitions {
        let own = rdd.num_partitions();
        return Err(Error::program(format!(
            "a worker's program makes {own} partitions where the driver's makes {partitions}: both must do the same"
        ))
        .into());
    }
    Ok(wire::encode(&A::run(&*rdd.node, task, parameter)?)?)
}

/// The last stage of an action's job.
struct Results<T, F, R> {
    node: Arc<dyn Node<T>>,
    body: F,
    partitions: Range<usize>,
    remote: Option<RemoteStage>,
    /// In the order of the partitions.
    results: Vec<Mutex<Option<R>>>,
}
impl<T: Record, R: Data, F> Results<T, F, R> {
    fn leave(&self, partition: usize, result: R) {
        let slot = &self.results[partition - self.partitions.start];
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }
}
impl<T: Record, R: Data, F> ResultStage for Results<T, F, R>
where
    F: Fn(&dyn Node<T>, &Task<'_>) -> Partial<R> + Closure,
{
    fn partitions(&self) -> Vec<usize> {
        self.partitions.clone().collect()
    }
    fn shuffles(&self) -> Vec<Arc<dyn Shuffle>> {
        FoundShuffles::by(|found| self.node.shuffles(found))
    }
    fn run(&self, task: &Task<'_>) -> Outcome {
        self.leave(task.partition(), (self.body)(&*self.node, task)?);
        Ok(())
    }
    fn remote(&self) -> Option<RemoteStage> {
        self.remote
    }
    fn accept(&self, partition: usize, result: &[u8]) -> Result<()> {
        self.leave(partition, wire::decode(result)?);
        Ok(())
    }
}
