//! [`Shuffle`]: where a job is cut into stages. A map task leaves one bucket per reduce partition in [`Buckets`]; a
//! reduce task takes its bucket from every map task, in their order.

use super::{Outcome, Stop, Task};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shuffle's number, unique in this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShuffleId(u64);

impl ShuffleId {
    pub(super) fn next() -> ShuffleId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ShuffleId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// A shuffle as the engine sees it: tasks, no types.
pub trait Shuffle: Send + Sync {
    /// Its number.
    fn id(&self) -> ShuffleId;
    /// The shuffles that its map tasks read.
    fn parents(&self) -> Vec<Arc<dyn Shuffle>>;
    /// The map tasks that must run before a reduce task can: whose buckets were never made, or were handed out.
    fn missing(&self) -> Vec<usize>;
    /// Computes one map partition and leaves its buckets here.
    fn run_map(&self, task: &Task<'_>) -> Outcome;
    /// A job that reads the shuffle begins. From the second one on its buckets are kept.
    fn open(&self);
    /// Buckets are handed out by move, and gone; after this they stay until the dataset is dropped, and every reader
    /// gets a copy. For a shuffle with more than one reader.
    fn keep(&self);
}

/// The buckets of one shuffle: `[map task][reduce partition]`.
pub(super) struct Buckets<B> {
    /// Empty until the map task has run; `None` where a reduce task took the bucket.
    maps: Vec<Mutex<Vec<Option<Arc<B>>>>>,
    opened: AtomicBool,
    kept: AtomicBool,
}

impl<B: Clone> Buckets<B> {
    pub(super) fn new(map_tasks: usize) -> Self {
        let (opened, kept) = (AtomicBool::new(false), AtomicBool::new(false));
        Buckets { maps: (0..map_tasks).map(|_| Mutex::default()).collect(), opened, kept }
    }
    pub(super) fn open(&self) {
        if self.opened.swap(true, Ordering::Relaxed) {
            self.keep();
        }
    }
    pub(super) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
    pub(super) fn put(&self, map: usize, buckets: Vec<B>) {
        let fresh = buckets.into_iter().map(|bucket| Some(Arc::new(bucket))).collect();
        // The old ones are dropped, and records copied below, when the lock is free: that is the user's code.
        let _old = std::mem::replace(&mut *self.lock(map), fresh);
    }
    /// The bucket of `reduce` from each map task, in their order.
    pub(super) fn read(&self, reduce: usize) -> Result<Vec<B>, Stop> {
        let kept = self.kept.load(Ordering::Relaxed);
        let shared = |map| {
            let mut buckets = self.lock(map);
            let bucket = buckets.get_mut(reduce).ok_or(Stop::Lost)?;
            if kept { bucket.clone() } else { bucket.take() }.ok_or(Stop::Lost)
        };
        let shared = (0..self.maps.len()).map(shared).collect::<Result<Vec<_>, _>>()?;
        Ok(shared.into_iter().map(Arc::unwrap_or_clone).collect())
    }
    pub(super) fn missing(&self) -> Vec<usize> {
        let gone = |map: &usize| {
            let buckets = self.lock(*map);
            buckets.is_empty() || buckets.iter().any(Option::is_none)
        };
        (0..self.maps.len()).filter(gone).collect()
    }
    /// Only moves happen under the lock: a panic elsewhere cannot leave it half-changed.
    fn lock(&self, map: usize) -> MutexGuard<'_, Vec<Option<Arc<B>>>> {
        self.maps[map].lock().unwrap_or_else(PoisonError::into_inner)
    }
}
