//! `checkpoint`: the partitions are computed once and kept, and what they were computed from is forgotten.

use super::link::linked;
use super::persist::push_segments;
use super::retain::truncate;
use super::shuffle::ShuffleId;
use super::{Node, Outcome, Rdd, Shuffle, Sink, Stop, Storage, Task};
use crate::block_store::Claims;
use crate::frames::{Segment, SegmentWriter};
use crate::origin::Origin;
use crate::partitioner::HashPartitioner;
use crate::{Data, Record, StorageLevel};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
        let node = Checkpointed::new(self.node.clone(), Origin::here("checkpoint"));
        Rdd { node, context: self.context.clone() }
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
    id: ShuffleId,
    origin: Origin,
    partitioner: Option<HashPartitioner>,
    partitions: Vec<OnceLock<Vec<Segment>>>,
    /// Partitions that are not there yet.
    left: AtomicUsize,
    /// Gone once all partitions are there.
    parent: Mutex<Option<Arc<dyn Node<T>>>>,
    /// Jobs that run at the same time compute a partition once.
    claims: Claims<usize>,
}

impl<T: Data> Checkpoint<T> {
    fn is_complete(&self) -> bool {
        self.left.load(Ordering::Acquire) == 0
    }
    fn parent(&self) -> Option<Arc<dyn Node<T>>> {
        self.lock().clone()
    }
    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn Node<T>>>> {
        self.parent.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn put(&self, partition: usize, segments: Vec<Segment>) {
        let fresh = self.partitions[partition].set(segments);
        assert!(fresh.is_ok(), "who computes a partition has its claim");
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // The ancestors' records are dropped when the lock is free.
            let _parent = self.lock().take();
        }
    }
}

impl<T: Data> Shuffle for Checkpoint<T> {
    fn id(&self) -> ShuffleId {
        self.id
    }
    fn parents(&self) -> Vec<Arc<dyn Shuffle>> {
        let mut found = Vec::new();
        if let Some(parent) = self.parent() {
            parent.shuffles(&mut found);
        }
        found
    }
    fn missing(&self) -> Vec<usize> {
        (0..self.partitions.len()).filter(|partition| self.partitions[*partition].get().is_none()).collect()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        let partition = task.partition();
        let _claim = self.claims.claim(partition);
        if self.partitions[partition].get().is_some() {
            return Ok(());
        }
        let parent = self.parent().expect("it stays until every partition is there");
        let mut writer = SegmentWriter::new();
        parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            writer.push(chunk)?;
            truncate(chunk, 0);
            Ok(())
        })?;
        self.put(partition, writer.finish());
        Ok(())
    }
    /// What is here is here for every reader.
    fn open(&self) {}
    fn keep(&self) {}
}

struct Checkpointed<T>(Arc<Checkpoint<T>>);

impl<T: Data> Checkpointed<T> {
    #[allow(clippy::new_ret_no_self, reason = "a node is of no use but linked")]
    fn new(parent: Arc<dyn Node<T>>, origin: Origin) -> Arc<dyn Node<T>> {
        let (partitions, partitioner) = (parent.num_partitions(), parent.partitioner());
        linked(Checkpointed(Arc::new(Checkpoint {
            id: ShuffleId::next(),
            origin,
            partitioner,
            partitions: (0..partitions).map(|_| OnceLock::new()).collect(),
            left: AtomicUsize::new(partitions),
            parent: Mutex::new(Some(parent).filter(|_| partitions > 0)),
            claims: Claims::default(),
        })))
    }
}

impl<T: Data> Node<T> for Checkpointed<T> {
    fn num_partitions(&self) -> usize {
        self.0.partitions.len()
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        if !self.0.is_complete() {
            found.push(self.0.clone());
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let segments = self.0.partitions[task.partition()].get().ok_or(Stop::Lost)?;
        task.enter(self.0.origin);
        push_segments(segments, task, sink)
    }
    fn partitioner(&self) -> Option<HashPartitioner> {
        self.0.partitioner
    }
    fn storage(&self) -> Option<&dyn Storage> {
        Some(self)
    }
    fn with_num_partitions(&self, partitions: usize) -> Option<Arc<dyn Node<T>>> {
        let parent = self.0.parent()?.with_num_partitions(partitions)?;
        Some(Checkpointed::new(parent, self.0.origin))
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
