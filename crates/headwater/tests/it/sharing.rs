//! What several readers of one dataset cost, and what is remembered and forgotten.

use headwater::prelude::*;
use headwater::testkit::{self, streaming_context, test_input};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A counter, and a closure that counts its calls in it.
fn counting() -> (Arc<AtomicUsize>, impl Fn(i32) -> (i32, i32) + Clone) {
    let count = Arc::new(AtomicUsize::new(0));
    let calls = count.clone();
    let f = move |n| {
        calls.fetch_add(1, Ordering::Relaxed);
        (n % 3, n)
    };
    (count, f)
}

#[test]
fn a_shuffle_with_several_outputs_runs_its_map_side_once() {
    let (ssc, clock) = streaming_context();
    let (calls, pairs) = counting();
    let sums = test_input(&ssc, vec![Some((0..10).collect())], 2).map(pairs).reduce_by_key(|a, b| a + b);
    sums.print();
    sums.map_values(|n| n + 1).print();
    sums.foreach_rdd(|rdd, _| {
        assert_eq!(rdd.count().unwrap(), 3);
        assert_eq!(rdd.collect().unwrap().len(), 3);
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 10);
}

#[test]
fn a_dataset_joined_with_itself_is_computed_once() {
    let context = testkit::context();
    let (calls, pairs) = counting();
    let sums = context.parallelize((0..10).collect(), 2).map(pairs).reduce_by_key(|a, b| a + b);
    let mut joined = sums.join(&sums).union(&sums.map(|(k, n)| (k, (n, n)))).collect().unwrap();
    joined.sort();
    assert_eq!(joined, [(0, 18), (1, 12), (2, 15)].into_iter().flat_map(|(k, n)| [(k, (n, n)); 2]).collect::<Vec<_>>());
    assert_eq!(calls.load(Ordering::Relaxed), 10);
}

#[test]
fn a_second_action_recomputes_what_the_first_took() {
    let context = testkit::context();
    let sums = context.parallelize((0..10).collect(), 2).map(|n| (n % 3, n)).reduce_by_key(|a, b| a + b);
    assert_eq!(sums.count().unwrap(), 3);
    assert_eq!(sums.map(|(_, n)| n).collect().unwrap().iter().sum::<i32>(), 45);
}

#[test]
fn keys_that_are_in_place_are_not_shuffled_again() {
    let context = testkit::context();
    let sums = context.parallelize((0..100).map(|n| (n, n)).collect(), 4).reduce_by_key(|a, b| a + b);
    let kept = sums.map_values(|n| n + 1).filter(|(_, n)| n % 2 == 0);
    assert_eq!(kept.partitioner(), sums.partitioner());
    assert_eq!(kept.group_by_key().glom().collect().unwrap().len(), sums.num_partitions());
    assert_eq!(sums.map(|pair| pair).partitioner(), None);
    let grouped = kept.group_by_key().map_values(|all| all.len());
    assert_eq!(grouped.collect().unwrap().len(), 50);
    assert_eq!(kept.with_partitions(3).count().unwrap_err().kind(), headwater::ErrorKind::Program);
}

/// Records that know how many of them live.
#[derive(Clone)]
struct Counted(#[allow(dead_code, reason = "held to be counted")] Arc<()>);

#[test]
fn rdds_are_forgotten_when_no_one_may_ask_for_them() {
    let (ssc, clock) = streaming_context();
    let alive = Arc::new(());
    let (context, records) = (ssc.context().clone(), alive.clone());
    let one = test_input(&ssc, vec![Some(vec![0]); 20], 1);
    one.transform(move |_, _| context.parallelize(vec![Counted(records.clone())], 1)).count().print();
    ssc.remember(seconds(3));
    let running = ssc.start().unwrap();
    for batch in 1..=20 {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    running.stop_gracefully().unwrap();
    // The test's own, the closure's, and those of the last three batches.
    assert_eq!(Arc::strong_count(&alive), 2 + 3);
}
