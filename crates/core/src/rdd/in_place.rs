//! [`InPlace`]: combining by key without a shuffle, where all records of a key are in one partition already.

use super::aggregator::Aggregator;
use super::combine_table::CombineTable;
use super::node::push_all;
use super::{CHUNK, FoundShuffles, Node, Outcome, RddContext, Sink, Task, exchange};
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, PartitionChoice, Partitioning};
use crate::{Data, Key};
use std::sync::Arc;

/// The node of an operation by key whose parent is spread by the wanted partitioner.
pub(super) struct InPlace<K, V, A> {
    pub(super) context: RddContext,
    pub(super) parent: Arc<dyn Node<(K, V)>>,
    pub(super) aggregator: Arc<A>,
    pub(super) partitioner: KeyPartitioner<K>,
    pub(super) origin: Origin,
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Node<(K, A::Total)> for InPlace<K, V, A> {
    fn num_partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found)
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.partitioner.erased().clone())
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<(K, A::Total)>>> {
        let partitioner = choice.typed(self.partitioner.seed())?;
        Some(exchange::combined(&self.context, self.parent.clone(), self.aggregator.clone(), partitioner, self.origin))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, A::Total)>) -> Outcome {
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), CHUNK);
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            table.merge_chunk(chunk, &*self.aggregator);
            Ok(())
        })?;
        push_all(task, table.into_entries().map(|entry| (entry.key, entry.value)), sink)
    }
}
