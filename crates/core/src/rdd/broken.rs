//! The dataset of an operation that was called wrongly: the error reaches the user through the action, as every other
//! failure of a job does, and not by a panic in the middle of building it.

use super::{Node, Outcome, Shuffle, Sink, Task};
use crate::{Error, Record};
use std::sync::Arc;

pub(super) struct Broken {
    pub(super) error: String,
}
impl<T: Record> Node<T> for Broken {
    fn num_partitions(&self) -> usize {
        1
    }
    fn shuffles(&self, _found: &mut Vec<Arc<dyn Shuffle>>) {}
    fn compute(&self, _task: &Task<'_>, _sink: Sink<'_, T>) -> Outcome {
        Err(Error::program(self.error.clone()).into())
    }
}
