//! [`Scattered`]: the shuffle that moves records and combines nothing: `repartition` and `partition_by`.

use super::node::push_all;
use super::shuffle::{MapSide, Shuffling};
use super::{FoundShuffles, Node, Outcome, Rdd, Sink, Stop, Task};
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, Partitioner, Partitioning};
use crate::{Data, Key, Record};
use std::sync::Arc;

/// Which partition of how many a record goes to: `(record, its number within its map task, the map task)`.
pub(super) type Place<T> = Arc<dyn Fn(&T, usize, usize) -> usize + Send + Sync>;

impl<T: Record> Rdd<T> {
    /// The same records, dealt out evenly over `partitions`. Within a partition they keep their order by parent
    /// partition. 0 is an error of the job.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let five = context.parallelize((1..=100).collect(), 2).repartition(5);
    /// assert_eq!(five.glom().map(|records| records.len()).collect()?, [20; 5]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn repartition(&self, partitions: usize) -> Rdd<T>
    where
        T: Data,
    {
        if let Some(refused) = self.refuse_partitions("repartition", partitions) {
            return refused;
        }
        let place = Arc::new(move |_: &T, number: usize, map: usize| (map + number) % partitions);
        self.scattered("repartition", partitions, place, None)
    }

    #[track_caller]
    pub(super) fn scattered(
        &self,
        kind: &'static str,
        partitions: usize,
        place: Place<T>,
        by: Option<Partitioning>,
    ) -> Rdd<T>
    where
        T: Data,
    {
        let side = Scatter { parent: self.node.clone(), partitions, place, by, origin: Origin::here(kind) };
        Rdd::from_node(&self.context, Scattered(Shuffling::new(&self.context, &*self.node, side)))
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The same records, each in the partition that `partitioner` gives its key; unchanged if an
    /// equal partitioner spread them before.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize((0..100).map(|n| (n % 10, n)).collect(), 4);
    /// let placed = pairs.partition_by(context.hash_partitioner(3));
    /// assert_eq!(placed.num_partitions(), 3);
    /// assert_eq!(placed.count()?, 100);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn partition_by(&self, partitioner: impl Partitioner<K>) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        let partitions = partitioner.num_partitions();
        if let Some(refused) = self.refuse_partitions("partition_by", partitions) {
            return refused;
        }
        let partitioning = Partitioning::of::<K, _>(partitioner, self.context.seed());
        self.placed(&partitioning.typed().expect("it was made for this type of key"))
    }

    /// What computes the same records, each in the partition that `partitioner` gives its key. Where there is one partition
    /// all are in it already.
    #[track_caller]
    pub(crate) fn spread(&self, partitioner: &KeyPartitioner<K>) -> Arc<dyn Node<(K, V)>>
    where
        K: Key,
        V: Data,
    {
        match (self.num_partitions(), partitioner.num_partitions()) {
            (1, 1) => self.node.clone(),
            _ => self.placed(partitioner).node,
        }
    }

    #[track_caller]
    pub(crate) fn placed(&self, partitioner: &KeyPartitioner<K>) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        if self.partitioner().as_ref() == Some(partitioner.erased()) {
            return self.clone();
        }
        let (by, erased) = (partitioner.clone(), partitioner.erased().clone());
        let place = Arc::new(move |record: &(K, V), _: usize, _: usize| by.partition(&record.0));
        self.scattered("partition_by", partitioner.num_partitions(), place, Some(erased))
    }
}

struct Scatter<T> {
    parent: Arc<dyn Node<T>>,
    partitions: usize,
    place: Place<T>,
    by: Option<Partitioning>,
    origin: Origin,
}
impl<T: Data> MapSide for Scatter<T> {
    type Bucket = Vec<T>;

    fn partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found);
    }
    fn run(&self, task: &Task<'_>) -> Result<Vec<Vec<T>>, Stop> {
        let mut buckets: Vec<Vec<T>> = (0..self.partitions).map(|_| Vec::new()).collect();
        let mut number = 0;
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            for record in chunk.drain(..) {
                let place = (self.place)(&record, number, task.partition());
                buckets[place].push(record);
                number += 1;
            }
            Ok(())
        })?;
        Ok(buckets)
    }
}

struct Scattered<T: Data>(Arc<Shuffling<Scatter<T>>>);
impl<T: Data> Node<T> for Scattered<T> {
    fn num_partitions(&self) -> usize {
        self.0.side.partitions
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        found.push(self.0.clone());
    }
    fn partitioner(&self) -> Option<Partitioning> {
        self.0.side.by.clone()
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        task.enter(self.0.side.origin);
        let buckets = self.0.buckets.read(task.partition())?;
        push_all(task, buckets.into_iter().flatten(), sink)
    }
}
