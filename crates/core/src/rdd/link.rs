//! [`linked`]: a node as the next one holds it. However long a lineage is, neither computing nor dropping it overflows
//! the stack of its thread: computing ends with an error that says what to do, dropping goes node by node.

use super::{FoundShuffles, Node, Outcome, Sink, Storage, Task};
use crate::partitioner::{PartitionChoice, Partitioning};
use crate::{Error, Record};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Operations between a partition and what it is read from (an input, a shuffle, a checkpoint, what a persisted
/// dataset keeps). A thread of 2 MiB, the usual size, has room for 1,600 to 2,600 of them in an unoptimised program,
/// and for 7,000 and more in an optimised one; with 8 MiB for four times as many.
const LINEAGE_MAX: usize = 1000;

pub(super) fn linked<T: Record, N: Node<T> + 'static>(node: N) -> Arc<dyn Node<T>> {
    Arc::new(Link { partitions: node.num_partitions(), node: Some(node) })
}

struct Link<N: 'static> {
    /// Fixed for the life of the node, and so asked for once.
    partitions: usize,
    /// Taken by the drop.
    node: Option<N>,
}

impl<N> Link<N> {
    fn node(&self) -> &N {
        self.node.as_ref().expect("only the drop takes it")
    }
}

impl<T: Record, N: Node<T> + 'static> Node<T> for Link<N> {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        // Beyond the limit it finds none: computing fails there before it asks for any.
        found.visit(self.node(), LINEAGE_MAX, |found| self.node().shuffles(found));
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        nested(|| self.node().compute(task, sink)).unwrap_or_else(|| {
            Err(Error::program(format!(
                "the lineage of the dataset is more than {LINEAGE_MAX} operations long; a dataset that is made from \
                 itself again and again needs a checkpoint() every few times"
            ))
            .into())
        })
    }
    fn partitioner(&self) -> Option<Partitioning> {
        nested(|| self.node().partitioner()).flatten()
    }
    fn storage(&self) -> Option<&dyn Storage> {
        self.node().storage()
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<T>>> {
        nested(|| self.node().with_partitions(choice)).flatten()
    }
}

thread_local! {
    /// How many nodes of a lineage call each other on this thread now.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Nodes that end on this thread, while one is being dropped.
    static ENDING: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
    static IS_DROPPING: Cell<bool> = const { Cell::new(false) };
}

/// Calls a node; `None` if too many have called each other.
fn nested<R>(call: impl FnOnce() -> R) -> Option<R> {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
    DEPTH.set(DEPTH.get() + 1);
    let _leave = Leave;
    (DEPTH.get() <= LINEAGE_MAX).then(call)
}

/// A node that ends while another does is its parent, or the parent's parent: it waits until the first has ended.
impl<N: 'static> Drop for Link<N> {
    fn drop(&mut self) {
        /// A record's drop may panic. The nodes that wait then end with the next one.
        struct Dropped;
        impl Drop for Dropped {
            fn drop(&mut self) {
                IS_DROPPING.set(false);
            }
        }
        let Some(node) = self.node.take() else { return };
        if IS_DROPPING.get() {
            // At the very end of a thread there is no such list, and the node ends here.
            let _waits = ENDING.try_with(|ending| ending.borrow_mut().push(Box::new(node)));
            return;
        }
        IS_DROPPING.set(true);
        let _dropped = Dropped;
        drop(node);
        while let Ok(Some(next)) = ENDING.try_with(|ending| ending.borrow_mut().pop()) {
            drop(next);
        }
    }
}
