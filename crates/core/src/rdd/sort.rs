//! Sorting: keys are spread by ranges that a sample suggests, and each partition is sorted in its task.

use super::map_partitions::whole;
use super::node::push_all;
use super::on_driver::on_driver;
use super::random::PartitionRandom;
use super::{FoundShuffles, Node, Outcome, Rdd, Sink, Task};
use crate::origin::{Origin, as_part_of};
use crate::partitioner::{PartitionChoice, Partitioner, Partitioning, RangePartitioner};
use crate::{Closure, Data, Key, Record, Result};
use std::sync::Arc;

/// Keys that are sampled for each partition of the result, as in Spark.
const SAMPLE_PER_PARTITION: usize = 20;
/// Keys that are wanted in a sample at most; three times as many may come, and are held on the driver with the dataset.
const SAMPLE_MAX: usize = 1_000_000;

/// Keys, and how many records each stands for.
type Sample<K> = Vec<(K, f64)>;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The records in the order of their keys: each partition is sorted, and its keys come before those of the next.
    /// Equal keys keep their order. At once, a job samples the keys, if there is more than one partition to make; their
    /// default number is this dataset's, `with_partitions(n)` behind it chooses another. A partition is held in memory
    /// while it is sorted. Source: Spark's `sortByKey`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![(3, 'c'), (1, 'a'), (2, 'b'), (1, 'z')], 2);
    /// assert_eq!(pairs.sort_by_key(true).collect()?, [(1, 'a'), (1, 'z'), (2, 'b'), (3, 'c')]);
    /// assert_eq!(pairs.sort_by_key(false).with_partitions(1).take(1)?, [(3, 'c')]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sort_by_key(&self, ascending: bool) -> Rdd<(K, V)>
    where
        K: Data + Ord,
        V: Data,
    {
        self.sorted("sort_by_key", ascending)
    }

    #[track_caller]
    fn sorted(&self, kind: &'static str, ascending: bool) -> Rdd<(K, V)>
    where
        K: Data + Ord,
        V: Data,
    {
        let origin = Origin::here(kind);
        let partitions = self.num_partitions();
        let sorted = self.key_sample(partitions).and_then(|sample| {
            let unsorted = Arc::new(Unsorted { rdd: self.clone(), sample, ascending, origin });
            on_driver(origin, || Unsorted::sorted(unsorted, partitions))
        });
        match sorted {
            Ok(sorted) => Rdd::from_node(&self.context, sorted),
            Err(error) => self.failed(&error.within(format!("{origin}: sampling the keys failed"))),
        }
    }

    /// Ranges of keys, for `partitions` partitions at most, from a sample of this dataset's keys, which a job takes at
    /// once. 0 is an error.
    ///
    /// ```
    /// # use headwater::Partitioner;
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize((0..100).map(|n| (n, 'x')).collect(), 4);
    /// let ranges = pairs.range_partitioner(2, true)?;
    /// assert_eq!((ranges.partition(&10), ranges.partition(&90)), (0, 1));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn range_partitioner(&self, partitions: usize, ascending: bool) -> Result<RangePartitioner<K>>
    where
        K: Data + Ord,
    {
        if let Some(refused) = self.refuse_partitions("range_partitioner", partitions) {
            refused.count()?;
        }
        let sample = self.key_sample(partitions)?;
        on_driver(Origin::here("range_partitioner"), || RangePartitioner::of_sample(sample, partitions, ascending))
    }

    /// The records in the partitions of `partitioner`, each partition sorted by key: cheaper than sorting behind
    /// `partition_by`, and what an ordered output per partition needs. Source: Spark's
    /// `repartitionAndSortWithinPartitions`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![(3, 'c'), (1, 'a'), (2, 'b')], 2);
    /// let sorted = pairs.repartition_and_sort_within_partitions(context.hash_partitioner(1));
    /// assert_eq!(sorted.collect()?, [(1, 'a'), (2, 'b'), (3, 'c')]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn repartition_and_sort_within_partitions(&self, partitioner: impl Partitioner<K>) -> Rdd<(K, V)>
    where
        K: Key + Ord,
        V: Data,
    {
        let origin = Origin::here("repartition_and_sort_within_partitions");
        let placed = as_part_of(origin, || self.partition_by(partitioner));
        placed.narrow(true, move |parent, task, sink| push_sorted(parent, task, sink, true, origin))
    }

    /// The records whose keys lie between `lower` and `upper`, both included. Behind `sort_by_key`, or where the keys are
    /// spread by a [`RangePartitioner`], only the partitions that may hold such keys are computed.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sorted = context.parallelize((0..100).map(|n| (n, n)).collect(), 4).sort_by_key(true);
    /// assert_eq!(sorted.filter_by_range(10, 12).keys().collect()?, [10, 11, 12]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn filter_by_range(&self, lower: K, upper: K) -> Rdd<(K, V)>
    where
        K: Data + Ord,
    {
        let origin = Origin::here("filter_by_range");
        let spread = self.partitioner();
        let ranges = spread.as_ref().and_then(|by| by.get::<K, RangePartitioner<K>>());
        let partitions = ranges.map_or(0..=usize::MAX, |ranges| ranges.partitions_of(&lower, &upper));
        self.narrow(true, move |parent, task, sink| {
            if !partitions.contains(&task.partition()) {
                return Ok(());
            }
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                chunk.retain(|(key, _)| lower <= *key && *key <= upper);
                sink(chunk)
            })
        })
    }

    /// A sample of the keys, enough for `partitions` ranges; nothing for a single one.
    fn key_sample(&self, partitions: usize) -> Result<Sample<K>>
    where
        K: Data + Ord,
    {
        if partitions <= 1 {
            return Ok(Vec::new());
        }
        // Three times its share from each partition, for partitions that differ in size.
        let all = SAMPLE_PER_PARTITION.saturating_mul(partitions).min(SAMPLE_MAX);
        let per_partition = (3 * all).div_ceil(self.num_partitions().max(1));
        self.keep_shuffles();
        let sampled = self.run_job(0..self.num_partitions(), move |node, task| {
            let mut reservoir = Reservoir::new(per_partition, task.partition());
            node.compute(task, &mut |chunk| {
                chunk.drain(..).for_each(|(key, _)| reservoir.add(key));
                Ok(())
            })?;
            Ok((reservoir.seen, reservoir.kept))
        })?;
        let weighted = sampled.into_iter().flat_map(|(seen, kept)| {
            let weight = seen as f64 / kept.len().max(1) as f64;
            kept.into_iter().map(move |key| (key, weight))
        });
        Ok(weighted.collect())
    }
}

impl<T: Record> Rdd<T> {
    /// The records in the order of `key` of each; otherwise as [`Rdd::sort_by_key`]. A floating-point number has no
    /// total order of its own: round it to an integer (`(score * 1e6) as i64`). Source: Spark's `sortBy`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let words = context.parallelize(["stream", "of", "words"].map(String::from).to_vec(), 2);
    /// assert_eq!(words.sort_by(|word| word.len(), true).collect()?, ["of", "words", "stream"]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sort_by<K: Data + Ord>(&self, key: impl Fn(&T) -> K + Closure, ascending: bool) -> Rdd<T>
    where
        T: Data,
    {
        let origin = Origin::here("sort_by");
        let sorted = as_part_of(origin, || self.map(move |record| (key(&record), record)).sorted("sort_by", ascending));
        sorted.narrow_tail(false, move |parent, task, sink| {
            let mut out = Vec::new();
            parent.compute(task, &mut |chunk| {
                out.extend(chunk.drain(..).map(|(_, record)| record));
                sink(&mut out)
            })
        })
    }
}

/// A dataset to be sorted, and what is known of its keys.
struct Unsorted<K, V> {
    rdd: Rdd<(K, V)>,
    sample: Sample<K>,
    ascending: bool,
    origin: Origin,
}
impl<K: Data + Ord, V: Data> Unsorted<K, V> {
    fn sorted(unsorted: Arc<Self>, partitions: usize) -> Sorted<K, V> {
        let Unsorted { rdd, sample, ascending, origin } = &*unsorted;
        let ranges = RangePartitioner::of_sample(sample.clone(), partitions, *ascending);
        let partitioning = Partitioning::of::<K, _>(ranges.clone(), rdd.context.seed());
        let place = move |record: &(K, V), _: usize, _: usize| ranges.partition(&record.0);
        let scatter = || rdd.scattered("sort_by_key", partitioning.num_partitions(), Arc::new(place), None);
        let placed = as_part_of(*origin, scatter).node;
        Sorted { unsorted, placed, partitioning }
    }
}

struct Sorted<K, V> {
    unsorted: Arc<Unsorted<K, V>>,
    placed: Arc<dyn Node<(K, V)>>,
    partitioning: Partitioning,
}
impl<K: Data + Ord, V: Data> Node<(K, V)> for Sorted<K, V> {
    fn num_partitions(&self) -> usize {
        self.partitioning.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.placed.shuffles(found)
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.partitioning.clone())
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<(K, V)>>> {
        match choice {
            // A sample for fewer partitions gives rougher ranges, which are as right.
            PartitionChoice::Number(partitions) => Some(Arc::new(Unsorted::sorted(self.unsorted.clone(), *partitions))),
            PartitionChoice::By(_) => None,
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, V)>) -> Outcome {
        push_sorted(&*self.placed, task, sink, self.unsorted.ascending, self.unsorted.origin)
    }
}

/// Pushes the records of a partition in the order of their keys.
fn push_sorted<K: Ord, V>(
    parent: &dyn Node<(K, V)>,
    task: &Task<'_>,
    sink: Sink<'_, (K, V)>,
    ascending: bool,
    origin: Origin,
) -> Outcome {
    let mut records = whole(parent, task)?;
    task.enter(origin);
    records.sort_by(|left, right| if ascending { left.0.cmp(&right.0) } else { right.0.cmp(&left.0) });
    push_all(task, records.into_iter(), sink)
}

/// A fair sample of the keys that pass by: the same at every try.
struct Reservoir<K> {
    limit: usize,
    seen: u64,
    kept: Vec<K>,
    random: PartitionRandom,
}
impl<K> Reservoir<K> {
    fn new(limit: usize, partition: usize) -> Reservoir<K> {
        Reservoir { limit, seen: 0, kept: Vec::new(), random: PartitionRandom::new(0, partition) }
    }
    fn add(&mut self, key: K) {
        self.seen += 1;
        if self.kept.len() < self.limit {
            return self.kept.push(key);
        }
        let place = (self.random.unit() * self.seen as f64) as usize;
        if let Some(kept) = self.kept.get_mut(place) {
            *kept = key;
        }
    }
}
