//! What windows keep, of which stream, and for how long.

use headwater::env::ManualClock;
use headwater::prelude::*;
use headwater::testkit::{streaming_context, test_input};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;

const NONE: StorageLevel = StorageLevel::NONE;
const SER: StorageLevel = StorageLevel::MEMORY_ONLY_SER;

/// One number a batch, from 1 on.
fn numbers(ssc: &StreamingContext, batches: i64) -> DStream<i64> {
    test_input(ssc, (1..=batches).map(|n| Some(vec![n])).collect(), 1)
}
fn run(running: &RunningContext, clock: &ManualClock, batches: u64) {
    for batch in 1..=batches {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
}

/// Spark's `window - persistence level`.
#[test]
fn persistence_level() {
    let (ssc, _clock) = streaming_context();
    let parent = numbers(&ssc, 1);
    let windowed = parent.window((seconds(2), seconds(1)));
    assert_eq!((parent.storage_level(), windowed.storage_level()), (SER, NONE));
    windowed.persist(StorageLevel::MEMORY_ONLY);
    assert_eq!((parent.storage_level(), windowed.storage_level()), (StorageLevel::MEMORY_ONLY, NONE));
}

#[test]
fn a_level_that_the_user_chose_stays() {
    let (ssc, _clock) = streaming_context();
    let [before, after, none] = [0, 1, 2].map(|_| numbers(&ssc, 1).map(|n| n));
    before.persist(StorageLevel::DISK_ONLY).window(seconds(2));
    let windowed = after.window(seconds(2));
    after.persist(StorageLevel::DISK_ONLY).window(seconds(3));
    none.persist(NONE).window(seconds(2));
    assert_eq!(
        [before, after, windowed, none].map(|stream| stream.storage_level()),
        [StorageLevel::DISK_ONLY, StorageLevel::DISK_ONLY, NONE, NONE]
    );
}

/// The windows of windows keep what the first of them reads.
#[test]
fn a_window_of_a_window_keeps_the_batches_alone() {
    let (ssc, _clock) = streaming_context();
    let parent = numbers(&ssc, 1);
    let first = parent.window(seconds(2));
    let second = first.window(seconds(4));
    let levels = || [&parent, &first, &second].map(DStream::storage_level);
    assert_eq!(levels(), [SER, NONE, NONE]);
    second.persist(StorageLevel::MEMORY_AND_DISK);
    assert_eq!(levels(), [StorageLevel::MEMORY_AND_DISK, NONE, NONE]);
    // A stream made from a window has a level of its own.
    assert_eq!((second.map(|n| n).cache().storage_level(), levels()[1]), (SER, NONE));
}

/// Spark's `rdd cleanup - map and window`.
#[test]
fn what_is_remembered() {
    let (ssc, clock) = streaming_context();
    let mapped = numbers(&ssc, 10).map(|n| n);
    let first = mapped.window((seconds(2), seconds(1)));
    let second = first.window((seconds(4), seconds(2)));
    second.foreach_rdd(|_, _| ());
    ssc.remember(seconds(3));
    let running = ssc.start().unwrap();
    run(&running, &clock, 10);
    running.stop_gracefully().unwrap();
    let remembers = |stream: &DStream<i64>, second: i64| {
        let time = Time::from_millis(1000 * second);
        stream.slice(time, time).is_ok_and(|rdds| rdds.len() == 1)
    };
    for (stream, kept, gone) in [(&second, [10, 8], 6), (&first, [10, 4], 3), (&mapped, [10, 2], 1)] {
        assert!(kept.iter().all(|second| remembers(stream, *second)), "{kept:?}");
        assert!(!remembers(stream, gone), "{gone}");
    }
}

/// Counts how often the records of a windowed stream are computed, which is kept at the level that `keep` sets, and
/// looks how much is kept in the end.
fn computed(window: Window, keep: fn(&DStream<(i64, i64)>)) -> (usize, usize) {
    let (ssc, clock) = streaming_context();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let mapped = numbers(&ssc, 12).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        (n, n)
    });
    keep(&mapped.window(window));
    let (sent, sums) = channel();
    mapped.window(window).foreach_rdd(move |rdd, _| {
        sent.send(rdd.collect().unwrap().into_iter().map(|(_, n)| n).sum::<i64>()).unwrap();
    });
    let context = ssc.context().clone();
    let running = ssc.start().unwrap();
    run(&running, &clock, 12);
    running.stop_gracefully().unwrap();
    assert_eq!(sums.try_iter().last().unwrap(), if window == Window::new(seconds(3)) { 33 } else { 33 + 9 });
    (calls.load(Ordering::Relaxed), context.block_store_status().blocks_in_memory)
}

#[test]
fn a_batch_is_computed_once_for_all_windows() {
    let (once, blocks) = computed(Window::new(seconds(3)), |_| ());
    assert_eq!(once, 12);
    // The last batches that a window may read; those before are gone. Each has one partition.
    assert_eq!(blocks, 4);
    let (once, _) =
        computed(Window::new(seconds(4)).sliding(seconds(2)), |s| drop(s.persist(StorageLevel::MEMORY_ONLY)));
    assert_eq!(once, 12);
    // Batch n is in the windows n, n + 1 and n + 2, as far as they come.
    let (often, blocks) = computed(Window::new(seconds(3)), |s| drop(s.persist(NONE)));
    assert_eq!((often, blocks), (3 * 10 + 2 + 1, 0));
}

/// Where the batches are not kept, their shuffles are: the map side runs once, as with Spark's shuffle files.
#[test]
fn shuffled_batches_that_are_not_kept_are_shuffled_once() {
    let (ssc, clock) = streaming_context();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    let sums = numbers(&ssc, 6).map(move |n| {
        counter.fetch_add(1, Ordering::Relaxed);
        (n % 2, n)
    });
    let sums = sums.reduce_by_key(|a, b| a + b).persist(NONE);
    let (sent, seen) = channel();
    // One job a batch reads the windows.
    let totals = sums.window(seconds(3)).map(|(_, n)| n).reduce(|a, b| a + b);
    totals.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    run(&running, &clock, 6);
    running.stop_gracefully().unwrap();
    assert_eq!(seen.try_iter().flatten().collect::<Vec<_>>(), [1, 3, 6, 9, 12, 15]);
    assert_eq!(calls.load(Ordering::Relaxed), 6);
}

/// A stream that slides in steps of two is looked back at in these steps.
#[test]
fn slices_of_windows() {
    let (ssc, clock) = streaming_context();
    let windowed = numbers(&ssc, 8).window((seconds(3), seconds(2)));
    windowed.foreach_rdd(|_, _| ());
    ssc.remember(seconds(60));
    let running = ssc.start().unwrap();
    run(&running, &clock, 8);
    let slice = |from, to| -> Vec<Vec<i64>> {
        let rdds = windowed.slice(Time::from_millis(from), Time::from_millis(to)).unwrap();
        rdds.iter().map(|rdd| rdd.collect().unwrap()).collect()
    };
    assert_eq!(slice(0, 9000), [vec![1, 2], vec![2, 3, 4], vec![4, 5, 6], vec![6, 7, 8]]);
    assert_eq!(slice(4000, 6000), [vec![2, 3, 4], vec![4, 5, 6]]);
    // Aligned to the window before, with a warning.
    assert_eq!(slice(5000, 7000), [vec![2, 3, 4], vec![4, 5, 6]]);
    running.stop().unwrap();
}

/// A window may be cut off from its batches, whose level is then as for any checkpoint.
#[test]
fn a_checkpointed_window() {
    let (ssc, clock) = streaming_context();
    let parent = numbers(&ssc, 4).persist(StorageLevel::MEMORY_ONLY);
    let windowed = parent.window(seconds(2)).checkpoint(seconds(2));
    assert_eq!((parent.storage_level(), windowed.storage_level()), (SER, NONE));
    let (sent, seen) = channel();
    windowed.foreach_rdd(move |rdd, _| sent.send((rdd.collect().unwrap(), rdd.is_checkpointed())).unwrap());
    let running = ssc.start().unwrap();
    run(&running, &clock, 4);
    running.stop_gracefully().unwrap();
    let expected = [(vec![1], false), (vec![1, 2], true), (vec![2, 3], false), (vec![3, 4], true)];
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), expected);
}
