//! Shuffles of a size at which map tasks stop combining and leave their buckets in parts.

use headwater::prelude::*;
use headwater::testkit;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Pairs whose keys come in a scattered order: number n has key (n * odd) modulo `keys`.
fn pairs(records: u64, keys: u64) -> Vec<(u64, u64)> {
    (0..records).map(|n| (n.wrapping_mul(0x9e37_79b9) % keys, n)).collect()
}
fn sums(pairs: &[(u64, u64)]) -> HashMap<u64, u64> {
    let mut sums = HashMap::new();
    pairs.iter().for_each(|(key, n)| *sums.entry(*key).or_default() += n);
    sums
}
/// As a map; a key that came twice would shrink it.
fn map_of<V>(records: Vec<(u64, V)>) -> HashMap<u64, V> {
    let count = records.len();
    let map: HashMap<_, _> = records.into_iter().collect();
    assert_eq!(map.len(), count, "a key came twice");
    map
}

#[test]
fn few_and_many_keys_in_few_and_many_partitions() {
    let context = testkit::context();
    // Combined all the way; combined and left in parts; given up on the way; hardly ever two of a key.
    for (records, keys) in [(100_000, 100), (200_000, 60_000), (500_000, 400_000), (300_000, 1 << 40)] {
        let records = pairs(records, keys);
        let expected = sums(&records);
        for (map_tasks, partitions) in [(1, 1), (3, 2), (2, 100)] {
            let reduced = context.parallelize(records.clone(), map_tasks).reduce_by_key(|a, b| a + b);
            let reduced = map_of(reduced.with_partitions(partitions).collect().unwrap());
            assert!(reduced == expected, "{keys} keys, {map_tasks} map tasks, {partitions} partitions");
        }
    }
}

#[test]
fn a_map_task_with_much_beside_one_with_little() {
    let context = testkit::context();
    let much = context.parallelize(pairs(200_000, 150_000), 1);
    let little = context.parallelize(pairs(1_000, 100), 1);
    let mut all = pairs(200_000, 150_000);
    all.extend(pairs(1_000, 100));
    let reduced = much.union(&little).union(&context.empty_partition()).reduce_by_key(|a, b| a + b);
    assert!(map_of(reduced.with_partitions(3).collect().unwrap()) == sums(&all));
}

#[test]
fn values_of_a_key_stay_in_the_order_of_partitions_and_arrival() {
    let context = testkit::context();
    let groups = context.parallelize(pairs(300_000, 50_000), 4).group_by_key();
    let groups = map_of(groups.collect().unwrap());
    assert_eq!(groups.len(), 50_000);
    assert!(groups.values().all(|values| values.is_sorted()), "numbers were dealt out in order");
    let text = |n: u64| n.to_string();
    let joined = |a: String, b: String| format!("{a} {b}");
    let combined =
        context.parallelize(pairs(300_000, 200_000), 4).combine_by_key(text, move |a, n| joined(a, text(n)), joined);
    let in_order = |text: &String| text.split(' ').map(|n| n.parse::<u64>().unwrap()).is_sorted();
    assert!(combined.collect().unwrap().iter().all(|(_, text)| in_order(text)));
}

#[test]
fn a_retry_amid_many_keys_counts_each_record_once() {
    let context = testkit::context();
    let (records, failures) = (pairs(400_000, 300_000), AtomicUsize::new(0));
    let expected = sums(&records);
    let reduced = context.parallelize(records, 3).reduce_by_key(|a, b| a + b).with_partitions(4).map(move |sum| {
        assert_ne!(failures.fetch_add(1, Ordering::Relaxed), 150_000, "one record in the middle fails once");
        sum
    });
    assert!(map_of(reduced.collect().unwrap()) == expected);
}

#[test]
fn keys_of_text_survive_their_blocks() {
    let context = testkit::context();
    let folder = testkit::temporary_folder();
    let word = |n: usize| format!("a rather long word number {n}");
    let text: String = (0..200_000).map(|n| word(n % 50_000) + "\n").collect();
    std::fs::write(format!("{folder}/words"), text).unwrap();
    let words = context.text_file(&format!("{folder}/words"), 4).unwrap().map(|line: Text| (line, 1u64));
    let counts: HashMap<Text, u64> = words.reduce_by_key(|a, b| a + b).collect().unwrap().into_iter().collect();
    assert_eq!(counts.len(), 50_000);
    assert!((0..50_000).all(|n| counts[&Text::from(word(n))] == 4));
}
