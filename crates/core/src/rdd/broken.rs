//! The dataset of an operation that was called wrongly, or whose first job failed: the error reaches the user through the action, as every other
//! failure of a job does, and not by a panic in the middle of building it.

use super::{FoundShuffles, Node, Outcome, Sink, Task};
use crate::partitioner::PartitionChoice;
use crate::{Error, ErrorKind, Record};
use std::sync::Arc;

#[derive(Clone)]
pub(super) struct Broken {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}
impl<T: Record> Node<T> for Broken {
    fn num_partitions(&self) -> usize {
        1
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, _task: &Task<'_>, _sink: Sink<'_, T>) -> Outcome {
        Err(Error::new(self.kind, self.message.clone()).into())
    }
    /// In whatever partitions: what went wrong first is what is said.
    fn with_partitions(&self, _choice: &PartitionChoice) -> Option<Arc<dyn Node<T>>> {
        Some(Arc::new(self.clone()))
    }
}
