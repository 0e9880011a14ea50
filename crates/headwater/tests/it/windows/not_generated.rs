//! Windows by key over batches that cannot be generated in their turn: no window is told without them.

use crate::contexts::{Built, on_both_engines};
use crate::state_failures::await_all;
use headwater::prelude::*;
use headwater::testkit::test_input;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

/// Batch 1 has the value 1, batch 2 the value 2, then 4, 8, ..: a sum tells its batches. While `away` is set, batch 2
/// cannot be generated.
fn powers(ssc: &StreamingContext, away: &'static AtomicBool) -> DStream<(char, u32)> {
    let powers = test_input(ssc, (0..8).map(|n| Some(vec![('a', 1 << n)])).collect(), 1);
    powers.transform(|rdd, time| {
        assert!(time.milliseconds() != 2000 || !away.load(Ordering::Relaxed), "the table is away");
        rdd
    })
}

/// The sums by second. Batch 2 cannot be generated until that of the second `back` is.
fn sums(built: Built<DStream<(char, u32)>>, away: &AtomicBool, back: u64) -> BTreeMap<i64, u32> {
    away.store(true, Ordering::Relaxed);
    let (sent, received) = channel();
    built.result.foreach_rdd(move |rdd, time| {
        sent.send((time.milliseconds() / 1000, rdd.collect()?.into_iter().map(|(_, sum)| sum).sum())).unwrap();
        Ok::<(), headwater::Error>(())
    });
    let running = built.ssc.start().unwrap();
    for batch in 1..=8 {
        if batch == back {
            away.store(false, Ordering::Relaxed);
        }
        built.clock.advance(seconds(1));
        if let Some(error) = await_all(&running, batch).map(|error| error.to_string()) {
            assert!(
                error.contains("the table is away") || error.contains("no batch 2000 ms"),
                "batch {batch}: {error}"
            );
        }
    }
    received.try_iter().collect()
}

#[test]
fn a_batch_enters_with_the_next() {
    static AWAY: AtomicBool = AtomicBool::new(false);
    let build = |ssc: &StreamingContext| {
        powers(ssc, &AWAY).reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(3))
    };
    let expected = [(1, 1), (3, 1 + 2 + 4), (4, 2 + 4 + 8), (5, 28), (6, 56), (7, 112), (8, 224)];
    for built in on_both_engines(build) {
        assert_eq!(sums(built, &AWAY, 3), BTreeMap::from(expected));
    }
}

#[test]
fn there_is_no_window_over_a_batch_that_never_comes() {
    static AWAY: AtomicBool = AtomicBool::new(false);
    let build = |ssc: &StreamingContext| powers(ssc, &AWAY).reduce_by_key_and_window(|a, b| a + b, seconds(4));
    let expected = [(1, 1), (6, 4 + 8 + 16 + 32), (7, 8 + 16 + 32 + 64), (8, 240)];
    for built in on_both_engines(build) {
        assert_eq!(sums(built, &AWAY, u64::MAX), BTreeMap::from(expected));
    }
}

#[test]
fn a_slide_enters_with_the_next() {
    static AWAY: AtomicBool = AtomicBool::new(false);
    let build = |ssc: &StreamingContext| {
        let sum = WindowReduce::new(|a, b| a + b, |a, b| a - b, (seconds(6), seconds(3)));
        powers(ssc, &AWAY).reduce_by_key_and_window_changes(sum).map(|(key, sum)| (key, sum.unwrap_or(0)))
    };
    for built in on_both_engines(build) {
        assert_eq!(sums(built, &AWAY, 6), BTreeMap::from([(6, 63)]));
    }
}
