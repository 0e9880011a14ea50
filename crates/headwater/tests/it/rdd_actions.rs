//! What the actions of datasets say when they are misused, what they compute and what they leave out.

use headwater::env::Clock;
use headwater::prelude::*;
use headwater::testkit::{self, TestEnv};
use headwater::{ErrorKind, RddContext, Result, hash::HashSeed, local::LocalEngine};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T>, part: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program, "{error}");
    assert!(error.to_string().contains(part), "{part} is not in: {error}");
}

/// A dataset of `partitions` numbers, and how often a partition of it was computed.
fn counted(context: &RddContext, partitions: usize) -> (Rdd<(usize, usize)>, Arc<AtomicUsize>) {
    let computed = Arc::new(AtomicUsize::new(0));
    let counter = computed.clone();
    let numbers = context.parallelize((0..partitions).collect(), partitions).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        (n, n)
    });
    (numbers, computed)
}

#[test]
fn misuse_is_named() {
    let numbers = testkit::context().parallelize(vec![1.0, 2.0], 2);
    assert_refused(numbers.histogram(0), "histogram(0): there are from 1 to 1048576 buckets");
    assert_refused(numbers.histogram_within(&[1.0]), "1 bounds; there are 2");
    assert_refused(numbers.histogram_within(&[1.0, 1.0]), "the bound 1 is not above 1");
    assert_refused(numbers.histogram_within(&[1.0, f64::NAN]), "the bound NaN is not above 1");
    assert_refused(numbers.count_approx(seconds(1), 1.5), "the confidence 1.5 is not from 0 to 1");
    let words = numbers.map(|x| x.to_string());
    assert_refused(words.count_approx_distinct(0.4), "count_approx_distinct(0.4): the relative standard deviation");
    assert_refused(words.count_approx_distinct(f64::NAN), "count_approx_distinct(NaN)");
    assert_refused(words.tree_reduce_with_depth(|a, b| a + &b, 0), "tree_reduce with a depth of 0");
}

#[test]
fn numbers_that_cannot_be_divided_are_bad_data() {
    let context = testkit::context();
    for numbers in [vec![], vec![1.0, f64::NAN], vec![1.0, f64::INFINITY], vec![f64::MIN, f64::MAX]] {
        let error = context.parallelize(numbers, 2).histogram(2).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("cannot be divided evenly"), "{error}");
    }
    let equal = context.parallelize(vec![7; 3], 2).histogram(4).unwrap();
    assert_eq!(equal, (vec![7.0, 7.0], vec![3]));
}

#[test]
fn whichever_action_panics_is_the_one_that_is_named() {
    let context = testkit::context();
    let numbers = context.parallelize(vec![1, 2, 3], 1);
    let bad = |_: i32, _: i32| -> i32 { panic!("bad record") };
    fn text<T>(result: Result<T>) -> String {
        result.err().expect("the action fails").to_string()
    }
    let cases = [
        ("for_each at", text(numbers.for_each(|_| panic!("bad record")))),
        ("fold at", text(numbers.fold(0, bad))),
        ("aggregate at", text(numbers.aggregate(0, bad, bad))),
        ("tree_aggregate at", text(numbers.tree_aggregate(0, bad, bad))),
        ("tree_reduce at", text(numbers.tree_reduce(bad))),
        ("max_by at", text(numbers.max_by(|_, _| panic!("bad record")))),
        ("top_by at", text(numbers.top_by(1, |_, _| panic!("bad record")))),
        ("reduce_by_key_locally at", text(numbers.map(|n| (0, n)).reduce_by_key_locally(bad))),
        ("key_by at", text(numbers.key_by(|_| -> i32 { panic!("bad record") }).count())),
        ("group_by at", text(numbers.group_by(|_| -> i32 { panic!("bad record") }).count())),
        (
            "zip_partitions at",
            text(numbers.zip_partitions(&numbers, |_, _| -> [i32; 1] { panic!("bad record") }).count()),
        ),
    ];
    for (operator, error) in cases {
        assert!(error.contains(operator) && error.contains("panicked: bad record"), "{operator}: {error}");
    }
}

#[test]
fn a_tree_joins_in_tasks() {
    let context = testkit::context();
    let (in_tasks, here) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (task_counter, counter, engine) = (in_tasks.clone(), here.clone(), context.clone());
    let join = move |a: u64, b: u64| {
        let counter = if engine.engine().runs_this_thread() { &task_counter } else { &counter };
        counter.fetch_add(1, Ordering::Relaxed);
        a + b
    };
    let numbers = context.parallelize((0..100u64).collect(), 100);
    assert_eq!(numbers.tree_aggregate(0, |a, b| a + b, join).unwrap(), 4950);
    let (in_tasks, here) = (in_tasks.load(Ordering::Relaxed), here.load(Ordering::Relaxed));
    assert_eq!((in_tasks, here), (90, 9), "100 totals become 10 in tasks, and 10 become 1 here");
}

#[test]
fn a_lookup_computes_the_partition_of_its_key() {
    let context = testkit::context();
    let by = context.hash_partitioner(8);
    let (numbers, _) = counted(&context, 100);
    let computed = Arc::new(AtomicUsize::new(0));
    let counter = computed.clone();
    let placed = numbers.partition_by(by).map_partitions_preserving(move |records| {
        counter.fetch_add(1, Ordering::Relaxed);
        records
    });
    assert_eq!((placed.lookup(&42).unwrap(), placed.lookup(&43).unwrap()), (vec![42], vec![43]));
    assert_eq!(computed.load(Ordering::Relaxed), 2);
}

#[test]
fn reading_on_computes_one_partition_at_a_time_and_a_shuffle_once() {
    let context = testkit::context();
    let (numbers, computed) = counted(&context, 10);
    let mut iterator = numbers.to_local_iterator();
    assert_eq!(iterator.by_ref().take(3).map(|n| n.unwrap().0).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(computed.load(Ordering::Relaxed), 3);
    drop(iterator);
    let (numbers, computed) = counted(&context, 10);
    assert_eq!(numbers.reduce_by_key(|a, _| a).with_partitions(7).to_local_iterator().count(), 10);
    assert_eq!(computed.load(Ordering::Relaxed), 10);
}

#[test]
fn reading_on_ends_with_an_error() {
    let numbers = testkit::context().parallelize(vec![1, 2, 3], 3).map(|n| if n == 2 { panic!("bad {n}") } else { n });
    let read: Vec<Result<i32>> = numbers.to_local_iterator().collect();
    assert_eq!(read.len(), 2);
    assert_eq!(*read[0].as_ref().unwrap(), 1);
    assert!(read[1].as_ref().unwrap_err().to_string().contains("panicked: bad 2"));
}

#[test]
fn a_count_that_runs_out_of_time_is_an_estimate() {
    let env = TestEnv::new();
    let engine = LocalEngine::new(1, &*env.env().spawner).unwrap();
    let context = RddContext::new(Arc::new(engine), env.env(), HashSeed::new(7));
    let clock = env.clock.clone();
    // Each partition takes a second.
    let slow = context.parallelize((0..1000).collect(), 10).map_partitions(move |records| {
        clock.advance(seconds(1));
        records
    });
    let half = slow.count_approx(seconds(5), 0.95).unwrap();
    assert_eq!((half.mean, half.confidence, half.low, half.high), (1000.0, 0.95, 957.0, 1044.0));
    assert_eq!(env.clock.now(), Time::from_millis(5000));
    let one = slow.count_approx(seconds(0), 0.95).unwrap();
    assert_eq!((one.mean, env.clock.now()), (1000.0, Time::from_millis(6000)));
    let none = slow.filter(|n| *n > 500).count_approx(seconds(3), 0.95).unwrap();
    assert_eq!((none.mean, none.confidence, none.low, none.high), (0.0, 0.0, 0.0, f64::INFINITY));
    let all = slow.count_approx(seconds(60), 0.95).unwrap();
    assert_eq!((all.mean, all.confidence, all.low, all.high), (1000.0, 1.0, 1000.0, 1000.0));
}

#[test]
fn datasets_without_partitions_have_results() {
    let none = testkit::context().empty_rdd::<u64>();
    assert_eq!(none.aggregate(7, |a, _| a, |a, _| a).unwrap(), 7);
    assert_eq!(none.tree_aggregate(7, |a, _| a, |a, _| a).unwrap(), 7);
    assert_eq!(none.tree_reduce(|a, _| a).unwrap(), None);
    assert_eq!((none.sum().unwrap(), none.stats().unwrap().count()), (0.0, 0));
    assert_eq!(none.histogram_within(&[0.0, 1.0]).unwrap(), [0]);
    assert_eq!((none.top(3).unwrap(), none.count_approx_distinct(0.05).unwrap()), (vec![], 0));
    assert_eq!(none.count_approx(seconds(1), 0.9).unwrap().confidence, 1.0);
    assert!(none.count_by_value().unwrap().is_empty() && none.to_local_iterator().next().is_none());
    none.for_each(|_| panic!("there is no record")).unwrap();
}

#[test]
fn about_as_many_different_records() {
    let context = testkit::context();
    for (count, partitions) in [(0, 3), (1, 1), (500, 3), (100_000, 20)] {
        let words = context.parallelize((0..2 * count).map(|n| n % count.max(1)).collect(), partitions);
        let distinct = words.map(|n| format!("word {n}")).count_approx_distinct(0.02).unwrap() as f64;
        assert!((distinct - count as f64).abs() <= 0.06 * count as f64, "{distinct} of {count}");
    }
}

#[test]
fn a_sample_that_no_driver_can_hold_is_refused() {
    let numbers = headwater::testkit::context().parallelize(vec![1u64, 2], 1);
    let error = numbers.take_sample(true, usize::MAX >> 8, 1).unwrap_err();
    assert_eq!(error.kind(), headwater::ErrorKind::Resources);
    assert!(error.to_string().contains("100000000"), "{error}");
    assert_eq!(numbers.take_sample(false, usize::MAX >> 8, 1).unwrap().len(), 2);
}
