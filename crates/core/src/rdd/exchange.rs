//! [`Shuffled`]: the shuffle of records by key with an aggregator. A map task combines its partition's records in one
//! table where that pays; a reduce task merges the buckets it takes.

use super::aggregator::Aggregator;
use super::combine_table::{CombineTable, Entry};
use super::in_place::InPlace;
use super::link::linked;
use super::node::push_all;
use super::shuffle::{Buckets, ShuffleId};
use super::{CHUNK, Node, Outcome, Shuffle, Sink, Task};
use crate::hash::partition_of;
use crate::origin::Origin;
use crate::partitioner::HashPartitioner;
use crate::{Data, Key};
use std::sync::Arc;

/// Keys from which on a map task stops combining where there are fewer than two records to a key: the table has
/// outgrown the near caches, and a record costs less on its way to the reduce side.
const TRIAL_KEYS: usize = 1 << 17;

/// Keys of a map task's table from which on its totals are left in parts.
const PARTS_KEYS: usize = 1 << 14;

/// Parts that all reduce partitions together have at least where there is much to merge. A reduce task merges part by
/// part, each in a table of its own: tables that fit the near caches cost less than one large one.
const PARTS_MIN: usize = 64;

/// What a map task leaves for one reduce partition: one part, or [`Exchange::parts`] of them by further bits of the hash.
type Bucket<K, V, C> = Vec<Part<K, V, C>>;

/// The totals of the records that the map task combined before it found that combining does not pay, then the records
/// after those.
#[derive(Clone)]
struct Part<K, V, C> {
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
        return linked(InPlace { parent, aggregator, partitioner, origin });
    }
    let buckets = Buckets::new(parent.num_partitions());
    linked(Shuffled(Arc::new(Exchange { id: ShuffleId::next(), parent, aggregator, partitioner, origin, buckets })))
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
    fn open(&self) {
        self.buckets.open()
    }
    fn keep(&self) {
        self.buckets.keep()
    }
    fn run_map(&self, task: &Task<'_>) -> Outcome {
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), if A::SHRINKS { CHUNK } else { 0 });
        let parts = self.partitioner.num_partitions() * self.parts();
        let mut values: Vec<Vec<Entry<K, V>>> = Vec::new();
        let mut combining = A::SHRINKS;
        let mut seen = 0;
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            seen += chunk.len();
            if combining {
                table.merge_chunk(chunk, &*self.aggregator);
                combining = table.len() < TRIAL_KEYS || 2 * table.len() < seen;
                return Ok(());
            }
            values.resize_with(parts, Vec::new);
            for (key, value) in chunk.drain(..) {
                let hash = self.partitioner.hash(&key);
                values[partition_of(hash, parts)].push(Entry { hash, key, value });
            }
            Ok(())
        })?;
        self.buckets.put(task.partition(), self.bucketed(table, values));
        Ok(())
    }
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Exchange<K, V, A> {
    /// Parts of a reduce partition where there is much to merge.
    fn parts(&self) -> usize {
        PARTS_MIN.div_ceil(self.partitioner.num_partitions())
    }

    /// The bucket of each reduce partition. Little is left in one part.
    fn bucketed(&self, table: CombineTable<K, A::Total>, values: Vec<Vec<Entry<K, V>>>) -> Vec<Bucket<K, V, A::Total>> {
        let partitions = self.partitioner.num_partitions();
        let parts = if values.is_empty() && table.len() < PARTS_KEYS { 1 } else { self.parts() };
        let room = table.len() / (partitions * parts) * 9 / 8;
        let mut totals: Vec<Vec<_>> = (0..partitions * parts).map(|_| Vec::with_capacity(room)).collect();
        for entry in table.into_entries() {
            totals[partition_of(entry.hash, partitions * parts)].push(entry);
        }
        let values = values.into_iter().chain(std::iter::repeat_with(Vec::new));
        let mut all = totals.into_iter().zip(values).map(|(totals, values)| Part { totals, values });
        (0..partitions).map(|_| all.by_ref().take(parts).collect()).collect()
    }

    /// The bucket in `parts` parts, where it came in one because it is small.
    fn in_parts(&self, mut bucket: Bucket<K, V, A::Total>, partition: usize, parts: usize) -> Bucket<K, V, A::Total> {
        if bucket.len() < parts {
            let whole = bucket.remove(0);
            bucket = (0..parts).map(|_| Part { totals: Vec::new(), values: Vec::new() }).collect();
            let all = self.partitioner.num_partitions() * parts;
            for entry in whole.totals {
                bucket[partition_of(entry.hash, all) - partition * parts].totals.push(entry);
            }
        }
        bucket
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
        task.enter(exchange.origin);
        let buckets = exchange.buckets.read(task.partition())?;
        let parts = buckets.iter().map(Vec::len).max().unwrap_or(0);
        let in_parts = |bucket| exchange.in_parts(bucket, task.partition(), parts).into_iter();
        let mut buckets: Vec<_> = buckets.into_iter().map(in_parts).collect();
        for _ in 0..parts {
            task.check()?;
            task.enter(exchange.origin);
            let part: Vec<_> = buckets.iter_mut().filter_map(Iterator::next).collect();
            let entries = exchange.merged(part).into_entries();
            push_all(task, entries.map(|entry| (entry.key, entry.value)), sink)?;
        }
        Ok(())
    }
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Exchange<K, V, A> {
    /// One table of what the map tasks left for one part, in their order.
    fn merged(&self, part: Vec<Part<K, V, A::Total>>) -> CombineTable<K, A::Total> {
        let largest = part.iter().map(|part| part.totals.len() + part.values.len()).max().unwrap_or(0);
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), largest);
        for mut part in part {
            table.combine_entries(&mut part.totals, &*self.aggregator);
            table.merge_entries(&mut part.values, &*self.aggregator);
        }
        table
    }
}
