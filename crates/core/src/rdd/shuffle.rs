//! [`Shuffle`]: where a job is cut into stages. A map task leaves one bucket per reduce partition in [`Buckets`]; a
//! reduce task takes its bucket from every map task, in their order.

use super::{FoundShuffles, Node, Outcome, RddContext, Stop, Task};
use crate::item::ItemId;
use crate::transport::{Role, Transport};
use crate::{Result as Fallible, wire};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A shuffle as the engine sees it: tasks, no types.
pub trait Shuffle: Send + Sync {
    /// Its name.
    fn id(&self) -> ItemId;
    /// The shuffles that its map tasks read.
    fn parents(&self) -> Vec<Arc<dyn Shuffle>>;
    /// How many map tasks it has, and for how many partitions each leaves something: equal in all processes.
    fn shape(&self) -> (usize, usize);
    /// Held while missing map tasks run: of two jobs that need them, the second finds them done. Who holds it waits for
    /// the turns of parents at most, so nobody waits in a circle.
    fn turn(&self) -> MutexGuard<'_, ()>;
    /// The map tasks that must run before a reduce task can: whose buckets were never made, or were handed out.
    fn missing(&self) -> Vec<usize>;
    /// Computes one map partition and leaves its buckets here.
    fn run_map(&self, task: &Task<'_>) -> Outcome;
    /// Set once what the map task added to accumulators was counted: it runs again whenever its buckets are gone, and
    /// counts once. None where a map task never runs again.
    fn counted(&self, _map: usize) -> Option<&AtomicBool> {
        None
    }
    /// A job that reads the shuffle begins. From the second one on its buckets are kept.
    fn open(&self);
    /// Buckets are handed out by move, and gone; after this they stay until the dataset is dropped, and every reader
    /// gets a copy. For a shuffle with more than one reader.
    fn keep(&self);
}

/// What the map tasks of a kind of shuffle do.
pub(super) trait MapSide: Send + Sync {
    /// What a map task leaves for one reduce partition.
    type Bucket: Clone + Serialize + DeserializeOwned + Send + Sync;
    /// How many buckets a map task leaves.
    fn partitions(&self) -> usize;
    /// What the map tasks read.
    fn shuffles(&self, found: &mut FoundShuffles);
    /// Computes one map partition: a bucket per reduce partition.
    fn run(&self, task: &Task<'_>) -> Result<Vec<Self::Bucket>, Stop>;
}

/// A shuffle: its map side, and what that has left.
pub(super) struct Shuffling<M: MapSide> {
    pub(super) side: M,
    pub(super) buckets: Buckets<M::Bucket>,
    turn: Mutex<()>,
    /// See [`Shuffle::counted`].
    counted: OnceLock<Vec<AtomicBool>>,
}
impl<M: MapSide + 'static> Shuffling<M> {
    /// The shuffle of all partitions of `parent`.
    pub(super) fn new<T>(context: &RddContext, parent: &dyn Node<T>, side: M) -> Arc<Self> {
        let map_tasks = parent.num_partitions();
        let (buckets, (turn, counted)) = (Buckets::new(context, map_tasks), Default::default());
        let shuffle = Arc::new(Shuffling { side, buckets, turn, counted });
        context.register_shuffle(&shuffle);
        shuffle
    }
}
impl<M: MapSide> Shuffle for Shuffling<M> {
    fn id(&self) -> ItemId {
        self.buckets.id
    }
    fn parents(&self) -> Vec<Arc<dyn Shuffle>> {
        FoundShuffles::by(|found| self.side.shuffles(found))
    }
    fn shape(&self) -> (usize, usize) {
        (self.buckets.map_tasks, self.side.partitions())
    }
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn missing(&self) -> Vec<usize> {
        self.buckets.missing()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        self.buckets.put(task.partition(), self.side.run(task)?)?;
        Ok(())
    }
    fn counted(&self, map: usize) -> Option<&AtomicBool> {
        let none = || (0..self.buckets.map_tasks).map(|_| AtomicBool::new(false)).collect();
        self.counted.get_or_init(none).get(map)
    }
    fn open(&self) {
        self.buckets.open()
    }
    fn keep(&self) {
        self.buckets.keep()
    }
}

/// The buckets of one shuffle: `[map task][reduce partition]`.
pub(super) struct Buckets<B> {
    id: ItemId,
    map_tasks: usize,
    place: Place<B>,
}
enum Place<B> {
    /// In this process, as they are.
    Here(Here<B>),
    /// With the other processes, as bytes.
    Away(Arc<dyn Transport>),
}
struct Here<B> {
    /// Empty until the map task has run; `None` where a reduce task took the bucket.
    maps: Vec<Mutex<Vec<Option<Arc<B>>>>>,
    opened: AtomicBool,
    kept: AtomicBool,
}

impl<B: Clone + Serialize + DeserializeOwned> Buckets<B> {
    fn new(context: &RddContext, map_tasks: usize) -> Self {
        let place = match context.transport() {
            Some(transport) => Place::Away(transport.clone()),
            None => Place::Here(Here::new(map_tasks)),
        };
        Buckets { id: context.next_item(), map_tasks, place }
    }
    fn open(&self) {
        if let Place::Here(here) = &self.place
            && here.opened.swap(true, Ordering::Relaxed)
        {
            self.keep();
        }
    }
    fn keep(&self) {
        if let Place::Here(here) = &self.place {
            here.kept.store(true, Ordering::Relaxed);
        }
    }
    fn put(&self, map: usize, buckets: Vec<B>) -> Fallible<()> {
        match &self.place {
            Place::Here(here) => here.put(map, buckets),
            Place::Away(transport) => {
                let bytes = buckets.iter().map(wire::encode).collect::<Fallible<Vec<_>>>()?;
                transport.put_buckets(self.id, map, bytes);
            }
        }
        Ok(())
    }
    /// The bucket of `reduce` from each map task, in their order.
    pub(super) fn read(&self, reduce: usize) -> Result<Vec<B>, Stop> {
        match &self.place {
            Place::Here(here) => here.read(reduce),
            Place::Away(transport) => {
                let bytes = transport.buckets(self.id, self.map_tasks, reduce)?;
                Ok(bytes.iter().map(|bucket| wire::decode(bucket)).collect::<Fallible<Vec<_>>>()?)
            }
        }
    }
    fn missing(&self) -> Vec<usize> {
        match &self.place {
            Place::Here(here) => here.missing(),
            Place::Away(transport) => transport.missing_maps(self.id, self.map_tasks),
        }
    }
}
impl<B> Drop for Buckets<B> {
    fn drop(&mut self) {
        if let Place::Away(transport) = &self.place
            && transport.role() == Role::Driver
        {
            transport.forget_shuffle(self.id);
        }
    }
}

impl<B: Clone> Here<B> {
    fn new(map_tasks: usize) -> Self {
        let (opened, kept) = (AtomicBool::new(false), AtomicBool::new(false));
        Here { maps: (0..map_tasks).map(|_| Mutex::default()).collect(), opened, kept }
    }
    fn put(&self, map: usize, buckets: Vec<B>) {
        let fresh = buckets.into_iter().map(|bucket| Some(Arc::new(bucket))).collect();
        // The old ones are dropped, and records copied below, when the lock is free: that is the user's code.
        let _old = std::mem::replace(&mut *self.lock(map), fresh);
    }
    fn read(&self, reduce: usize) -> Result<Vec<B>, Stop> {
        let kept = self.kept.load(Ordering::Relaxed);
        let shared = |map| {
            let mut buckets = self.lock(map);
            let bucket = buckets.get_mut(reduce).ok_or(Stop::Lost)?;
            if kept { bucket.clone() } else { bucket.take() }.ok_or(Stop::Lost)
        };
        let shared = (0..self.maps.len()).map(shared).collect::<Result<Vec<_>, _>>()?;
        Ok(shared.into_iter().map(Arc::unwrap_or_clone).collect())
    }
    fn missing(&self) -> Vec<usize> {
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
