//! [`Shuffled`]: the shuffle of records by key with an aggregator. A map task combines its partition's records in one
//! table where that pays; a reduce task merges the buckets it takes.

use super::aggregator::Aggregator;
use super::combine_table::{CombineTable, Entry};
use super::in_place::InPlace;
use super::link::linked;
use super::node::push_all;
use super::shuffle::{MapSide, Shuffling};
use super::{FoundShuffles, Node, Outcome, RddContext, Sink, Stop, Task};
use crate::hash::hash_of;
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, PartitionChoice, Partitioning};
use crate::{Data, Key};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::vec;

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
#[derive(Clone, Serialize, Deserialize)]
struct Part<K, V, C> {
    totals: Vec<Entry<K, C>>,
    values: Vec<Entry<K, V>>,
}

/// The node behind `combine_by_key` and its kin. Where the parent is already spread by the wanted partitioner it
/// combines in place, without a shuffle.
pub(super) fn combined<K: Key, V: Data, A: Aggregator<V, Total: Data>>(
    context: &RddContext,
    parent: Arc<dyn Node<(K, V)>>,
    aggregator: Arc<A>,
    partitioner: KeyPartitioner<K>,
    origin: Origin,
) -> Arc<dyn Node<(K, A::Total)>> {
    let context = context.clone();
    if parent.partitioner().as_ref() == Some(partitioner.erased()) {
        return linked(InPlace { context, parent, aggregator, partitioner, origin });
    }
    let exchange = Exchange { context: context.clone(), parent: parent.clone(), aggregator, partitioner, origin };
    linked(Shuffled(Shuffling::new(&context, &*parent, exchange)))
}

struct Exchange<K, V, A: Aggregator<V>> {
    context: RddContext,
    parent: Arc<dyn Node<(K, V)>>,
    aggregator: Arc<A>,
    partitioner: KeyPartitioner<K>,
    origin: Origin,
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> MapSide for Exchange<K, V, A> {
    type Bucket = Bucket<K, V, A::Total>;

    fn partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parent.shuffles(found);
    }
    fn run(&self, task: &Task<'_>) -> Result<Vec<Self::Bucket>, Stop> {
        // With room for the first chunk: an empty partition costs next to nothing.
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), 0);
        let parts = self.parts();
        let mut values: Vec<Vec<Entry<K, V>>> = Vec::new();
        let mut combining = A::SHRINKS;
        let mut seen = 0;
        self.parent.compute(task, &mut |chunk| {
            task.enter(self.origin);
            seen += chunk.len();
            if combining {
                if table.is_empty() {
                    table = CombineTable::with_capacity(table.seed(), chunk.len());
                }
                table.merge_chunk(chunk, &*self.aggregator);
                combining = table.len() < TRIAL_KEYS || 2 * table.len() < seen;
                return Ok(());
            }
            values.resize_with(self.partitioner.num_partitions() * parts, Vec::new);
            for (key, value) in chunk.drain(..) {
                let hash = hash_of(self.partitioner.seed(), &key);
                values[self.partitioner.part(hash, &key, parts)].push(Entry { hash, key, value });
            }
            Ok(())
        })?;
        task.enter(self.origin);
        Ok(self.bucketed(table, values))
    }
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Exchange<K, V, A> {
    /// Parts of a reduce partition where there is much to merge.
    fn parts(&self) -> usize {
        PARTS_MIN.div_ceil(self.partitioner.num_partitions())
    }

    /// The bucket of each reduce partition. Little is left in one part, and so are the totals of the only map task, which
    /// nobody merges.
    fn bucketed(&self, table: CombineTable<K, A::Total>, values: Vec<Vec<Entry<K, V>>>) -> Vec<Bucket<K, V, A::Total>> {
        let partitions = self.partitioner.num_partitions();
        let in_one = values.is_empty() && (table.len() < PARTS_KEYS || self.parent.num_partitions() == 1);
        let parts = if in_one { 1 } else { self.parts() };
        if in_one && partitions == 1 {
            let totals = table.into_entries().collect();
            return vec![vec![Part { totals, values: Vec::new() }]];
        }
        let room = table.len() / (partitions * parts) * 9 / 8;
        let mut totals: Vec<Vec<_>> = (0..partitions * parts).map(|_| Vec::with_capacity(room)).collect();
        for entry in table.into_entries() {
            totals[self.partitioner.part(entry.hash, &entry.key, parts)].push(entry);
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
            for entry in whole.totals {
                bucket[self.partitioner.part_within(entry.hash, partition, parts)].totals.push(entry);
            }
        }
        bucket
    }
}

struct Shuffled<K: Key, V: Data, A: Aggregator<V, Total: Data>>(Arc<Shuffling<Exchange<K, V, A>>>);

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Node<(K, A::Total)> for Shuffled<K, V, A> {
    fn num_partitions(&self) -> usize {
        self.0.side.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        found.push(self.0.clone());
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.0.side.partitioner.erased().clone())
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<(K, A::Total)>>> {
        let Exchange { context, parent, aggregator, partitioner, origin } = &self.0.side;
        let partitioner = choice.typed(partitioner.seed())?;
        Some(combined(context, parent.clone(), aggregator.clone(), partitioner, *origin))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, A::Total)>) -> Outcome {
        let exchange = &self.0.side;
        task.enter(exchange.origin);
        let buckets = self.0.buckets.read(task.partition())?;
        let parts = buckets.iter().map(Vec::len).max().unwrap_or(0);
        let in_parts = |bucket| exchange.in_parts(bucket, task.partition(), parts).into_iter();
        let mut buckets: Vec<_> = buckets.into_iter().map(in_parts).collect();
        for _ in 0..parts {
            task.check()?;
            task.enter(exchange.origin);
            let part: Vec<_> = buckets.iter_mut().filter_map(Iterator::next).collect();
            let entries = exchange.merged(part);
            push_all(task, entries.map(|entry| (entry.key, entry.value)), sink)?;
        }
        Ok(())
    }
}

impl<K: Key, V: Data, A: Aggregator<V, Total: Data>> Exchange<K, V, A> {
    /// One total for each key of what the map tasks left for one part, in their order.
    fn merged(&self, mut part: Vec<Part<K, V, A::Total>>) -> vec::IntoIter<Entry<K, A::Total>> {
        if part.len() == 1 && part[0].values.is_empty() {
            return part.remove(0).totals.into_iter();
        }
        let largest = part.iter().map(|part| part.totals.len() + part.values.len()).max().unwrap_or(0);
        let mut table = CombineTable::with_capacity(self.partitioner.seed(), largest);
        for mut part in part {
            table.combine_entries(&mut part.totals, &*self.aggregator);
            table.merge_entries(&mut part.values, &*self.aggregator);
        }
        table.into_entries()
    }
}
