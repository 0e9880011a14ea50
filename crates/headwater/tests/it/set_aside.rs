//! Records that operators set aside: the rest of the batch goes on, and each is a dead letter once, whatever is computed how
//! often and in which process.

use headwater::dead_letters::{DeadLetter, LetterSource};
use headwater::prelude::*;
use headwater::testkit::{MemorySource, TestEnv, check_on_both_engines, isolated, test_input};
use headwater::{Result, TaskContext};

/// Batch, partition, index, attempt, error and record of each.
type Is<T> = Vec<(i64, usize, u64, u32, String, T)>;

fn told<T: for<'de> serde::Deserialize<'de> + Ord>(letters: &[DeadLetter]) -> Is<T> {
    let of = |of: &DeadLetter| {
        let letter = &of.letter;
        let record = of.record().unwrap();
        (of.batch.milliseconds(), of.partition, letter.index, letter.attempt, letter.error.clone(), record)
    };
    let mut told: Is<T> = letters.iter().map(of).collect();
    told.sort();
    told
}
fn even(n: &u64) -> Result<u64, String> {
    if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
}
/// The letters of `program`, whose input has two batches in two partitions, and its error.
fn letters_of<R>(conf: Conf, program: impl Fn(DStream<u64>) -> R) -> (Vec<DeadLetter>, TestEnv, Result<()>) {
    let env = TestEnv::in_memory();
    let ssc = StreamingContext::with_env(conf.master("local[2]"), seconds(1), env.env()).unwrap();
    program(test_input(&ssc, vec![Some((0..6).collect()), Some(vec![8, 9])], 2));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(2));
    let ended = running.await_batches(2);
    (running.dead_letters().unwrap(), env, ended)
}
fn expected() -> Is<u64> {
    let letter = |batch, partition, index, n: u64| (batch, partition, index, 1, format!("{n} is odd"), n);
    vec![letter(1000, 0, 1, 1), letter(1000, 1, 0, 3), letter(1000, 1, 2, 5), letter(2000, 1, 0, 9)]
}

#[test]
fn the_rest_of_the_batch_goes_on_in_every_engine() {
    let input = || [vec![1u64, 2, 3, 4], vec![5, 7], vec![]];
    check_on_both_engines(input(), |numbers| numbers.set_aside().try_map(even), [vec![1, 2], vec![], vec![]]);
    let twice = |numbers: DStream<u64>| numbers.set_aside().try_flat_map(|n| even(n).map(|half| [half, *n]));
    check_on_both_engines(input(), twice, [vec![1, 2, 2, 4], vec![], vec![]]);
    let large = |numbers: DStream<u64>| numbers.set_aside().try_filter(|n| even(n).map(|half| half > 1));
    check_on_both_engines(input(), large, [vec![4], vec![], vec![]]);
    let panics = |n: &u64| even(n).unwrap();
    check_on_both_engines(input(), move |numbers| numbers.set_aside().map(panics), [vec![1, 2], vec![], vec![]]);
    let none = |numbers: DStream<u64>| numbers.set_aside().filter(|n| even(n).unwrap() > 1);
    check_on_both_engines(input(), none, [vec![4], vec![], vec![]]);
    // Half of what a record becomes is there when the iterator fails.
    let parts = |n: &u64| {
        (0..3).map({
            let n = *n;
            move |part| 12 / (n - part)
        })
    };
    let input = [vec![3u64, 1, 4]];
    check_on_both_engines(input, move |n| n.set_aside().flat_map(parts), [vec![4, 6, 12, 3, 4, 6]]);
}

#[test]
fn letters_of_workers_come_to_the_driver_as_those_of_one_process_do() {
    let (local, ..) = letters_of(Conf::new(), |numbers| numbers.set_aside().try_map(even).uid("halve").print());
    let (ssc, clock, ()) = isolated(|ssc| {
        let numbers = test_input(ssc, vec![Some((0..6).collect()), Some(vec![8, 9])], 2);
        numbers.set_aside().try_map(even).uid("halve").print();
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    running.await_batches(2).unwrap();
    let isolated = running.dead_letters().unwrap();
    for letters in [&local, &isolated] {
        assert_eq!(told(letters), expected());
        assert!(letters.iter().all(|letter| letter.operator == "halve"));
        assert_eq!(letters.iter().map(|letter| letter.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}

#[test]
fn a_record_is_one_letter_however_often_it_is_computed() {
    let (letters, ..) = letters_of(Conf::new(), |numbers| {
        let halves = numbers.set_aside().try_map(even);
        // All of it, the beginning of it, behind a shuffle, twice in one job, and in windows that compute it anew.
        halves.foreach_rdd(|rdd, _| rdd.count().map(drop));
        halves.foreach_rdd(|rdd, _| rdd.take(1).map(drop));
        halves.map(|n| (n % 2, n)).reduce_by_key(|a, b| a + b).foreach_rdd(|rdd, _| rdd.collect().map(drop));
        halves.foreach_rdd(|rdd, _| rdd.cartesian(&rdd).count().map(drop));
        halves.foreach_rdd(|rdd, _| rdd.union(&rdd).count().map(drop));
        halves.window(seconds(2)).foreach_rdd(|rdd, _| rdd.count().map(drop));
    });
    assert_eq!(told(&letters), expected());
}

#[test]
fn a_task_that_fails_leaves_no_letter_and_its_retry_leaves_them_once() {
    let (letters, _, ended) = letters_of(Conf::new(), |numbers| {
        let halves = numbers.set_aside().try_map(even);
        let second_try = |n: u64| {
            assert!(TaskContext::get().unwrap().attempt_number() > 0, "the first attempts fail");
            n
        };
        halves.map(second_try).foreach_rdd(|rdd, _| rdd.count().map(drop));
        halves.filter(|_| panic!("always")).foreach_rdd(|rdd, _| rdd.count().map(drop));
    });
    assert!(ended.unwrap_err().to_string().contains("always"));
    // The second batch may not have come.
    let of_first = |letters: Is<u64>| letters.into_iter().filter(|of| of.0 == 1000).collect::<Is<u64>>();
    assert_eq!(of_first(told(&letters)), of_first(expected()));
}

#[test]
fn what_somebody_has_enough_of_is_set_aside_as_far_as_it_was_read() {
    let (letters, ..) = letters_of(Conf::new(), |numbers| {
        numbers
            .repartition(1)
            .transform(|rdd, _| rdd.sort_by(|n| *n, true))
            .set_aside()
            .try_map(even)
            .foreach_rdd(|rdd, _| rdd.first().map(drop));
    });
    let records: Vec<u64> = told::<u64>(&letters).into_iter().map(|(.., record)| record).collect();
    // A chunk of records is read at once.
    assert!(records.contains(&1) && records.contains(&9), "{records:?}");
}

#[test]
fn a_window_that_asks_later_brings_letters_of_the_batch_they_belong_to() {
    let (letters, ..) = letters_of(Conf::new(), |numbers| {
        let window = numbers.set_aside().try_map(even).window((seconds(2), seconds(2)));
        window.foreach_rdd(|rdd, _| rdd.count().map(drop));
    });
    assert_eq!(told(&letters), expected());
}

#[test]
fn a_panic_and_a_long_error_are_told() {
    let (letters, ..) = letters_of(Conf::new(), |numbers| {
        let panics = |n: &u64| {
            assert!(*n != 2, "it is {n}");
            *n
        };
        numbers.set_aside().map(panics).uid("map").print();
        numbers
            .set_aside()
            .try_filter(|n| if *n == 8 { Err("x".repeat(5000)) } else { Ok(true) })
            .uid("filter")
            .print();
    });
    let letter = |operator: &str| letters.iter().find(|letter| letter.operator == operator).unwrap().letter.clone();
    assert_eq!((letters.len(), letter("map").error.as_str()), (2, "panicked: it is 2"));
    assert_eq!(letter("filter").error, "x".repeat(997) + "...");
}

#[test]
fn an_error_that_cannot_be_shown_is_told_so() {
    #[derive(Debug)]
    struct Silent;
    impl std::fmt::Display for Silent {
        fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result {
            panic!("there are no words")
        }
    }
    impl std::error::Error for Silent {}
    let program = |n: DStream<u64>| n.set_aside().try_map(|n| if *n < 5 { Ok(*n) } else { Err(Silent) }).print();
    let (letters, _, ended) = letters_of(Conf::new(), program);
    ended.unwrap();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[0].letter.error, "its error panicked when shown: there are no words");
}

#[test]
fn memory_keeps_the_newest_and_says_so_once() {
    let program = |numbers: DStream<u64>| numbers.set_aside().try_map(even).foreach_rdd(|rdd, _| rdd.count().map(drop));
    let (letters, env, ended) = letters_of(Conf::new().dead_letters_max(2), program);
    ended.unwrap();
    let batches: Vec<i64> = letters.iter().map(|letter| letter.batch.milliseconds()).collect();
    assert_eq!(batches, [1000, 2000]);
    let warnings = env.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("(2 dead letters, "), "{warnings:?}");
}

#[test]
fn a_record_that_cannot_be_set_aside_fails_its_batch_and_says_why() {
    let (letters, _, ended) = letters_of(Conf::new(), |numbers| {
        let long = numbers.map(|n| if n == 3 { "x".repeat((8 << 20) + 1) } else { "1".to_owned() });
        long.set_aside().try_map(|text| text.parse::<u64>()).print();
    });
    let error = ended.unwrap_err().to_string();
    assert!(
        error.contains("invalid digit found in string) cannot be set aside: it has 8388614 bytes, and 8388608"),
        "{error}"
    );
    assert!(letters.is_empty());
}

#[test]
fn a_letter_tells_where_its_source_has_the_record() {
    let env = TestEnv::in_memory();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(8, 2, |n| n).uid("numbers");
    let bad = |n: &u64| if n % 4 == 1 { Err("bad") } else { Ok(*n) };
    let count = |stream: DStream<u64>, uid: &str| {
        stream.uid(uid).foreach_rdd(|rdd, _| rdd.count().map(drop));
    };
    count(numbers.set_aside().try_map(bad), "of the input");
    count(numbers.filter(|n| *n > 1).set_aside().try_map(bad), "of what is left");
    count(numbers.repartition(2).set_aside().try_map(bad), "behind a shuffle");
    let source = MemorySource::new("gaps", 1);
    source.append(0, [0, 1]).unwrap();
    source.skip_to(0, 5).unwrap();
    source.append(0, [2]).unwrap();
    count(ssc.direct_stream(source).uid("gaps").set_aside().try_map(bad), "with gaps");
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    let letters = running.dead_letters().unwrap();
    let told = |operator: &str| {
        let of = letters.iter().filter(|letter| letter.operator == operator);
        let mut told: Vec<_> = of.map(|of| of.letter.source.as_ref().map(LetterSource::to_string)).collect();
        told.sort();
        told
    };
    let says = |text: &str| Some(format!("numbers, partition 1, {text}"));
    assert_eq!(told("of the input"), [says("offset 0"), says("offset 2")]);
    assert_eq!(told("of what is left"), [says("in offsets 0..4")]);
    assert_eq!(told("behind a shuffle"), [None, None]);
    assert_eq!(told("with gaps"), [Some("gaps, partition 0, in offsets 0..6".to_owned())]);
}

#[test]
fn values_are_set_aside_with_their_keys_which_stay_where_they_are() {
    let halved = |numbers: DStream<u64>| {
        let sums = numbers.map(|n| (n % 3, n)).reduce_by_key(|a, b| a + b);
        sums.set_aside().try_map_values(even).uid("halve").group_by_key().map_values(|halves| halves.len())
    };
    check_on_both_engines([vec![0u64, 1, 2, 3, 5, 7]], halved, [vec![(1, 1)]]);
    let (letters, ..) = letters_of(Conf::new(), |numbers| {
        let pairs = numbers.map(|n| (n % 3, n));
        pairs.set_aside().map_values(|n| even(n).unwrap()).uid("halve").print();
    });
    let mut records: Vec<(u64, u64)> = letters.iter().map(|letter| letter.record().unwrap()).collect();
    records.sort_unstable();
    assert_eq!(records, [(0, 3), (0, 9), (1, 1), (2, 5)]);
}
