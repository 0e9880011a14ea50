//! [`Shuffled`]: the shuffle of records by key with an aggregator. A map task combines its partition's records in one
//! table where that pays; a reduce task merges the buckets it takes.

use super::aggregator::Aggregator;
use super::combine_table::{CombineTable, Entry};
use super::node::push_all;
use super::shuffle::{Buckets, ShuffleId};
use super::{CHUNK, Node, Outcome, Shuffle, Sink, Task};
use crate::origin::Origin;
use crate::partitioner::HashPartitioner;
use crate::{Data, Key};
use std::sync::Arc;

/// Keys from which on a map task stops combining where there are fewer than two records to a key: the table has
/// outgrown the near caches, and a record costs less on its way to the reduce side.
const TRIAL_KEYS: usize = 1 << 17;

/// What a map task leaves for one reduce partition: the totals of the records that it combined before it found that
/// combining does not pay, then the records after those.
#[derive(Clone)]
struct Bucket<K, V, C> {
    totals: Vec<Entry<K, C>>,
    values: Vec<Entry<K, V>>,
}

/// The node behind `combine_by_key` and its kin. Where the parent is already spread by the wanted partitioner it
/// combines in place, without a shuffle.
pub(super) fn combined<K: Key, V: Data, A: Aggregator<V, Total: Data>>(
    parent: Arc<dyn Node<(K, V)>>,
    aggregator: Arc<A>,
    partitioner: HashPartitioner,
    origin: Origin,
) -> Arc<dyn Node<(K, A::Total)>> {
    if parent.partitioner() == Some(partitioner) {
        return Arc::new(InPlace { parent, aggregator, partitioner, origin });
    }
    let buckets = Buckets::new(parent.num_partitions());
    Arc::new(Shuffled(Arc::new(Exchange { id: ShuffleId::next(), parent, aggregator, partitioner, origin, buckets })))
}

struct Exchange<K, V, A: Aggregator<V>> {
    id: ShuffleId,
    parent: Arc<dyn Node<(K, V)>>,
    aggregator: Arc<A>,
    partitioner: HashPartitioner,
    origin: Origin,
    buckets: Buckets<Bucket<K, V, A::Total>>,
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Shuffle for Exchange<K, V, A> {
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
    fn keep(&self) {
        self.buckets.keep()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        let partitions = self.partitioner.num_partitions();
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), if A::SHRINKS { CHUNK } else { 0 });
        let mut values: Vec<Vec<Entry<K, V>>> = (0..partitions).map(|_| Vec::new()).collect();
        let mut combining = A::SHRINKS;
        let mut seen = 0;
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            seen += chunk.len();
            if combining {
                table.merge_chunk(chunk, &*self.aggregator);
                combining = table.len() < TRIAL_KEYS || 2 * table.len() < seen;
            } else {
                for (key, value) in chunk.drain(..) {
                    let hash = self.partitioner.hash(&key);
                    values[self.partitioner.of_hash(hash)].push(Entry { hash, key, value });
                }
            }
            Ok(())
        })?;
        let room = table.len() / partitions * 9 / 8;
        let mut totals: Vec<Vec<_>> = (0..partitions).map(|_| Vec::with_capacity(room)).collect();
        for entry in table.into_entries() {
            totals[self.partitioner.of_hash(entry.hash)].push(entry);
        }
        let buckets = totals.into_iter().zip(values).map(|(totals, values)| Bucket { totals, values });
        self.buckets.put(task.partition(), buckets.collect());
        Ok(())
    }
}

struct Shuffled<K, V, A: Aggregator<V>>(Arc<Exchange<K, V, A>>);

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Node<(K, A::Total)> for Shuffled<K, V, A> {
    fn num_partitions(&self) -> usize {
        self.0.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        found.push(self.0.clone());
    }
    fn partitioner(&self) -> Option<HashPartitioner> {
        Some(self.0.partitioner)
    }
    fn with_num_partitions(&self, partitions: usize) -> Option<Arc<dyn Node<(K, A::Total)>>> {
        let partitioner = HashPartitioner::new(partitions, self.0.partitioner.seed());
        Some(combined(self.0.parent.clone(), self.0.aggregator.clone(), partitioner, self.0.origin))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, A::Total)>) -> Outcome {
        let exchange = &*self.0;
        let buckets = exchange.buckets.read(task.partition())?;
        task.enter(exchange.origin);
        let largest = buckets.iter().map(|bucket| bucket.totals.len() + bucket.values.len()).max().unwrap_or(0);
        let mut table = CombineTable::with_capacity(exchange.partitioner.seed(), largest);
        for mut bucket in buckets {
            table.combine_entries(&mut bucket.totals, &*exchange.aggregator);
            table.merge_entries(&mut bucket.values, &*exchange.aggregator);
            task.check()?;
        }
        push_all(task, table.into_entries().map(|entry| (entry.key, entry.value)), sink)
    }
}

/// Combining without a shuffle: all records of a key are in one partition already.
struct InPlace<K, V, A> {
    parent: Arc<dyn Node<(K, V)>>,
    aggregator: Arc<A>,
    partitioner: HashPartitioner,
    origin: Origin,
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Node<(K, A::Total)> for InPlace<K, V, A> {
    fn num_partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        self.parent.shuffles(found)
    }
    fn partitioner(&self) -> Option<HashPartitioner> {
        Some(self.partitioner)
    }
    fn with_num_partitions(&self, partitions: usize) -> Option<Arc<dyn Node<(K, A::Total)>>> {
        let partitioner = HashPartitioner::new(partitions, self.partitioner.seed());
        Some(combined(self.parent.clone(), self.aggregator.clone(), partitioner, self.origin))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, A::Total)>) -> Outcome {
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), CHUNK);
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            table.merge_chunk(chunk, &*self.aggregator);
            Ok(())
        })?;
        push_all(task, table.into_entries().map(|entry| (entry.key, entry.value)), sink)
    }
}
