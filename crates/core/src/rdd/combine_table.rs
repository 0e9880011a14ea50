//! The table in which a task combines records by key: on the map side the values of its partition, on the reduce side
//! the totals of all map tasks. It belongs to one task and is taken apart at its end.

mod slots;

use std::any::Any;
use std::hash::Hash;

use super::aggregator::Aggregator;
use crate::hash::hash_of;
use crate::text::Text;
use serde::{Deserialize, Serialize};

pub use slots::CombineTable;
pub(crate) use slots::prefetch;

/// One key of a table, and what its values became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<K, C> {
    /// The key's hash by the table's seed; picks the partition and is never computed again.
    pub hash: u64,
    /// The key. A text is detached from the block it was received in.
    pub key: K,
    /// The total, or on the way to a table a single value.
    pub value: C,
}

/// Records whose cache misses overlap.
const GROUP: usize = 128;

impl<K: Eq + 'static, C> CombineTable<K, C> {
    /// Merges the records of a chunk and leaves it empty. A group is hashed first; a large table then prefetches its
    /// slots and entries, so that cache misses overlap.
    #[inline]
    pub fn merge_chunk<V, A>(&mut self, chunk: &mut Vec<(K, V)>, aggregator: &A)
    where
        K: Hash,
        A: Aggregator<V, Total = C>,
    {
        let seed = self.seed();
        let mut hashes = [0; GROUP];
        let mut records = chunk.drain(..);
        while !records.as_slice().is_empty() {
            let group = &records.as_slice()[..records.len().min(GROUP)];
            let hashes = &mut hashes[..group.len()];
            for (hash, record) in hashes.iter_mut().zip(group) {
                *hash = hash_of(seed, &record.0);
            }
            if self.is_large() {
                hashes.iter().for_each(|hash| self.prefetch_slot(*hash));
                hashes.iter().for_each(|hash| self.prefetch_entry(*hash));
            }
            // The hashes come first: `zip` would otherwise take a record too many.
            for (hash, (key, value)) in hashes.iter().zip(records.by_ref()) {
                self.merge_value(*hash, key, value, aggregator);
            }
        }
    }

    /// Merges values whose hashes are known, and leaves `entries` empty.
    #[inline]
    pub fn merge_entries<V, A>(&mut self, entries: &mut Vec<Entry<K, V>>, aggregator: &A)
    where
        A: Aggregator<V, Total = C>,
    {
        self.each_prefetched(entries, |table, Entry { hash, key, value }| {
            table.merge_value(hash, key, value, aggregator);
        });
    }

    /// Merges totals of another table with the same seed, and leaves `entries` empty.
    #[inline]
    pub fn combine_entries<V, A>(&mut self, entries: &mut Vec<Entry<K, C>>, aggregator: &A)
    where
        A: Aggregator<V, Total = C>,
    {
        self.each_prefetched(entries, |table, Entry { hash, key, value }| {
            table.merge(hash, key, value, |total| total, |left, right| aggregator.combine(left, right));
        });
    }

    #[inline(always)]
    fn merge_value<V, A: Aggregator<V, Total = C>>(&mut self, hash: u64, key: K, value: V, aggregator: &A) {
        self.merge(hash, key, value, |value| aggregator.create(value), |total, value| aggregator.merge(total, value));
    }

    #[inline(always)]
    fn each_prefetched<V>(&mut self, entries: &mut Vec<Entry<K, V>>, mut merge: impl FnMut(&mut Self, Entry<K, V>)) {
        let mut records = entries.drain(..);
        while !records.as_slice().is_empty() {
            let group = &records.as_slice()[..records.len().min(GROUP)];
            let len = group.len();
            group.iter().for_each(|entry| self.prefetch_slot(entry.hash));
            if self.is_large() {
                group.iter().for_each(|entry| self.prefetch_entry(entry.hash));
            }
            records.by_ref().take(len).for_each(|entry| merge(self, entry));
        }
    }
}

/// Detaches a key that is entered into a table, so that the table does not keep received blocks in memory. The types
/// are compared at compile time: for keys without text nothing is left of this.
#[inline(always)]
pub(crate) fn detach<K: 'static>(key: &mut K) {
    let key: &mut dyn Any = key;
    if let Some(text) = key.downcast_mut::<Text>() {
        detach_text(text);
    } else if let Some((first, second)) = key.downcast_mut::<(Text, Text)>() {
        detach_text(first);
        detach_text(second);
    }
}

#[inline(always)]
fn detach_text(text: &mut Text) {
    if !text.is_inline() {
        *text = text.detached();
    }
}

#[cfg(test)]
mod tests;
