//! What `transform` does on the isolated engine: its closure runs again on every worker, and its actions have one answer.

use super::isolated::{Backwards, fails};
use headwater::prelude::*;
use headwater::testkit::{Check, check_on_both_engines, isolated, test_input};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

#[test]
fn an_action_inside_transform_gives_every_process_the_drivers_answer() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let program = |numbers: DStream<u64>| {
        numbers.transform(|rdd, _| {
            let asked = rdd.filter(|_| ASKED.fetch_add(1, Ordering::SeqCst) < usize::MAX);
            let (largest, count) = (asked.reduce(u64::max).unwrap().unwrap(), rdd.count().unwrap());
            rdd.map(move |n| n * 100 + largest * 10 + count).repartition(count as usize)
        })
    };
    Check::new().on_both_engines().run([vec![1, 2, 3]], program, [vec![133, 233, 333]]);
    // Once by each of the two drivers: a worker is told the answer.
    assert_eq!(ASKED.load(Ordering::SeqCst), 2 * 3);
}

/// The sampling of the sort and the `take` are jobs over shuffles that the closure has made just before.
#[test]
fn an_action_inside_transform_may_shuffle() {
    let program = |numbers: DStream<u64>| {
        let sorted = numbers.transform(|rdd, _| {
            let counts = rdd.map(|n| (n % 10, 1u64)).reduce_by_key(|a, b| a + b).with_partitions(3);
            counts.sort_by(|(digit, count)| (*count, *digit), false).with_partitions(2)
        });
        sorted.transform(|rdd, _| {
            let least = rdd.group_by_key().map(|(digit, _)| digit).repartition(2).reduce(u64::min).unwrap().unwrap();
            let first = rdd.take(2).unwrap();
            let first = rdd.context().parallelize(first, 2).reduce_by_key(|a, b| a + b).with_partitions(2);
            first.map(move |(digit, count)| (digit, count, least)).sort_by(|(digit, ..)| *digit, true)
        })
    };
    let check = Check::new().in_order().on_both_engines();
    check.run([(0..25).collect(), vec![7]], program, [vec![(3, 3, 0), (4, 3, 0)], vec![(7, 1, 7)]]);
}

/// A worker that made the shuffle would have to know what is counted behind it.
#[test]
fn an_action_inside_transform_asks_for_a_shuffle_of_the_same_transform() {
    let program = |numbers: DStream<u64>| {
        numbers.transform(|rdd, _| {
            let groups = rdd.map(|n| (n % 3, n)).group_by_key();
            let count = groups.count().unwrap();
            let sums = groups.map(move |(key, values)| (key + count, values.into_iter().sum::<u64>())).checkpoint();
            let least = sums.reduce_by_key(u64::min).sort_by_key(true).first().unwrap();
            sums.map(move |sum| (sum, least)).repartition(2)
        })
    };
    let input = [vec![1, 2, 3, 4], vec![7]];
    let least = (3, 3);
    check_on_both_engines(
        input,
        program,
        [vec![((3, 3), least), ((4, 5), least), ((5, 2), least)], vec![((2, 7), (2, 7))]],
    );
}

/// How many jobs an action takes depends on what the process keeps; the answer does not.
#[test]
fn an_action_of_several_jobs_inside_transform_has_one_answer() {
    let program = |numbers: DStream<u64>| {
        let cut = numbers.repartition(5).checkpoint(seconds(1));
        cut.transform(|rdd, _| {
            let (first, none) = (rdd.take(3).unwrap().len(), rdd.filter(|n| *n > 100).is_empty().unwrap());
            let counted = rdd.count_approx(seconds(0), 0.9).unwrap();
            rdd.map(move |n| (n, first, none, counted.high >= 1.0)).repartition(first + 1)
        })
    };
    let input = [vec![], vec![1], (1..=4).collect(), vec![], vec![200]];
    let records = |input: &Vec<u64>| input.iter().map(|n| (*n, input.len().min(3), *n <= 100, true)).collect();
    let expected: Vec<Vec<_>> = input.iter().map(records).collect();
    check_on_both_engines(input, program, expected);
}

/// A checkpoint is whole when its first job has ended, whichever process computed it.
#[test]
fn every_process_knows_that_a_dataset_is_checkpointed() {
    let program = |numbers: DStream<u64>| {
        numbers.map(|n| n + 1).checkpoint(seconds(2)).transform(|rdd, _| {
            rdd.count().unwrap();
            let is_cut = rdd.is_checkpointed();
            rdd.map(move |_| is_cut)
        })
    };
    check_on_both_engines((1..=4).map(|n| vec![n]), program, [false, true, false, true].map(|is_cut| vec![is_cut]));
}

#[test]
fn a_transform_that_differs_from_process_to_process_is_told() {
    static CALLED: AtomicUsize = AtomicUsize::new(0);
    let program = |s: DStream<u64>| {
        s.transform(|rdd, _| match CALLED.fetch_add(1, Ordering::SeqCst) {
            // The local engine, and then the driver.
            0 | 1 => rdd.repartition(2),
            _ => rdd,
        })
    };
    let [local, isolated] = Check::new().on_both_engines().outputs([Some(vec![1])], program);
    assert!(local.is_ok());
    let error = isolated.unwrap_err().to_string();
    assert!(error.contains("does not make the shuffle") && error.contains("transform"), "{error}");
}

/// How many jobs an action takes depends on what is checkpointed, and on the clock: the action is agreed on as a whole.
#[test]
fn an_action_of_several_jobs_is_one_answer() {
    let program = |s: DStream<u64>| {
        s.checkpoint(seconds(1)).transform(|rdd, _| {
            let taken = rdd.take(10).unwrap().len() as u64;
            let counted = rdd.count_approx(seconds(1), 0.9).unwrap().mean as u64;
            let empty = u64::from(rdd.is_empty().unwrap());
            rdd.map(move |n| n * 1000 + taken * 100 + counted * 10 + empty).repartition(2)
        })
    };
    let check = Check::new().input_partitions(4).on_both_engines();
    check.run([vec![1, 2, 3], vec![4]], program, [vec![1330, 2330, 3330], vec![4110]]);
}

#[test]
fn what_transform_saves_is_saved_once() {
    let folder = headwater::testkit::temporary_folder();
    let prefix: &'static str = format!("{folder}/seen").leak();
    let (ssc, clock, stream) = isolated(move |ssc| {
        test_input(ssc, vec![Some(vec![1u64, 2])], 2).transform(move |rdd, time| {
            rdd.save_as_text_file(&format!("{prefix}-{}", time.milliseconds())).unwrap();
            rdd.repartition(2)
        })
    });
    let (sent, received) = mpsc::channel();
    stream.foreach_rdd(move |rdd, _| sent.send(rdd.count().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    assert_eq!(received.recv().unwrap(), 2);
}

#[test]
fn a_partitioner_behind_a_transform_that_does_not_shuffle_by_key_is_an_error() {
    let error = fails(|s| {
        let sorted = s.map(|n| (n, n)).transform(|rdd, _| rdd.sort_by_key(true));
        sorted.with_partitioner(Backwards(2)).map(|(n, _)| n)
    });
    assert!(
        error.contains("with_partitioner stands behind an operation that does not choose its partitions"),
        "{error}"
    );
}
