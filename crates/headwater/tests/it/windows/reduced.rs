//! `reduce_by_key_and_window` in all forms, `count_by_window` and `count_by_value_and_window`: Spark's tables.

use headwater::prelude::*;
use headwater::testkit::{Check, IsolatedProgram};

type Pairs = Vec<(char, i32)>;

/// `"a2b1"` for two records.
fn pairs(text: &str) -> Pairs {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(2).map(|pair| (pair[0], pair[1].to_digit(10).unwrap() as i32)).collect()
}

fn plain(s: DStream<(char, i32)>) -> DStream<(char, i32)> {
    s.reduce_by_key_and_window(|a, b| a + b, (seconds(2), seconds(1)))
}
fn inverse(s: DStream<(char, i32)>) -> DStream<(char, i32)> {
    s.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, (seconds(2), seconds(1)))
}
fn filtered(s: DStream<(char, i32)>) -> DStream<(char, i32)> {
    let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, (seconds(2), seconds(1)));
    s.reduce_by_key_and_window_with(sum.filter(|_, sum| *sum != 0))
}

#[track_caller]
fn check(
    program: impl Fn(DStream<(char, i32)>) -> DStream<(char, i32)> + IsolatedProgram,
    input: &[&str],
    expected: &[&str],
) {
    let batches = |texts: &[&str]| texts.iter().map(|text| pairs(text)).collect::<Vec<_>>();
    Check::new().on_both_engines().run(batches(input), program, batches(expected));
}

#[test]
fn basic() {
    check(plain, &["a1a3"], &["a4"]);
    check(inverse, &["a1a3"], &["a4"]);
}

#[test]
fn a_key_that_is_in_the_window_already() {
    check(plain, &["a1", "a1"], &["a1", "a2"]);
    check(inverse, &["a1", "a1"], &["a1", "a2"]);
}

#[test]
fn a_new_key() {
    check(plain, &["a1", "a1b1"], &["a1", "a2b1"]);
    check(inverse, &["a1", "a1b1"], &["a1", "a2b1"]);
}

#[test]
fn a_key_that_leaves() {
    let input = ["a1", "a1", "", ""];
    check(plain, &input, &["a1", "a2", "a1", ""]);
    check(inverse, &input, &["a1", "a2", "a1", "a0"]);
    check(filtered, &input, &["a1", "a2", "a1", ""]);
}

#[test]
fn a_larger_slide() {
    let input = ["a1", "a2", "a3", "a4", "a5", "a6", "", ""];
    // 10, 18 and 11 are no single digits.
    let sums = [3, 10, 18, 11].map(|sum| vec![('a', sum)]);
    let batches = || input.map(pairs);
    let window = (seconds(4), seconds(2));
    let check = || Check::new().on_both_engines();
    check().run(batches(), move |s| s.reduce_by_key_and_window(|a, b| a + b, window), sums.clone());
    let inverse = move |s: DStream<(char, i32)>| s.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, window);
    check().run(batches(), inverse, sums);
}

const BIG_INPUT: [&str; 12] = ["a1", "a1b1", "a1b1c1", "a1b1", "a1", "", "a1", "a1b1", "a1b1c1", "a1b1", "a1", ""];

#[test]
fn big_input() {
    let sums = ["a1", "a2b1", "a2b2c1", "a2b2c1", "a2b1", "a1", "a1", "a2b1", "a2b2c1", "a2b2c1", "a2b1", "a1"];
    check(plain, &BIG_INPUT, &sums);
    check(filtered, &BIG_INPUT, &sums);
    let with_zeros = [
        "a1", "a2b1", "a2b2c1", "a2b2c1", "a2b1c0", "a1b0c0", "a1b0c0", "a2b1c0", "a2b2c1", "a2b2c1", "a2b1c0",
        "a1b0c0",
    ];
    check(inverse, &BIG_INPUT, &with_zeros);
}

#[test]
fn count_by_window() {
    let input = [vec![1], vec![1], vec![1, 2], vec![0], vec![], vec![]];
    let counts = [1, 2, 3, 3, 1, 0].map(|count| vec![count]);
    let program = |s: DStream<i32>| s.count_by_window((seconds(2), seconds(1)));
    Check::new().on_both_engines().run(input, program, counts);
    // From the first window on, and not from the first record on.
    let none: [Vec<i32>; 3] = [vec![], vec![], vec![]];
    Check::new().on_both_engines().run(none, |s| s.count_by_window(seconds(2)), [vec![0], vec![0], vec![0]]);
}

#[test]
fn count_by_value_and_window() {
    let input = [vec!['a'], vec!['b', 'b'], vec!['a', 'b']];
    let counts = [vec![('a', 1)], vec![('a', 1), ('b', 2)], vec![('a', 1), ('b', 3)]];
    let program = |s: DStream<char>| s.count_by_value_and_window((seconds(2), seconds(1)));
    Check::new().on_both_engines().run(input, program, counts);
}

/// A slide that is longer than the window: Spark counts the batches between two windows in, for good.
#[test]
fn batches_between_two_windows() {
    let input = ["a1", "a2", "a3", "a4", "b1", "a6"];
    let check = |program: fn(DStream<(char, i32)>) -> DStream<(char, i32)>, expected: [&str; 2]| {
        Check::new().on_both_engines().run(input.map(pairs), program, expected.map(pairs));
    };
    check(|s| s.reduce_by_key_and_window(|a, b| a + b, (seconds(1), seconds(3))), ["a3", "a6"]);
    check(|s| s.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, (seconds(1), seconds(3))), ["a3", "a6"]);
}

/// A sum that passes through zero while records of its key are in the window: Spark forgets the key, and is wrong later.
#[test]
fn a_filter_that_drops_a_key_of_the_window() {
    let input = [vec![('a', 5)], vec![('a', -5)], vec![('a', 1)], vec![]];
    let program = |s: DStream<(char, i32)>| {
        let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(3)).filter(|_, sum| *sum != 0);
        s.reduce_by_key_and_window_with(sum)
    };
    Check::new().on_both_engines().run(input, program, [vec![('a', 5)], vec![], vec![('a', 1)], vec![('a', -4)]]);
}

/// What rounding leaves over is gone after the batch in which aggregates are made anew.
#[test]
fn aggregates_are_made_anew() {
    let of = |every: usize| {
        move |s: DStream<(char, f64)>| {
            let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(2)).rebase_every(every);
            s.reduce_by_key_and_window_with(sum)
        }
    };
    let input = || [vec![('a', 1e16)], vec![('a', 1.0)], vec![('a', 1.0)], vec![('a', 1.0)]];
    let drifted = [vec![('a', 1e16)], vec![('a', 1e16)], vec![('a', 1.0)], vec![('a', 1.0)]];
    Check::new().on_both_engines().run(input(), of(0), drifted);
    let right = [vec![('a', 1e16)], vec![('a', 1e16)], vec![('a', 2.0)], vec![('a', 2.0)]];
    Check::new().on_both_engines().run(input(), of(3), right);
}

/// A reduce function that fails once leaves nothing behind: the second try gives what the first would have.
#[test]
fn a_failed_try_leaves_nothing() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let calls: Arc<AtomicUsize> = Arc::default();
    let program = move |s: DStream<(char, i32)>| {
        let (adds, takes) = (calls.clone(), calls.clone());
        let fails = |calls: &AtomicUsize| assert!(calls.fetch_add(1, Ordering::Relaxed) % 7 != 6, "a hiccup");
        let sum = WindowReduce::new(
            move |a, b| {
                fails(&adds);
                a + b
            },
            move |a, b| {
                fails(&takes);
                a - b
            },
            seconds(3),
        );
        s.reduce_by_key_and_window_with(sum.filter(|_, sum| *sum != 0))
    };
    let batch = |n: i32| (0..3).map(|key| (char::from(b'a' + key as u8), n + key)).collect::<Vec<_>>();
    let window = |numbers: std::ops::RangeInclusive<i32>| {
        let numbers: Vec<i32> = numbers.filter(|n| (0..8).contains(n)).collect();
        let sum = |key: i32| numbers.iter().map(|n| n + key).sum::<i32>();
        let sums = (0..3).map(|key| (char::from(b'a' + key as u8), sum(key))).filter(|(_, sum)| *sum != 0);
        sums.collect::<Vec<_>>()
    };
    let input: Vec<_> = (0..8).map(batch).chain([vec![], vec![]]).collect();
    let expected: Vec<_> = (0..10).map(|n| window(n - 2..=n)).collect();
    Check::new().input_partitions(1).run(input, program, expected);
}

/// Aggregates that are made anew are no changes: only keys of which a value entered or left are told.
#[test]
fn changes_are_told_where_aggregates_are_made_anew() {
    let program = |s: DStream<(char, i32)>| {
        let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, seconds(3)).rebase_every(2);
        s.reduce_by_key_and_window_changes(sum)
    };
    let input = [vec![('a', 1), ('b', 5)], vec![('a', 2)], vec![], vec![('c', 1)]];
    let expected = [
        vec![('a', Some(1)), ('b', Some(5))],
        vec![('a', Some(3))],
        vec![],
        vec![('a', Some(2)), ('b', None), ('c', Some(1))],
    ];
    Check::new().on_both_engines().run(input, program, expected);
}

/// `rebase_every` counts batches, not windows; where a batch ends no window the next window is made anew.
#[test]
fn aggregates_are_made_anew_by_batches() {
    let of = |every: usize| {
        move |s: DStream<(char, f64)>| {
            let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, (seconds(4), seconds(2))).rebase_every(every);
            s.reduce_by_key_and_window_changes(sum)
        }
    };
    let check = |every, expected: [f64; 4]| {
        let input = [1e16, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0].map(|n| vec![('a', n)]);
        Check::new().on_both_engines().run(input, of(every), expected.map(|sum| vec![('a', Some(sum))]));
    };
    check(0, [1e16, 1e16, 1.0, 1.0]);
    check(2, [1e16, 1e16, 4.0, 4.0]);
    check(7, [1e16, 1e16, 1.0, 4.0]);
}
