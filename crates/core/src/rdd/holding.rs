//! [`Holding`]: a dataset that keeps something alive as long as it, or what is derived from it, lives.

use super::map_partitions::whole;
use super::{FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::{Data, Error, ErrorKind, Record, Result};
use std::sync::{Arc, Weak};

/// It shows neither partitioner nor storage: a worker has the input's records without them, and all processes must make
/// the same of them.
struct Holding<T, H> {
    parent: Arc<dyn Node<T>>,
    _held: H,
}
impl<T: Record, H: Send + Sync> Node<T> for Holding<T, H> {
    fn num_partitions(&self) -> usize {
        self.parent.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found)
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        self.parent.compute(task, sink)
    }
}

/// A dataset that is not kept alive by this.
pub(crate) struct WeakRdd<T> {
    node: Weak<dyn Node<T>>,
    context: RddContext,
}
impl<T: Record> WeakRdd<T> {
    pub(crate) fn upgrade(&self) -> Option<Rdd<T>> {
        Some(Rdd::of_node(&self.context, self.node.upgrade()?))
    }
}

impl<T: Record> Rdd<T> {
    /// The same dataset, which keeps `held` alive.
    pub(crate) fn holding(&self, held: impl Send + Sync + 'static) -> Rdd<T> {
        Rdd::from_node(&self.context, Holding { parent: self.node.clone(), _held: held })
    }
    pub(crate) fn downgrade(&self) -> WeakRdd<T> {
        WeakRdd { node: Arc::downgrade(&self.node), context: self.context.clone() }
    }
    /// The records of one partition.
    pub(crate) fn collect_partition(&self, partition: usize) -> Result<Vec<T>>
    where
        T: Data,
    {
        let collected = self.run_job(partition..partition + 1, whole)?;
        let missing = || Error::new(ErrorKind::Internal, "a job ended without its partition");
        collected.into_iter().next().ok_or_else(missing)
    }
}
