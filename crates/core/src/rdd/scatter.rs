//! [`Scattered`]: the shuffle that moves records and combines nothing: `repartition` and `partition_by`.

use super::node::push_all;
use super::shuffle::{Buckets, ShuffleId};
use super::{Node, Outcome, Rdd, Shuffle, Sink, Task};
use crate::origin::Origin;
use crate::partitioner::HashPartitioner;
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
    fn scattered(&self, kind: &'static str, partitions: usize, place: Place<T>, by: Option<HashPartitioner>) -> Rdd<T>
    where
        T: Data,
    {
        let (parent, buckets) = (self.node.clone(), Buckets::new(self.num_partitions()));
        let scatter =
            Scatter { id: ShuffleId::next(), parent, partitions, place, by, buckets, origin: Origin::here(kind) };
        Rdd::from_node(&self.context, Scattered(Arc::new(scatter)))
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The same records, each in the partition that `partitioner` gives its key; unchanged if they are there already.
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
    pub fn partition_by(&self, partitioner: HashPartitioner) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        if self.partitioner() == Some(partitioner) {
            return self.clone();
        }
        let place = Arc::new(move |record: &(K, V), _: usize, _: usize| partitioner.partition(&record.0));
        self.scattered("partition_by", partitioner.num_partitions(), place, Some(partitioner))
    }
}

struct Scatter<T> {
    id: ShuffleId,
    parent: Arc<dyn Node<T>>,
    partitions: usize,
    place: Place<T>,
    by: Option<HashPartitioner>,
    buckets: Buckets<Vec<T>>,
    origin: Origin,
}
impl<T: Data> Shuffle for Scatter<T> {
    fn id(&self) -> ShuffleId {
        self.id
    }
    fn parents(&self) -> Vec<Arc<dyn Shuffle>> {
        let mut found = Vec::new();
        self.parent.shuffles(&mut found);
        found
    }
    fn missing(&self) -> Vec<usize> {
        self.buckets.missing()
    }
    fn open(&self) {
        self.buckets.open()
    }
    fn keep(&self) {
        self.buckets.keep()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
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
        self.buckets.put(task.partition(), buckets);
        Ok(())
    }
}

struct Scattered<T>(Arc<Scatter<T>>);
impl<T: Data> Node<T> for Scattered<T> {
    fn num_partitions(&self) -> usize {
        self.0.partitions
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        found.push(self.0.clone());
    }
    fn partitioner(&self) -> Option<HashPartitioner> {
        self.0.by
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        task.enter(self.0.origin);
        let buckets = self.0.buckets.read(task.partition())?;
        push_all(task, buckets.into_iter().flatten(), sink)
    }
}
