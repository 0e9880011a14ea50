//! `persist`: partitions are computed once and kept in the block store; the next job, and the next operation that
//! reads them, find them there.

mod storing;

use super::link::linked;
use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, Sink, Stop, Storage, Task};
use crate::block_store::{BlockId, BlockStore, Bytes, DatasetId, Found, Records, Stored};
use crate::frames::{FrameReader, Segment};
use crate::origin::Origin;
use crate::partitioner::{PartitionChoice, Partitioning};
use crate::{Data, Error, Record, StorageLevel};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use storing::{Computed, Storing};

impl<T: Record> Rdd<T> {
    /// The same records, of which each partition is kept at `level` once it was computed, until the returned dataset
    /// and all that were made from it are dropped. This dataset itself stays as it is: go on with the returned one.
    ///
    /// The context's limits (512 MiB of memory, 64 GiB of disk by default) hold for all its datasets together. To make
    /// room, partitions of other datasets go, those used longest ago first: to disk if their level says so, else they
    /// are computed again when they are needed. A partition that finds no room is passed on as it is computed. A disk
    /// that is full, or a file that is damaged, costs computing again and one warning.
    ///
    /// [`StorageLevel::NONE`] keeps nothing. Another level for a dataset that is persisted is an error of the job; call
    /// [`Rdd::unpersist`] first. Records as they are may keep alive what they point to: a `Text` inside of a structure
    /// keeps the whole block it was received in. The serialised levels keep the bytes of the records alone, and
    /// need types whose `Serialize` and `Deserialize` agree in any format. Source: Spark's `persist`.
    ///
    /// ```
    /// use headwater::StorageLevel;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// static CALLS: AtomicUsize = AtomicUsize::new(0);
    /// # let context = headwater::testkit::context();
    /// let squares = context.parallelize(vec![1, 2, 3], 2).map(|n| {
    ///     CALLS.fetch_add(1, Ordering::Relaxed);
    ///     n * n
    /// });
    /// let kept = squares.persist(StorageLevel::MEMORY_AND_DISK_SER);
    /// assert_eq!(kept.count()?, 3);
    /// assert_eq!(kept.collect()?, [1, 4, 9]);
    /// assert_eq!(CALLS.load(Ordering::Relaxed), 3);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    #[must_use = "the dataset itself stays as it is; the returned one keeps its partitions"]
    pub fn persist(&self, level: StorageLevel) -> Rdd<T>
    where
        T: Data,
    {
        let now = self.storage_level();
        if level == now || level == StorageLevel::NONE && now == StorageLevel::NONE {
            return self.clone();
        }
        if now != StorageLevel::NONE {
            return self.broken(format!(
                "cannot change the storage level of a dataset from {now} to {level}: unpersist() it first"
            ));
        }
        let store = self.context.block_store().clone();
        let node = Persisted::new(self.node.clone(), store, level, Origin::here("persist"));
        Rdd::of_node(&self.context, node)
    }

    /// [`Rdd::persist`] at [`StorageLevel::MEMORY_ONLY`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let kept = context.parallelize(vec![1, 2], 1).map(|n| n + 1).cache();
    /// assert_eq!(kept.storage_level(), headwater::StorageLevel::MEMORY_ONLY);
    /// ```
    #[track_caller]
    #[must_use = "the dataset itself stays as it is; the returned one keeps its partitions"]
    pub fn cache(&self) -> Rdd<T>
    where
        T: Data,
    {
        self.persist(StorageLevel::MEMORY_ONLY)
    }

    /// Drops what a persisted dataset keeps, and lets it keep nothing any more: from now on it is computed whenever it
    /// is needed. Without effect on a dataset that is not persisted.
    ///
    /// ```
    /// use headwater::StorageLevel;
    /// # let context = headwater::testkit::context();
    /// let kept = context.parallelize(vec![1, 2], 1).cache();
    /// kept.count()?;
    /// kept.unpersist();
    /// assert_eq!(context.block_store_status().blocks_in_memory, 0);
    /// assert_eq!((kept.storage_level(), kept.count()?), (StorageLevel::NONE, 2));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn unpersist(&self) {
        if let Some(storage) = self.node.storage() {
            storage.unpersist();
        }
    }

    /// Where this dataset keeps its partitions; [`StorageLevel::NONE`] if it is not persisted.
    ///
    /// ```
    /// use headwater::StorageLevel;
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2], 1);
    /// assert_eq!(numbers.persist(StorageLevel::DISK_ONLY).storage_level(), StorageLevel::DISK_ONLY);
    /// assert_eq!(numbers.storage_level(), StorageLevel::NONE);
    /// ```
    pub fn storage_level(&self) -> StorageLevel {
        self.node.storage().map_or(StorageLevel::NONE, Storage::level)
    }
}

struct Persisted<T> {
    parent: Arc<dyn Node<T>>,
    store: Arc<BlockStore>,
    dataset: DatasetId,
    level: StorageLevel,
    origin: Origin,
    unpersisted: AtomicBool,
}

impl<T: Data> Persisted<T> {
    #[allow(clippy::new_ret_no_self, reason = "a node is of no use but linked")]
    fn new(parent: Arc<dyn Node<T>>, store: Arc<BlockStore>, level: StorageLevel, origin: Origin) -> Arc<dyn Node<T>> {
        let dataset = store.register(level, origin);
        linked(Persisted { parent, store, dataset, level, origin, unpersisted: AtomicBool::new(false) })
    }
    fn block(&self, task: &Task<'_>) -> BlockId {
        BlockId { dataset: self.dataset, partition: task.partition() }
    }
    /// Pushes the block if the store has it, and else says so.
    fn push_stored(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Option<Outcome> {
        match self.store.find(self.block(task))? {
            Found::Memory(stored) => Some(push_memory(&*stored, task, sink)),
            Found::Disk(file) => {
                let mut pushed = false;
                let read = file.open().map_err(ReadStop::Damaged);
                let read = read.and_then(|mut file| push_file(&mut file, u64::MAX, &mut pushed, task, sink));
                match read {
                    Ok(()) => Some(Ok(())),
                    Err(ReadStop::Sink(stop)) => Some(Err(stop)),
                    Err(ReadStop::Damaged(error)) => {
                        self.store.unreadable(self.block(task), error);
                        // What was pushed cannot be called back: the task begins anew.
                        pushed.then_some(Err(Stop::Lost))
                    }
                }
            }
        }
    }
}

impl<T: Data> Node<T> for Persisted<T> {
    fn num_partitions(&self) -> usize {
        self.parent.num_partitions()
    }
    /// None while all partitions are kept. One that is gone when its task asks for it makes the task run again, behind
    /// the shuffles that it needs then.
    fn shuffles(&self, found: &mut FoundShuffles) {
        if !self.store.holds_all(self.dataset, self.num_partitions()) {
            self.parent.shuffles(found);
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        loop {
            if self.unpersisted.load(Ordering::Relaxed) {
                return self.parent.compute(task, sink);
            }
            if let Some(pushed) = self.push_stored(task, sink) {
                return pushed;
            }
            task.check()?;
            let insertion = self.store.claim(self.block(task));
            if self.store.find(self.block(task)).is_none() {
                let mut storing = Storing::new(insertion, self.level, self.origin);
                self.parent.compute(task, &mut |chunk| storing.take(chunk, task, sink))?;
                if let Computed::Pushed = storing.finish(task, sink)? {
                    return Ok(());
                }
            }
        }
    }
    fn partitioner(&self) -> Option<Partitioning> {
        self.parent.partitioner()
    }
    fn storage(&self) -> Option<&dyn Storage> {
        Some(self)
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<T>>> {
        let parent = self.parent.with_partitions(choice)?;
        Some(Persisted::new(parent, self.store.clone(), self.level, self.origin))
    }
}
impl<T: Record> Storage for Persisted<T> {
    fn level(&self) -> StorageLevel {
        if self.unpersisted.load(Ordering::Relaxed) { StorageLevel::NONE } else { self.level }
    }
    fn unpersist(&self) {
        self.unpersisted.store(true, Ordering::Relaxed);
        self.store.forget(self.dataset);
    }
    fn cuts_lineage(&self) -> bool {
        self.parent.storage().is_some_and(Storage::cuts_lineage)
    }
    fn is_checkpointed(&self) -> bool {
        self.parent.storage().is_some_and(Storage::is_checkpointed)
    }
}
impl<T> Drop for Persisted<T> {
    fn drop(&mut self) {
        self.store.forget(self.dataset);
    }
}

/// Why reading a block ends early.
pub(super) enum ReadStop {
    Sink(Stop),
    Damaged(Error),
}

/// Pushes a partition that is in memory. Records are copied a chunk at a time.
fn push_memory<T: Data>(stored: &dyn Stored, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
    let any: &dyn Any = stored;
    if let Some(Records(chunks)) = any.downcast_ref::<Records<T>>() {
        let mut out = Vec::with_capacity(chunks.first().map_or(0, Vec::len));
        return chunks.iter().try_for_each(|chunk| {
            task.check()?;
            out.extend_from_slice(chunk);
            sink(&mut out)
        });
    }
    let Bytes(segments) = any.downcast_ref::<Bytes>().expect("a dataset's blocks are of its own type");
    push_segments(segments, task, sink)
}

pub(super) fn push_segments<T: Data>(segments: &[Segment], task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
    let mut out = Vec::with_capacity(segments.first().map_or(0, |_| CHUNK));
    segments.iter().try_for_each(|segment| {
        task.check()?;
        segment.decode(&mut out)?;
        sink(&mut out)
    })
}

/// Pushes up to `segments` segments of a file; `pushed` says whether the sink has been given any.
pub(super) fn push_file<T: Data>(
    file: &mut FrameReader,
    segments: u64,
    pushed: &mut bool,
    task: &Task<'_>,
    sink: Sink<'_, T>,
) -> Result<(), ReadStop> {
    let mut out = Vec::with_capacity(CHUNK);
    for _ in 0..segments {
        task.check().map_err(ReadStop::Sink)?;
        let Some(segment) = file.next().map_err(ReadStop::Damaged)? else { break };
        segment.decode(&mut out).map_err(ReadStop::Damaged)?;
        *pushed = true;
        sink(&mut out).map_err(ReadStop::Sink)?;
    }
    Ok(())
}
