//! `window` and `reduce_by_window`: what is in a window, and when there is one.

use crate::contexts::batches_of;
use headwater::prelude::*;
use headwater::testkit::{Check, test_input};
use headwater::{Data, ErrorKind};

/// One number a batch, from 0 on.
fn one_a_batch(batches: i32) -> Vec<Vec<i32>> {
    (0..batches).map(|n| vec![n]).collect()
}

/// Windows of `length` batches every `slide` batches.
#[track_caller]
fn windows(length: u64, slide: u64, input: Vec<Vec<i32>>, expected: &[&[i32]]) {
    let expected: Vec<_> = expected.iter().map(|window| window.to_vec()).collect();
    let program = move |s: DStream<i32>| s.window((seconds(length), seconds(slide)));
    Check::new().in_order().on_both_engines().run(input, program, expected);
}

#[test]
fn basic() {
    windows(2, 1, one_a_batch(6), &[&[0], &[0, 1], &[1, 2], &[2, 3], &[3, 4], &[4, 5]]);
}
#[test]
fn tumbling() {
    windows(2, 2, one_a_batch(6), &[&[0, 1], &[2, 3], &[4, 5]]);
}
#[test]
fn larger() {
    let mut input = one_a_batch(6);
    input.resize(8, vec![]);
    windows(4, 2, input, &[&[0, 1], &[0, 1, 2, 3], &[2, 3, 4, 5], &[4, 5]]);
}
#[test]
fn non_overlapping() {
    windows(2, 3, one_a_batch(6), &[&[1, 2], &[4, 5]]);
}

/// `testWindow` and `testWindowWithSlideDuration` of `JavaAPISuite`.
#[test]
fn java() {
    let threes = |batches| (0..batches).map(|n| vec![3 * n + 1, 3 * n + 2, 3 * n + 3]).collect::<Vec<_>>();
    let all = |from, to| (from..=to).collect::<Vec<_>>();
    windows(2, 1, threes(3), &[&all(1, 3), &all(1, 6), &all(4, 9)]);
    windows(4, 2, threes(6), &[&all(1, 6), &all(1, 12), &all(7, 18)]);
}

/// `test_window` of PySpark.
#[test]
fn python() {
    let input = (1..=5).map(|n| (0..n).collect()).chain([vec![], vec![]]);
    let expected = [1, 3, 6, 9, 12, 9, 5].map(|count| vec![count]);
    let program = |s: DStream<i32>| s.window(seconds(3)).count();
    Check::new().on_both_engines().run(input, program, expected);
}

/// `testReduceByWindowWithoutInverse` of `JavaAPISuite`, then nothing.
#[test]
fn reduce_by_window() {
    let input = [vec![1, 2, 3], vec![4, 5, 6], vec![7, 8, 9], vec![], vec![]];
    let sum = |s: DStream<i32>| s.reduce_by_window(|a, b| a + b, seconds(2));
    let expected = [vec![6], vec![21], vec![39], vec![24], vec![]];
    Check::new().on_both_engines().run(input.clone(), sum, expected);
    let every_two = |s: DStream<i32>| s.reduce_by_window(i32::max, (seconds(3), seconds(2)));
    Check::new().on_both_engines().run(input, every_two, [vec![6], vec![9]]);
}

/// A window that is longer than the run never waits, and one as long as a batch is the batch.
#[test]
fn very_long_and_very_short_windows() {
    windows(1, 1, one_a_batch(3), &[&[0], &[1], &[2]]);
    windows(100_000_000_000_000, 1, one_a_batch(3), &[&[0], &[0, 1], &[0, 1, 2]]);
    windows(1, 4, one_a_batch(3), &[]);
    let program = |s: DStream<i32>| s.window((Duration::from_secs(u64::MAX), seconds(2)));
    Check::new().on_both_engines().run(one_a_batch(4), program, [vec![0, 1], vec![0, 1, 2, 3]]);
}

/// What each batch of `program` holds, `None` where there is no RDD.
#[track_caller]
fn outputs<U: Data + PartialEq + std::fmt::Debug>(
    input: &[Option<&[i32]>],
    program: fn(DStream<i32>) -> DStream<U>,
    expected: &[Option<Vec<U>>],
) {
    let input = input.iter().map(|batch| Some(batch.as_ref()?.to_vec()));
    for got in Check::new().on_both_engines().outputs(input, program) {
        assert_eq!(got.unwrap(), expected);
    }
}

/// A batch without an RDD adds nothing; a window of such batches alone is an empty RDD.
#[test]
fn missing_batches() {
    let input: [Option<&[i32]>; 7] = [None, Some(&[1]), None, None, None, Some(&[]), Some(&[2])];
    let windows = [vec![], vec![1], vec![1], vec![], vec![], vec![], vec![2]];
    outputs(&input, |s| s.window(seconds(2)), &windows.clone().map(Some));
    outputs(&input, |s| s.reduce_by_window(|a, b| a + b, seconds(2)), &windows.map(Some));
    outputs(&input, |s| s.window(seconds(2)).count(), &[0, 1, 1, 0, 0, 0, 1].map(|count| Some(vec![count])));
}

/// Between two windows there is no RDD, whatever the operators behind it.
#[test]
fn batches_between_two_windows() {
    let input: [Option<&[i32]>; 5] = [Some(&[1]), Some(&[2]), None, Some(&[4]), Some(&[5])];
    let expected = [None, Some(vec![2]), None, Some(vec![1]), None];
    outputs(&input, |s| s.window((seconds(2), seconds(2))).map(|n| n + 1).count(), &expected);
    let transformed = |s: DStream<i32>| s.window((seconds(2), seconds(2))).transform(|rdd, _| rdd.map(|n| n * 10));
    outputs(&input, transformed, &[None, Some(vec![10, 20]), None, Some(vec![40]), None]);
}

#[test]
fn windows_of_windows() {
    // Every two seconds the sums of the last two batches, of which there were two more.
    let program = |s: DStream<i32>| s.window(seconds(2)).reduce(|a, b| a + b).window((seconds(4), seconds(2)));
    let sums = [vec![0, 1], vec![0, 1, 3, 5], vec![3, 5, 7, 9]];
    Check::new().in_order().on_both_engines().run(one_a_batch(6), program, sums);
    // The same batch comes several times.
    let doubled = |s: DStream<i32>| s.window(seconds(2)).window(seconds(2));
    Check::new().in_order().on_both_engines().run(one_a_batch(3), doubled, [vec![0], vec![0, 0, 1], vec![0, 1, 1, 2]]);
    // Windows are counted in the steps of what they read.
    let coarse = |s: DStream<i32>| s.window((seconds(1), seconds(2))).window(seconds(4));
    Check::new().in_order().on_both_engines().run(one_a_batch(6), coarse, [vec![1], vec![1, 3], vec![3, 5]]);
}

#[test]
fn windows_and_joins() {
    let (left, right) = ([vec![1], vec![2], vec![], vec![3]], [vec![1], vec![1], vec![2], vec![2, 3]]);
    let keyed = |s: &DStream<i32>| s.map(|n| (n, n * 10));
    let of_windows = move |l: DStream<i32>, r: DStream<i32>| {
        let window = (seconds(2), seconds(2));
        keyed(&l).window(window).join(&r.map(|n| (n, 'r')).window(window)).map(|(key, _)| key)
    };
    let check = Check::new().on_both_engines();
    check.run_two(left.clone(), right.clone(), of_windows, [vec![1, 1], vec![3]]);
    let of_joins = move |l: DStream<i32>, r: DStream<i32>| {
        keyed(&l).join(&keyed(&r)).window((seconds(3), seconds(2))).map(|(key, _)| key)
    };
    check.run_two(left.clone(), right.clone(), of_joins, [vec![1], vec![3]]);
    // As the guide's example: a window of each, as long as one likes, with the same slide.
    let lengths = move |l: DStream<i32>, r: DStream<i32>| {
        keyed(&l)
            .window(seconds(2))
            .left_outer_join(&keyed(&r).window(seconds(3)))
            .map(|(key, (_, right))| (key, right))
    };
    let expected =
        [vec![(1, Some(10))], vec![(1, Some(10)), (1, Some(10)), (2, None)], vec![(2, Some(20))], vec![(3, Some(30))]];
    check.run_two(left, right, lengths, expected);
}

#[test]
fn streams_of_different_slides_do_not_join() {
    let (ssc, _clock) = headwater::testkit::streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![(1, 1)])], 1);
    numbers.join(&numbers.window((seconds(2), seconds(2)))).print();
    let error = ssc.start().err().expect("the start must fail");
    assert_eq!(error.kind(), ErrorKind::Program);
    let error = error.to_string();
    assert!(error.starts_with("join at crates/headwater/tests/it/windows/plain.rs"), "{error}");
    assert!(error.contains("different slide durations, 1s and 2s"), "{error}");
}

/// An input is asked in every batch, also in those that no window reads: what came then belongs to that batch.
#[test]
fn an_input_is_asked_in_batches_of_no_window() {
    let program = |ssc: &StreamingContext| {
        let queue = RddQueue::new();
        (1..=6).for_each(|n| queue.push(ssc.context().parallelize(vec![n], 1)).unwrap());
        ssc.queue_stream(&queue).window((seconds(1), seconds(3)))
    };
    for got in batches_of(7, program) {
        assert_eq!(got, [None, None, Some(vec![3]), None, None, Some(vec![6]), None]);
    }
}

/// Where all batches are spread alike, so is the window: an operation by key behind it does not shuffle.
#[test]
fn a_window_of_batches_that_are_spread_alike_is_spread_so_too() {
    let program = |s: DStream<i32>| {
        let ones = s.map(|n| (n % 5, 1)).reduce_by_key(|a, b| a + b).with_partitions(3).window(seconds(3));
        ones.transform(|rdd, _| {
            let sums = rdd.reduce_by_key(|a, b| a + b);
            assert_eq!((rdd.num_partitions(), sums.partitioner()), (3, rdd.partitioner()));
            sums
        })
    };
    let input = [vec![1, 6], vec![], vec![6, 2]];
    let expected = [vec![(1, 2)], vec![(1, 2)], vec![(1, 3), (2, 1)]];
    Check::new().on_both_engines().run(input, program, expected);
}
