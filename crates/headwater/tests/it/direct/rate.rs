//! `rate_stream`: how many records a batch has follows from its time.

use super::{batches_of, context, partitions_of};
use headwater::prelude::*;
use headwater::testkit::isolated;

/// The partitions of six batches of a second, the clock moved by so many seconds each time.
fn batches(steps: &[u64], conf: Conf) -> Vec<Vec<Vec<u64>>> {
    let (ssc, env) = context(conf);
    let received = partitions_of(&ssc.rate_stream(5, 2, |n| n * 10));
    let running = ssc.start().unwrap();
    for step in steps {
        env.clock.advance(seconds(*step));
    }
    running.await_batches(6).unwrap();
    running.stop().unwrap();
    received.try_iter().collect()
}

#[test]
fn late_batches_have_what_they_would_have_had_in_time() {
    let in_time = batches(&[1; 6], Conf::new());
    assert_eq!(in_time[..2], [[vec![0, 20, 40], vec![10, 30]], [vec![60, 80], vec![50, 70, 90]]]);
    assert_eq!(batches(&[1, 4, 1], Conf::new()), in_time);
    let mut all = in_time.concat().concat();
    all.sort();
    assert_eq!(all, (0..30).map(|n| n * 10).collect::<Vec<_>>());
}

#[test]
fn above_the_limit_it_goes_slower_and_leaves_nothing_out() {
    let limited = batches(&[6], Conf::new().max_rate_per_partition(1));
    assert_eq!(limited, (0..6).map(|n| vec![vec![n * 20], vec![n * 20 + 10]]).collect::<Vec<_>>());
}

#[test]
fn workers_make_the_same_records() {
    let (ssc, clock, stream) = isolated(|ssc| ssc.rate_stream(5, 2, |n| n * 10).glom());
    let received = batches_of(&stream);
    let running = ssc.start().unwrap();
    clock.advance(seconds(6));
    running.await_batches(6).unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), batches(&[6], Conf::new()));
}

#[test]
fn a_rate_or_partitions_out_of_range_fail_the_start() {
    let error = |rate, partitions| {
        let (ssc, _) = context(Conf::new());
        ssc.rate_stream(rate, partitions, |n| n).print();
        ssc.start().err().unwrap().to_string()
    };
    assert!(error(0, 1).starts_with("rate_stream at crates/headwater/tests/it/direct/rate.rs:"), "{}", error(0, 1));
    assert!(error(0, 1).ends_with("a rate of 0 records a second: it is from 1 to 1000000000"));
    assert!(error(1, 0).ends_with("0 partitions: a stream has from 1 to 1048576"));
}
