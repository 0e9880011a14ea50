//! [`Node`]: one step of an RDD's recipe. Records are pushed through a narrow chain in chunks, one dynamic call per
//! chunk and operator, and no operator collects a partition unless its doc says so. Sources outside this crate
//! implement it; users never see it.

use super::FoundShuffles;
use super::Task;
use crate::partitioner::{PartitionChoice, Partitioning};
use crate::{Error, Record, StorageLevel};
use std::sync::Arc;

/// Records per chunk. 256 to 4,096 measure alike; 1,024 words are 16 KB, which stays in the first cache.
pub const CHUNK: usize = 1024;

/// Why a task ends before its input does.
#[derive(Debug)]
pub enum Stop {
    /// The sink has all it wants (`take`); not an error.
    Enough,
    /// The shuffle's buckets were handed out before, or a kept partition has left: what makes them must run again.
    Lost,
    /// The engine gives the job up.
    Cancelled,
    /// The task failed and may be tried again.
    Failed(Box<Error>),
}
impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(Box::new(error))
    }
}

/// How computing a partition ends.
pub type Outcome = std::result::Result<(), Stop>;

/// Where a chain pushes its chunks. It takes every record and leaves the chunk empty, its memory kept.
pub type Sink<'a, T> = &'a mut dyn FnMut(&mut Vec<T>) -> Outcome;

/// One step of the recipe that an RDD is.
pub trait Node<T>: Send + Sync {
    /// How many partitions there are.
    fn num_partitions(&self) -> usize;
    /// Adds the shuffles at the foot of this node's narrow chain: here a job is cut into stages. One that is read
    /// twice is added twice.
    fn shuffles(&self, found: &mut FoundShuffles);
    /// Pushes the partition's records into `sink`. Keeps no cursor: a retry calls it again and reads anew.
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome;
    /// By what the keys of the records are spread, if by anything.
    fn partitioner(&self) -> Option<Partitioning> {
        None
    }
    /// What this step keeps of its partitions, if it keeps them.
    fn storage(&self) -> Option<&dyn Storage> {
        None
    }
    /// The same step into other partitions, if this step chooses them.
    fn with_partitions(&self, _choice: &PartitionChoice) -> Option<Arc<dyn Node<T>>> {
        None
    }
}

/// A step that keeps its partitions: of a persisted or checkpointed dataset.
pub trait Storage {
    /// Where it keeps them until its dataset is dropped.
    fn level(&self) -> StorageLevel;
    /// Drops them, and keeps none any more.
    fn unpersist(&self);
    /// Whether it cuts the lineage once it is computed.
    fn cuts_lineage(&self) -> bool {
        false
    }
    /// Whether it has cut the lineage.
    fn is_checkpointed(&self) -> bool {
        false
    }
}

/// A node with one parent and the same partitions: its whole behaviour is how it pushes.
pub(super) struct Narrow<T, P> {
    pub(super) parent: Arc<dyn Node<T>>,
    pub(super) keeps_partitioner: bool,
    /// Whether it is the tail of one operation with its parent (a join is a cogroup and a flat map), so that
    /// `with_partitions` behind it means the parent.
    pub(super) tail: bool,
    pub(super) push: Arc<P>,
}
impl<T: Record, U: Record, P> Node<U> for Narrow<T, P>
where
    P: Fn(&dyn Node<T>, &Task<'_>, Sink<'_, U>) -> Outcome + Send + Sync + 'static,
{
    fn num_partitions(&self) -> usize {
        self.parent.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found)
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, U>) -> Outcome {
        (self.push)(&*self.parent, task, sink)
    }
    fn partitioner(&self) -> Option<Partitioning> {
        if self.keeps_partitioner { self.parent.partitioner() } else { None }
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<U>>> {
        let parent = if self.tail { self.parent.with_partitions(choice)? } else { return None };
        Some(Arc::new(Narrow { parent, push: self.push.clone(), ..*self }))
    }
}

/// Pushes what `records` yields, in chunks.
pub(crate) fn push_all<T>(task: &Task<'_>, mut records: impl Iterator<Item = T>, sink: Sink<'_, T>) -> Outcome {
    let mut chunk = Vec::with_capacity(records.size_hint().0.clamp(1, CHUNK));
    loop {
        task.check()?;
        chunk.extend(records.by_ref().take(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        sink(&mut chunk)?;
    }
}
