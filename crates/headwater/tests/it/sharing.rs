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

#[test]
fn several_threads_read_one_shuffle() {
    let context = testkit::context();
    for _ in 0..200 {
        let sums = context.parallelize((0..100).collect(), 8).map(|n| (n % 10, n)).reduce_by_key(|a, b| a + b);
        std::thread::scope(|scope| {
            let counts: Vec<_> = (0..4).map(|_| scope.spawn(|| sums.count())).collect();
            counts.into_iter().for_each(|count| assert_eq!(count.join().unwrap().unwrap(), 10));
        });
    }
}

#[test]
fn a_dataset_that_every_batch_joins_is_shuffled_for_the_first_two_only() {
    let (ssc, clock) = streaming_context();
    let (calls, pairs) = counting();
    let known = ssc.context().parallelize((0..10).collect(), 2).map(pairs).reduce_by_key(|a, b| a + b);
    let keys = test_input(&ssc, vec![Some(vec![(0, ()), (1, ())]); 6], 1);
    keys.transform(move |rdd, _| rdd.join(&known)).print();
    let running = ssc.start().unwrap();
    clock.advance(seconds(6));
    running.await_batches(6).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 20);
}

#[test]
fn a_take_computes_no_more_partitions_than_it_needs() {
    let context = testkit::context();
    let (calls, pairs) = counting();
    let records = context.parallelize((0..100).collect(), 100).map(pairs);
    assert_eq!(records.take(1).unwrap(), [(0, 0)]);
    assert!(!records.is_empty().unwrap());
    assert_eq!(calls.load(Ordering::Relaxed), 4, "two task threads compute two partitions for each");
    assert_eq!(records.take(50).unwrap().len(), 50);
    assert_eq!(records.take(usize::MAX).unwrap().len(), 100);
}

#[test]
fn a_join_of_many_by_many_is_not_held_in_memory() {
    let context = testkit::context();
    let many = |n: u64| context.parallelize((0..n).map(|n| (0, n)).collect(), 1);
    let pairs = many(20_000).join(&many(20_000));
    assert_eq!(pairs.take(3).unwrap(), [(0, (0, 0)), (0, (0, 1)), (0, (0, 2))]);
    assert_eq!(many(300).join(&many(300)).count().unwrap(), 90_000);
}

/// The map side runs for one of them; the others find it done.
#[test]
fn jobs_side_by_side_run_a_map_side_once() {
    let context = headwater::testkit::context();
    let counted = context.long_accumulator("records");
    let count = counted.clone();
    let numbers = context.parallelize((0..1000u64).collect(), 4).map(move |n| {
        count.add(1);
        (n % 10, n)
    });
    let sums = numbers.reduce_by_key(|a, b| a + b);
    // One more reader, so that the buckets stay.
    let both = sums.union(&sums);
    let start = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(both.count().unwrap(), 20);
            });
        }
    });
    assert_eq!(counted.value(), 1000);
}
