//! Long lineages: how far they can be computed, that they can always be dropped, and how a checkpoint cuts them.

use headwater::testkit;
use headwater::{ErrorKind, Rdd, StorageLevel};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A dataset made from itself `times` times.
fn generations(times: usize, step: impl Fn(Rdd<u64>) -> Rdd<u64>) -> Rdd<u64> {
    let start = testkit::context().parallelize(vec![0, 0], 2);
    (0..times).fold(start, |rdd, _| step(rdd))
}

#[test]
fn a_lineage_up_to_the_limit_is_computed_and_a_longer_one_is_an_error() {
    let steps: [fn(Rdd<u64>) -> Rdd<u64>; 4] = [
        |rdd| rdd.map(|n| n + 1),
        |rdd| rdd.flat_map(|n| [n + 1]),
        |rdd| rdd.map_partitions(|all| all.map(|n| n + 1)),
        |rdd| rdd.union(&testkit::context().empty_rdd()).map(|n| n + 1),
    ];
    for step in steps {
        assert_eq!(generations(490, step).collect().unwrap(), [490, 490]);
        let error = generations(10_000, step).collect().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("checkpoint()"), "{error}");
    }
}

#[test]
fn operations_in_place_count_too() {
    let pairs = testkit::context().parallelize(vec![(1, 1u64)], 1).reduce_by_key(|a, b| a + b);
    let many = |times| (0..times).fold(pairs.clone(), |rdd, _| rdd.map_values(|n| n + 1).reduce_by_key(|a, b| a + b));
    assert_eq!(many(400).collect().unwrap(), [(1, 401)]);
    assert!(many(10_000).collect().unwrap_err().to_string().contains("1000 operations"));
}

#[test]
fn a_chain_of_shuffles_is_computed_up_to_the_limit() {
    let many = |times| generations(times, |rdd| rdd.map(|n| n + 1).repartition(2));
    assert_eq!(many(400).collect().unwrap(), [400, 400]);
    let error = many(100_000).collect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    assert!(error.to_string().contains("500 shuffles"), "{error}");
}

#[test]
fn a_persisted_dataset_ends_the_lineage_while_it_is_kept() {
    let mut numbers = testkit::context().parallelize(vec![0u64], 1);
    for _ in 0..5 {
        numbers = (0..500).fold(numbers, |rdd, _| rdd.map(|n| n + 1)).cache();
        numbers.count().unwrap();
    }
    assert_eq!(numbers.map(|n| n).collect().unwrap(), [2500]);
    numbers.unpersist();
    assert_eq!(numbers.collect().unwrap(), [2500], "its ancestors are kept");
}

#[test]
fn a_hundred_thousand_generations_with_a_checkpoint_each() {
    let context = testkit::context();
    let alive = Arc::new(());
    let mut numbers = context.parallelize(vec![0u64, 10], 2);
    for _ in 0..100_000 {
        let held = alive.clone();
        numbers = numbers
            .map(move |n| {
                let _held = &held;
                n + 1
            })
            .checkpoint();
        assert_eq!(numbers.take(1).unwrap().len(), 1);
        assert!(numbers.is_checkpointed());
        assert_eq!(Arc::strong_count(&alive), 1, "nothing of what it was made from is held");
    }
    assert_eq!(numbers.collect().unwrap(), [100_000, 100_010]);
}

#[test]
fn a_hundred_thousand_checkpoints_that_were_never_computed() {
    let numbers = generations(100_000, |rdd| rdd.map(|n| n + 1).checkpoint());
    assert!(!numbers.is_checkpointed());
    assert_eq!(numbers.count().unwrap_err().kind(), ErrorKind::Program);
    // And they are dropped here.
}

#[test]
fn a_checkpoint_is_computed_whole_and_once_by_whatever_reads_it_first() {
    let context = testkit::context();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let pairs = context.parallelize((0..100).collect(), 10).map(move |n: u64| {
        counted.fetch_add(1, Ordering::Relaxed);
        (n % 7, n)
    });
    let sums = pairs.reduce_by_key(|a, b| a + b).with_partitions(3).checkpoint();
    assert_eq!(sums.take(1).unwrap().len(), 1);
    assert!(sums.is_checkpointed());
    assert_eq!(sums.collect().unwrap().iter().map(|(_, n)| n).sum::<u64>(), 4950);
    assert_eq!(sums.partitioner().unwrap().num_partitions(), 3, "the keys stay where they are");
    assert_eq!(calls.load(Ordering::Relaxed), 100);
    assert_eq!(sums.checkpoint().num_partitions(), 3);
}

#[test]
fn jobs_that_run_at_the_same_time_compute_a_checkpoint_once() {
    let context = testkit::context();
    for _ in 0..100 {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let numbers = context.parallelize((0..100).collect(), 8).map(move |n: u64| {
            counted.fetch_add(1, Ordering::Relaxed);
            n
        });
        let first = numbers.repartition(5).checkpoint();
        let second = first.map(|n| n + 1).checkpoint();
        let read = |rdd: &Rdd<u64>| rdd.collect().unwrap().iter().sum::<u64>();
        std::thread::scope(|scope| {
            let firsts = [(); 2].map(|()| scope.spawn(|| read(&first)));
            let seconds = [(); 2].map(|()| scope.spawn(|| read(&second)));
            firsts.into_iter().for_each(|sum| assert_eq!(sum.join().unwrap(), 4950));
            seconds.into_iter().for_each(|sum| assert_eq!(sum.join().unwrap(), 5050));
        });
        assert!(first.is_checkpointed() && second.is_checkpointed());
        // Jobs that read one shuffle at a time may run its map side each.
        assert!(calls.load(Ordering::Relaxed) <= 400);
    }
}

#[test]
fn a_checkpoint_of_a_persisted_dataset_takes_its_blocks_and_lets_them_go() {
    let context = testkit::context();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let kept =
        context.parallelize((0..10u64).collect(), 2).map(move |n| counted.fetch_add(1, Ordering::Relaxed) as u64 + n);
    let kept = kept.persist(StorageLevel::MEMORY_ONLY_SER);
    let before = kept.collect().unwrap();
    let cut = kept.checkpoint();
    drop(kept);
    assert_eq!(cut.collect().unwrap(), before);
    assert_eq!(calls.load(Ordering::Relaxed), 10);
    assert_eq!(context.block_store_status().datasets, 0);
    assert!(cut.cache().is_checkpointed());
}

#[test]
fn a_task_that_fails_while_a_checkpoint_is_computed_is_tried_again() {
    let calls = AtomicUsize::new(0);
    let numbers = testkit::context().parallelize((0..100).collect(), 4).map(move |n: u64| {
        assert_ne!(calls.fetch_add(1, Ordering::Relaxed), 30, "the 31st record fails once");
        n
    });
    let cut = numbers.repartition(3).checkpoint();
    assert_eq!(cut.collect().unwrap().iter().sum::<u64>(), 4950);
    let bad = testkit::context().parallelize(vec![1], 1).map(|_: u64| -> u64 { panic!("bad record") }).checkpoint();
    let error = bad.count().unwrap_err().to_string();
    assert!(error.contains("map at") && error.contains("bad record"), "{error}");
}

#[test]
fn empty_datasets_are_checkpointed_from_the_start() {
    let context = testkit::context();
    let none = context.empty_rdd::<u64>().checkpoint();
    assert!(none.is_checkpointed());
    assert_eq!(none.count().unwrap(), 0);
    let empty = context.empty_partition::<u64>().checkpoint();
    assert_eq!((empty.count().unwrap(), empty.is_checkpointed()), (0, true));
}

#[test]
fn a_lineage_that_panics_when_it_is_dropped_is_gone_all_the_same() {
    struct Fragile(#[allow(dead_code, reason = "held to be counted")] Arc<()>, bool);
    impl Drop for Fragile {
        fn drop(&mut self) {
            assert!(!self.1, "cannot be closed");
        }
    }
    let alive = Arc::new(());
    let holding = |rdd: Rdd<u64>, panics| {
        let held = Fragile(alive.clone(), panics);
        rdd.map(move |n| {
            let _held = &held;
            n
        })
    };
    let old = holding(generations(3, |rdd| holding(rdd, false)), true);
    let new = generations(3, |rdd| holding(rdd, false));
    let numbers = old.union(&new);
    drop((old, new));
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(numbers)));
    assert!(dropped.is_err());
    // What waited for its turn goes with the next.
    drop(generations(1, |rdd| rdd));
    assert_eq!(Arc::strong_count(&alive), 1);
}

/// A walk over a lineage takes as long as the lineage is large, however often it forks and joins.
#[test]
fn a_lineage_that_forks_and_joins_is_walked_once() {
    let context = headwater::testkit::context();
    let pairs = context.parallelize((0..4u64).map(|n| (n, n)).collect(), 2).reduce_by_key(|a, b| a + b);
    let mut numbers = pairs.map(|(n, _)| n).cache();
    for _ in 0..40 {
        numbers = numbers.zip(&numbers).map(|(left, _)| left).cache();
    }
    assert_eq!(numbers.count().unwrap(), 4);
}
