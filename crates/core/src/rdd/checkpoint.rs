//! `checkpoint`: the partitions are computed once and kept, and what they were computed from is forgotten.

mod kept;

use super::link::linked;
use super::retain::truncate;
use super::{FoundShuffles, Node, Outcome, Rdd, RddContext, Shuffle, Sink, Storage, Task};
use crate::block_store::Claims;
use crate::frames::SegmentWriter;
use crate::item::ItemId;
use crate::origin::Origin;
use crate::partitioner::Partitioning;
use crate::{Data, Error, ErrorKind, Record, StorageLevel};
use kept::Kept;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

impl<T: Record> Rdd<T> {
    /// The same records, cut off from their lineage: the first job that reads any of the returned dataset computes all
    /// of its partitions, in a stage of its own, and from then on it holds their records and nothing of what it was
    /// made from. For a dataset that is made from its predecessor again and again: without a checkpoint every few
    /// times its lineage grows until it cannot be computed (the limit is 1,000 operations).
    ///
    /// The records are kept in memory as bytes until the dataset and all that were made from it are dropped, outside of
    /// the limits of persisted datasets: they cannot be computed again. This dataset itself stays as it is: go on with
    /// the returned one. Source: Spark's `checkpoint`, which writes to a reliable file system and computes the dataset
    /// a second time for it.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let mut numbers = context.parallelize(vec![0, 10], 2);
    /// for generation in 1..=5000 {
    ///     numbers = numbers.map(|n| n + 1);
    ///     if generation % 100 == 0 {
    ///         numbers = numbers.checkpoint();
    ///         numbers.count()?;
    ///     }
    /// }
    /// assert_eq!(numbers.collect()?, [5000, 5010]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    #[must_use = "the dataset itself stays as it is; the returned one has no lineage"]
    pub fn checkpoint(&self) -> Rdd<T>
    where
        T: Data,
    {
        if self.node.storage().is_some_and(Storage::cuts_lineage) {
            return self.clone();
        }
        let node = Checkpointed::new(&self.context, self.node.clone(), Origin::here("checkpoint"));
        Rdd::of_node(&self.context, node)
    }

    /// Whether this is a checkpointed dataset that was computed, so that its lineage is cut.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2], 2).checkpoint();
    /// assert!(!numbers.is_checkpointed());
    /// assert_eq!(numbers.take(1)?, [1]);
    /// assert!(numbers.is_checkpointed());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn is_checkpointed(&self) -> bool {
        self.node.storage().is_some_and(Storage::is_checkpointed)
    }
}

/// A stage of its own, whose tasks leave their partitions here for good.
struct Checkpoint<T> {
    context: RddContext,
    origin: Origin,
    partitioner: Option<Partitioning>,
    kept: Kept,
    /// Gone once all partitions are kept.
    parent: Mutex<Option<Arc<dyn Node<T>>>>,
    /// Jobs that run at the same time compute a partition once.
    claims: Claims<usize>,
    turn: Mutex<()>,
}

impl<T: Data> Checkpoint<T> {
    /// Whether all partitions are kept. Then there is no parent any more.
    fn is_complete(&self) -> bool {
        let complete = self.kept.is_complete();
        if complete {
            // The ancestors' records are dropped when the lock is free.
            let _parent = self.lock().take();
        }
        complete
    }
    fn parent(&self) -> Option<Arc<dyn Node<T>>> {
        self.lock().clone()
    }
    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn Node<T>>>> {
        self.parent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Data> Shuffle for Checkpoint<T> {
    fn id(&self) -> ItemId {
        self.kept.id
    }
    fn parents(&self) -> Vec<Arc<dyn Shuffle>> {
        FoundShuffles::by(|found| {
            if let Some(parent) = self.parent() {
                parent.shuffles(found);
            }
        })
    }
    fn shape(&self) -> (usize, usize) {
        (self.kept.partitions(), self.kept.partitions())
    }
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn missing(&self) -> Vec<usize> {
        self.kept.missing()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        let _claim = self.claims.claim(task.partition());
        if self.kept.has_here(task.partition()) {
            return Ok(());
        }
        let lost = || Error::new(ErrorKind::Outside, "a checkpointed partition was lost with the process that kept it");
        let parent = self.parent().ok_or_else(lost)?;
        let mut writer = SegmentWriter::new();
        parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            writer.push(chunk)?;
            truncate(chunk, 0);
            Ok(())
        })?;
        self.kept.put::<T>(task.partition(), writer.finish())?;
        self.is_complete();
        Ok(())
    }
    /// What is kept is there for every reader.
    fn open(&self) {}
    fn keep(&self) {}
}

struct Checkpointed<T>(Arc<Checkpoint<T>>);

impl<T: Data> Checkpointed<T> {
    #[allow(clippy::new_ret_no_self, reason = "a node is of no use but linked")]
    fn new(context: &RddContext, parent: Arc<dyn Node<T>>, origin: Origin) -> Arc<dyn Node<T>> {
        let (kept, partitioner) = (Kept::new(context, parent.num_partitions()), parent.partitioner());
        let (context, parent, claims) = (context.clone(), Mutex::new(Some(parent)), Claims::default());
        let checkpoint =
            Arc::new(Checkpoint { context, origin, partitioner, kept, parent, claims, turn: Mutex::default() });
        checkpoint.context.register_shuffle(&checkpoint);
        linked(Checkpointed(checkpoint))
    }
}

impl<T: Data> Node<T> for Checkpointed<T> {
    fn num_partitions(&self) -> usize {
        self.0.kept.partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        if !self.0.is_complete() {
            found.push(self.0.clone());
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        task.enter(self.0.origin);
        self.0.kept.push(task, sink)?;
        // A process that only reads it forgets the parent, too.
        self.0.is_complete();
        Ok(())
    }
    fn partitioner(&self) -> Option<Partitioning> {
        self.0.partitioner.clone()
    }
    fn storage(&self) -> Option<&dyn Storage> {
        Some(self)
    }
}
impl<T: Data> Storage for Checkpointed<T> {
    fn level(&self) -> StorageLevel {
        StorageLevel::NONE
    }
    fn unpersist(&self) {}
    fn cuts_lineage(&self) -> bool {
        true
    }
    fn is_checkpointed(&self) -> bool {
        self.0.is_complete()
    }
}
