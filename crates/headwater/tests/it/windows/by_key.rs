//! `group_by_key_and_window`.

use crate::contexts::on_both_engines;
use headwater::Partitioner;
use headwater::prelude::*;
use headwater::testkit::{Check, test_input};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

/// Spark's `bigInput`: the keys of twelve batches.
const BIG_INPUT: [&str; 12] = ["a", "ab", "abc", "ab", "a", "", "a", "ab", "abc", "ab", "a", ""];

fn big_input() -> Vec<Vec<(char, i32)>> {
    BIG_INPUT.iter().map(|batch| batch.chars().map(|key| (key, 1)).collect()).collect()
}

#[test]
fn big_input_of_spark() {
    let program = |s: DStream<(char, i32)>| s.group_by_key_and_window((seconds(2), seconds(1)));
    let expected = ["a", "aab", "aabbc", "aabbc", "aab", "a", "a", "aab", "aabbc", "aabbc", "aab", "a"];
    let ones = |batch: &str| {
        let of = |key| (key, vec![1; batch.matches(key).count()]);
        ['a', 'b', 'c'].map(of).into_iter().filter(|(_, ones)| !ones.is_empty()).collect::<Vec<_>>()
    };
    Check::new().on_both_engines().run(big_input(), program, expected.map(ones));
}

/// `testGroupByKeyAndWindow` of `JavaAPISuite`, whose lists are sorted.
#[test]
fn java() {
    let of = |values: [i32; 4]| {
        vec![("california", values[0]), ("california", values[1]), ("new york", values[2]), ("new york", values[3])]
    };
    let named = |pairs: Vec<(&str, i32)>| pairs.into_iter().map(|(city, n)| (city.to_string(), n)).collect::<Vec<_>>();
    let input = [named(of([1, 3, 4, 1])), named(of([5, 5, 3, 1])), vec![]];
    let program = |s: DStream<(String, i32)>| {
        s.group_by_key_and_window(seconds(2)).map_values(|mut values| {
            values.sort();
            values
        })
    };
    let cities = |california: &[i32], new_york: &[i32]| {
        vec![("california".to_string(), california.to_vec()), ("new york".to_string(), new_york.to_vec())]
    };
    let expected = [cities(&[1, 3], &[1, 4]), cities(&[1, 3, 5, 5], &[1, 1, 3, 4]), cities(&[5, 5], &[1, 3])];
    Check::new().on_both_engines().run(input, program, expected);
}

/// `test_group_by_key_and_window` of PySpark, and what it leaves out: windows every two batches, and a window without
/// records, of which no key is left.
#[test]
fn python() {
    let input: Vec<_> = (0..5).map(|n| vec![('a', n)]).chain([vec![], vec![], vec![]]).collect();
    let lists: [&[i32]; 8] = [&[0], &[0, 1], &[0, 1, 2], &[1, 2, 3], &[2, 3, 4], &[3, 4], &[4], &[]];
    let expected = lists.map(|list| if list.is_empty() { vec![] } else { vec![('a', list.to_vec())] });
    let check = Check::new().on_both_engines();
    check.run(input.clone(), |s| s.group_by_key_and_window(seconds(3)), expected.clone());
    let every_second = expected.into_iter().skip(1).step_by(2);
    check.run(input, |s| s.group_by_key_and_window((seconds(3), seconds(2))), every_second);
}

/// Values come batch after batch, and in a batch in the order of its partitions.
#[test]
fn values_are_in_the_order_of_time() {
    let input: Vec<_> = (0..4).map(|batch| (0..50).map(|n| (n % 3, batch * 50 + n)).collect::<Vec<_>>()).collect();
    let window =
        |from: i32, to: i32| (0..3).map(|key| (key, (from..to).filter(|n| n % 50 % 3 == key).collect())).collect();
    let expected: [Vec<(i32, Vec<i32>)>; 4] = [window(0, 50), window(0, 100), window(0, 150), window(50, 200)];
    let program = |s: DStream<(i32, i32)>| s.group_by_key_and_window(seconds(3));
    Check::new().input_partitions(5).threads(3).on_both_engines().run(input, program, expected);
}

/// How often a key was given its partition, in all processes.
static PLACED: AtomicUsize = AtomicUsize::new(0);

#[derive(PartialEq, Clone, Copy)]
struct ByRemainder(usize);
impl Partitioner<i32> for ByRemainder {
    fn num_partitions(&self) -> usize {
        self.0
    }
    fn partition(&self, key: &i32) -> usize {
        PLACED.fetch_add(1, Ordering::Relaxed);
        *key as usize % self.0
    }
}

/// The choice behind the operator places the batches too: each is shuffled once, and a window not at all.
#[test]
fn the_chosen_partitions_are_those_of_the_batches() {
    type Lists = DStream<(i32, Vec<i32>)>;
    let choices: [(usize, fn(Lists) -> Lists); 4] = [
        (3, |s| s.with_partitions(3)),
        (5, |s| s.with_partitions(2).with_partitions(5)),
        (2, |s| s),
        (4, |s| s.with_partitioner(ByRemainder(4))),
    ];
    for (partitions, choose) in choices {
        let built = on_both_engines(move |ssc| {
            let batches = (0..6).map(|batch| Some((0..20).map(|n| (n, batch)).collect())).collect();
            choose(test_input::<(i32, i32)>(ssc, batches, 2).group_by_key_and_window(seconds(3)))
        });
        for built in built {
            let before = PLACED.load(Ordering::Relaxed);
            let (sent, seen) = channel();
            built.result.foreach_rdd(move |rdd, _| {
                assert_eq!(rdd.partitioner().map(|known| known.num_partitions()), Some(partitions));
                sent.send(rdd.glom().collect().unwrap()).unwrap();
            });
            let (running, _) = built.run(6);
            running.stop_gracefully().unwrap();
            for (batch, lists) in (0..6).zip(seen.try_iter().collect::<Vec<_>>()) {
                let values: Vec<i32> = ((batch - 2).max(0)..=batch).collect();
                assert_eq!((lists.len(), lists.iter().map(Vec::len).sum::<usize>()), (partitions, 20));
                assert!(lists.iter().flatten().all(|(_, list)| *list == values), "{lists:?}");
            }
            let records = if partitions == 4 { 6 * 20 } else { 0 };
            assert_eq!(PLACED.load(Ordering::Relaxed) - before, records);
        }
    }
}

#[test]
fn what_the_choice_cannot_be() {
    let (ssc, _clock) = headwater::testkit::streaming_context();
    let pairs = test_input(&ssc, vec![Some(vec![(1, 1)])], 1);
    pairs.group_by_key_and_window(seconds(2)).with_partitions(0).print();
    let error = ssc.start().err().expect("the start must fail").to_string();
    assert!(error.starts_with("group_by_key_and_window at crates/headwater/tests/it/windows/by_key.rs"), "{error}");
    assert!(error.contains("with_partitions(0)"), "{error}");
}
