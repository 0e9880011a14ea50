//! The combine table against std's map, and what is left after a panic.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::hash::HashSeed;
use crate::rdd::aggregator::{Combining, Grouping, Reducing};
use crate::text::Block;

const SEED: HashSeed = HashSeed::new(9);

fn entries<K: Hash + Clone, V: Clone>(records: &[(K, V)]) -> Vec<Entry<K, V>> {
    let entry = |(key, value): &(K, V)| Entry { hash: hash_of(SEED, key), key: key.clone(), value: value.clone() };
    records.iter().map(entry).collect()
}

/// Sums the records in chunks, by every way into a table, and compares with a map.
fn check_sums<K: Hash + Eq + Clone + std::fmt::Debug + 'static>(records: &[(K, u64)], capacity: usize, chunk: usize) {
    let mut expected: HashMap<K, u64> = HashMap::new();
    records.iter().for_each(|(key, value)| *expected.entry(key.clone()).or_default() += value);
    let sum = Reducing(|a: u64, b: u64| a + b);

    let mut by_chunk = CombineTable::with_capacity(SEED, capacity);
    let mut by_entry = CombineTable::with_capacity(SEED, capacity);
    let mut by_total = CombineTable::with_capacity(SEED, capacity);
    for part in records.chunks(chunk) {
        by_chunk.merge_chunk(&mut part.to_vec(), &sum);
        by_entry.merge_entries(&mut entries(part), &sum);
        let mut of_part = CombineTable::with_capacity(SEED, 0);
        of_part.merge_chunk(&mut part.to_vec(), &sum);
        by_total.combine_entries(&mut of_part.into_entries().collect(), &sum);
    }
    for table in [by_chunk, by_entry, by_total] {
        assert_eq!(table.len(), expected.len());
        assert!(table.entries().iter().all(|entry| entry.hash == hash_of(SEED, &entry.key)));
        let sums: HashMap<K, u64> = table.into_entries().map(|entry| (entry.key, entry.value)).collect();
        assert_eq!(sums, expected);
    }
}

proptest! {
    #[test]
    fn sums_equal_those_of_a_map(keys in prop::collection::vec(0u64..200, 0..600), chunk in 1usize..300) {
        let records: Vec<_> = keys.iter().map(|key| (*key, key + 1)).collect();
        check_sums(&records, 0, chunk);
        let word = |key: &u64| (Text::from(format!("{key:0>width$}", width = *key as usize % 30)), 1);
        let words: Vec<_> = keys.iter().map(word).collect();
        check_sums(&words, 64, chunk);
    }
}

/// More keys than a small table has, so that groups are prefetched and the index grows between them.
#[test]
fn large_tables_equal_a_map() {
    let records: Vec<_> = (0..60_000u64).map(|n| (n * n % 40_009, n)).collect();
    check_sums(&records, 0, 1000);
    check_sums(&records, 50_000, 1024);
}

#[test]
fn keys_of_one_hash_stay_apart() {
    let mut table = CombineTable::with_capacity(SEED, 0);
    let mut colliding: Vec<_> = (0..500u64).map(|key| Entry { hash: u64::MAX, key: key % 250, value: 1u64 }).collect();
    table.merge_entries(&mut colliding, &Reducing(|a, b| a + b));
    assert_eq!(table.len(), 250);
    assert!(table.entries().iter().all(|entry| entry.value == 2));
}

#[test]
fn grouping_keeps_the_order_of_records() {
    let mut table = CombineTable::with_capacity(SEED, 4);
    table.merge_chunk(&mut vec![('a', 1), ('b', 2), ('a', 3)], &Grouping);
    let groups: Vec<_> = table.into_entries().map(|entry| (entry.key, entry.value)).collect();
    assert_eq!(groups, [('a', vec![1, 3]), ('b', vec![2])]);
}

#[test]
fn entered_texts_do_not_keep_their_block() {
    let block = Block::from_utf8(b"short, but an uncharacteristically long word").unwrap();
    let (mut lines, mut position) = (Vec::new(), 0);
    block.next_lines(&mut position, block.len(), 10, &mut lines);
    let words: Vec<_> = lines.into_iter().flat_map(|line| line.split(' ')).collect();

    let mut table = CombineTable::with_capacity(SEED, 4);
    table.merge_chunk(&mut words.iter().map(|word| (word.clone(), 1u64)).collect(), &Reducing(|a, b| a + b));
    let mut pairs = CombineTable::with_capacity(SEED, 4);
    let pair = |word: &Text| ((word.clone(), word.clone()), 1u64);
    pairs.merge_chunk(&mut words.iter().map(pair).collect(), &Reducing(|a, b| a + b));
    assert_eq!(block.count(), 2, "the block and the long word");
    drop(words);
    assert_eq!(block.count(), 1);
    assert_eq!(table.entries()[3].key, "uncharacteristically");
    assert_eq!(pairs.entries()[3].key.1, "uncharacteristically");
}

/// A key or value whose clones are counted by its `Arc`.
#[derive(Clone)]
struct Counted(u64, #[expect(dead_code, reason = "only counts")] Arc<()>);

impl PartialEq for Counted {
    fn eq(&self, other: &Counted) -> bool {
        self.0 == other.0
    }
}
impl Eq for Counted {}
impl Hash for Counted {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

/// 300 records of 100 keys, of which the given one panics in `create`, `merge` or `combine`.
fn check_panic(panic_at: u64, reduce_side: bool) {
    let alive = Arc::new(());
    let counted = |n: u64| Counted(n, alive.clone());
    let fails = move |value: &Counted| assert!(value.0 != panic_at, "record {panic_at} fails");
    let aggregator = Combining {
        create: move |value: Counted| {
            fails(&value);
            value
        },
        merge: move |total: Counted, value: Counted| {
            fails(&value);
            total
        },
        combine: move |left: Counted, right: Counted| {
            fails(&right);
            left
        },
    };
    let records: Vec<_> = (0..300).map(|n| (counted(n % 100), counted(n))).collect();
    let mut table = CombineTable::with_capacity(SEED, 0);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if reduce_side {
            table.combine_entries(&mut entries(&records), &aggregator);
        } else {
            table.merge_chunk(&mut records.clone(), &aggregator);
        }
    }));
    drop(records);
    assert_eq!(outcome.is_err(), panic_at < 300);
    if outcome.is_err() {
        assert!(table.is_empty());
        assert_eq!(Arc::strong_count(&alive), 1, "what was dropped twice or never");
    }
    table.merge_chunk(&mut vec![(counted(1), counted(1000)), (counted(1), counted(1001))], &aggregator);
    assert_eq!(table.entries().iter().find(|entry| entry.key.0 == 1).map(|entry| entry.key.0), Some(1));
    drop(table);
    assert_eq!(Arc::strong_count(&alive), 1, "what was dropped twice or never");
}

#[test]
fn a_panic_drops_everything_once_and_leaves_the_table_usable() {
    for panic_at in [0, 1, 99, 100, 150, 299] {
        check_panic(panic_at, false);
    }
    // On the reduce side the first value of a key is its total, and nothing is called for it.
    for panic_at in [100, 150, 299, 500] {
        check_panic(panic_at, true);
    }
}
