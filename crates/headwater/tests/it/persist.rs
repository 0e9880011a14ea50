//! Streams whose batches are kept, cut off from their lineage, or looked back at.

use headwater::prelude::*;
use headwater::testkit::{self, Check, TestEnv, streaming_context, test_input};
use headwater::{DStream, ErrorKind, RunningContext};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

const LEVELS: [StorageLevel; 5] = [
    StorageLevel::DISK_ONLY,
    StorageLevel::MEMORY_ONLY,
    StorageLevel::MEMORY_ONLY_SER,
    StorageLevel::MEMORY_AND_DISK,
    StorageLevel::MEMORY_AND_DISK_SER,
];

/// One number a batch, from 1 on.
fn numbers(ssc: &StreamingContext, batches: i64) -> DStream<i64> {
    test_input(ssc, (1..=batches).map(|n| Some(vec![n])).collect(), 1)
}
/// Runs `count` batches, one after the other.
fn run(running: &RunningContext, clock: &headwater::env::ManualClock, batches: std::ops::RangeInclusive<u64>) {
    for batch in batches {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
}
fn time(milliseconds: i64) -> Time {
    Time::from_millis(milliseconds)
}

/// Spark's `slice`, after the batches have come.
#[test]
fn slice() {
    let (ssc, clock) = streaming_context();
    let stream = numbers(&ssc, 4);
    stream.foreach_rdd(|_, _| ());
    ssc.remember(seconds(60));
    let running = ssc.start().unwrap();
    let slice = |from, to| -> Vec<i64> {
        let rdds = stream.slice(time(from), time(to)).unwrap();
        rdds.iter().flat_map(|rdd| rdd.collect().unwrap()).collect()
    };
    assert_eq!(slice(0, 4000), [0; 0], "no batch is there yet");
    run(&running, &clock, 1..=4);
    assert_eq!(slice(0, 1000), [1]);
    assert_eq!(slice(0, 2000), [1, 2]);
    assert_eq!(slice(1000, 2000), [1, 2]);
    assert_eq!(slice(2000, 4000), [2, 3, 4]);
    assert_eq!(slice(i64::MIN, i64::MAX), [1, 2, 3, 4], "before the start and after the newest there is nothing");
    assert_eq!((slice(3000, 2000), slice(-5000, -1), slice(5000, 9000)), (vec![], vec![], vec![]));
    let interval = Interval::new(time(1000), time(3000));
    assert_eq!(stream.slice_interval(interval).unwrap().len(), 3);
}

/// Spark's `slice - has not been initialized`.
#[test]
fn slice_has_not_been_initialized() {
    let (ssc, _clock) = streaming_context();
    let stream = numbers(&ssc, 1);
    let error = stream.slice(time(0), time(1000)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Program);
    assert!(error.to_string().contains("has not been initialized"), "{error}");
}

#[test]
fn a_slice_between_two_batches_counts_as_the_earlier_one_with_a_warning() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let stream = numbers(&ssc, 4);
    stream.foreach_rdd(|_, _| ());
    ssc.remember(seconds(60));
    let running = ssc.start().unwrap();
    run(&running, &env.clock, 1..=4);
    let rdds = stream.slice(time(1500), time(3999)).unwrap();
    assert_eq!(rdds.iter().flat_map(|rdd| rdd.collect().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let warnings = env.warnings();
    assert!(warnings.len() == 2 && warnings[0].contains("1500 ms is no batch time, taken as 1000 ms"), "{warnings:?}");
}

#[test]
fn a_slice_of_forgotten_batches_is_an_error_and_takes_nothing_from_its_input() {
    let (ssc, clock) = streaming_context();
    let queue = RddQueue::new();
    for n in 1..=9 {
        queue.push(ssc.context().parallelize(vec![n], 1)).unwrap();
    }
    let stream = ssc.queue_stream(&queue);
    let mapped = stream.map(|n| n * 10);
    mapped.foreach_rdd(|_, _| ());
    // PySpark's test remembers as much.
    ssc.remember(seconds(4));
    let running = ssc.start().unwrap();
    run(&running, &clock, 1..=6);
    // Batch 6 is forgotten only by the generator, which may be about to.
    run(&running, &clock, 7..=7);
    let error = mapped.slice(time(1000), time(7000)).err().unwrap().to_string();
    assert!(error.contains("map at") && error.contains("are forgotten") && error.contains("remember"), "{error}");
    let all = |stream: &DStream<i32>| -> Vec<i32> {
        let rdds = stream.slice(time(4000), time(7000)).unwrap();
        rdds.iter().flat_map(|rdd| rdd.collect().unwrap()).collect()
    };
    assert_eq!((all(&stream), all(&mapped)), (vec![4, 5, 6, 7], vec![40, 50, 60, 70]));
    running.stop().unwrap();
}

/// A stream that no output reads is made when it is asked for, and by one thread only.
#[test]
fn an_rdd_is_made_once_whoever_asks_for_it_first() {
    let (ssc, clock) = streaming_context();
    let made = Arc::new(Mutex::new(Vec::new()));
    let kept = made.clone();
    let stream = numbers(&ssc, 300).transform(move |rdd, time| {
        kept.lock().unwrap().push(time.milliseconds());
        // The other thread has time to come in between.
        (0..100).for_each(|_| std::thread::yield_now());
        rdd.map(|n| n + 1)
    });
    let unread = stream.map(|n| n * 10);
    stream.foreach_rdd(|rdd, _| rdd.count().map(drop));
    ssc.remember(seconds(600));
    let running = ssc.start().unwrap();
    clock.advance(seconds(300));
    let mut seen = 0;
    while seen < 300 {
        let rdds = unread.slice(time(0), time(300_000)).unwrap();
        assert!(rdds.len() >= seen);
        seen = rdds.len();
    }
    running.await_batches(300).unwrap();
    assert_eq!(*made.lock().unwrap(), (1..=300).map(|n| n * 1000).collect::<Vec<_>>());
    let last = unread.slice(time(300_000), time(300_000)).unwrap();
    assert_eq!(last[0].collect().unwrap(), [3010]);
}

#[test]
fn a_persisted_stream_is_computed_once_for_all_its_outputs() {
    for level in LEVELS {
        for jobs in [1, 3] {
            let env = TestEnv::new();
            let conf = Conf::new().master("local[2]").concurrent_jobs(jobs);
            let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
            let computed = Arc::new(AtomicUsize::new(0));
            let counter = computed.clone();
            let kept = test_input(&ssc, vec![Some((0..100).collect()); 5], 4).map(move |n: u64| {
                counter.fetch_add(1, Ordering::Relaxed);
                (n % 10, n)
            });
            let sums = kept.persist(level).reduce_by_key(|a, b| a + b).cache();
            kept.print();
            kept.count().print();
            sums.print();
            sums.foreach_rdd(|rdd, _| {
                assert_eq!(rdd.storage_level(), StorageLevel::MEMORY_ONLY_SER);
                assert_eq!((rdd.count().unwrap(), rdd.count().unwrap()), (10, 10));
            });
            let running = ssc.start().unwrap();
            run(&running, &env.clock, 1..=5);
            assert_eq!(computed.load(Ordering::Relaxed), 500, "{level}, {jobs} jobs at a time");
            assert_eq!(env.printed().matches("\n100\n").count(), 5);
        }
    }
}

#[test]
fn results_are_those_of_a_stream_that_keeps_nothing() {
    let batches: Vec<Vec<u64>> = (0..6).map(|batch| (0..50).map(|n| n * batch).collect()).collect();
    let expected: Vec<Vec<(u64, u64)>> = batches
        .iter()
        .map(|batch| {
            let mut sums = std::collections::BTreeMap::new();
            batch.iter().for_each(|n| *sums.entry(n % 7).or_default() += n);
            sums.into_iter().collect()
        })
        .collect();
    for level in LEVELS {
        let program = move |s: DStream<u64>| {
            s.persist(level).map(|n| (n % 7, n)).reduce_by_key(|a, b| a + b).with_partitions(3).persist(level)
        };
        Check::new().on_both_engines().run(batches.clone(), program, expected.clone());
    }
    let program = |s: DStream<u64>| {
        s.map(|n| (n % 7, n)).checkpoint(seconds(2)).reduce_by_key(|a, b| a + b).checkpoint(seconds(1))
    };
    Check::new().on_both_engines().run(batches, program, expected);
}

/// Spark's `rdd cleanup - input blocks and persisted RDDs`.
#[test]
fn forgotten_batches_take_their_kept_partitions_and_received_blocks_with_them() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mapped =
        ssc.socket_text_stream("127.0.0.1", listener.local_addr().unwrap().port()).map(|line| (line, 1)).cache();
    let (sent, counts) = channel();
    mapped.foreach_rdd(move |rdd, _| sent.send(rdd.count().unwrap()).unwrap());
    let context = ssc.context().clone();
    let running = ssc.start().unwrap();
    let mut peer = listener.accept().unwrap().0;
    let mut batches = 0;
    for line in 1..=10 {
        writeln!(peer, "line number {line}, too long for an inline text").unwrap();
        let mut lines = 0;
        while lines == 0 {
            env.clock.advance(seconds(1));
            lines = counts.recv().unwrap();
            batches += 1;
            running.await_batches(batches).unwrap();
        }
        assert_eq!(lines, 1);
        let status = context.block_store_status();
        assert!(status.datasets <= 2 && status.blocks_in_memory <= 2, "{status:?}");
    }
    running.stop_gracefully().unwrap();
    drop(mapped);
    drop(running);
    assert_eq!(context.block_store_status().blocks_in_memory, 0);
}

#[test]
fn the_last_level_counts_and_only_before_the_start() {
    let (ssc, clock) = streaming_context();
    let stream = numbers(&ssc, 3).map(|n| n).persist(StorageLevel::MEMORY_ONLY);
    assert_eq!(stream.cache().storage_level(), StorageLevel::MEMORY_ONLY_SER);
    assert_eq!(stream.checkpoint(seconds(1)).storage_level(), StorageLevel::MEMORY_ONLY_SER);
    stream.persist(StorageLevel::DISK_ONLY);
    let unkept = stream.map(|n| n).cache().persist(StorageLevel::NONE);
    let (sent, levels) = channel();
    let both = stream.union(&unkept);
    both.print();
    let after = sent.clone();
    stream.checkpoint(seconds(2)).persist(StorageLevel::DISK_ONLY);
    stream.foreach_rdd(move |rdd, _| sent.send(rdd.storage_level()).unwrap());
    unkept.foreach_rdd(move |rdd, _| after.send(rdd.storage_level()).unwrap());
    let running = ssc.start().unwrap();
    run(&running, &clock, 1..=3);
    let (disk, none) = (StorageLevel::DISK_ONLY, StorageLevel::NONE);
    // The second batch is cut off from its lineage, and kept that way.
    assert_eq!(levels.try_iter().collect::<Vec<_>>(), [disk, none, none, none, disk, none]);
    stream.cache();
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("changing the storage level of a DStream after starting a context"), "{error}");
    stream.checkpoint(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("changing the checkpoint interval of a DStream after starting"), "{error}");
}

#[test]
fn an_rdd_that_is_persisted_already_keeps_its_level() {
    let (ssc, clock) = streaming_context();
    let known = ssc.context().parallelize(vec![1, 2], 1).cache();
    let stream = numbers(&ssc, 2).transform(move |_, _| known.clone()).persist(StorageLevel::DISK_ONLY);
    stream.foreach_rdd(|rdd, _| {
        assert_eq!((rdd.count().unwrap(), rdd.storage_level()), (2, StorageLevel::MEMORY_ONLY));
    });
    let running = ssc.start().unwrap();
    run(&running, &clock, 1..=2);
    running.stop_gracefully().unwrap();
}

#[test]
fn checkpoint_intervals_that_cannot_be() {
    let refused = |set: fn(&DStream<i64>)| {
        let (ssc, _clock) = streaming_context();
        let stream = numbers(&ssc, 1).map(|n| n);
        set(&stream);
        stream.print();
        let error = ssc.start().err().expect("the start must fail");
        assert_eq!(error.kind(), ErrorKind::Program);
        error.to_string()
    };
    let cases: [(fn(&DStream<i64>), &str); 5] = [
        (|s| drop(s.checkpoint(Duration::ZERO)), "0ns is shorter than the slide duration of 1s"),
        (|s| drop(s.checkpoint(milliseconds(999))), "999ms is shorter"),
        (|s| drop(s.checkpoint(milliseconds(2500))), "2.5s is no multiple of the slide duration"),
        (|s| drop(s.checkpoint(seconds(2)).persist(StorageLevel::NONE)), "persist(StorageLevel::NONE)"),
        (|s| drop(s.checkpoint(seconds(2)).checkpoint(milliseconds(1))), "1ms is shorter"),
    ];
    for (set, part) in cases {
        let error = refused(set);
        assert!(error.contains(part) && error.starts_with("map at crates/headwater/tests/it/persist.rs"), "{error}");
    }
}

/// How many batches each of three streams remembers after twenty; the second is made from the first, and so on.
fn remembered(checkpoint: Option<Duration>, remember: Option<Duration>) -> [i64; 3] {
    let (ssc, clock) = streaming_context();
    let first = numbers(&ssc, 20).map(|n| n);
    let second = first.map(|n| n);
    let third = second.map(|n| n);
    if let Some(interval) = checkpoint {
        second.checkpoint(interval);
    }
    third.foreach_rdd(|_, _| ());
    if let Some(remember) = remember {
        ssc.remember(remember);
    }
    let running = ssc.start().unwrap();
    run(&running, &clock, 1..=20);
    running.stop_gracefully().unwrap();
    let remembers = |stream: &DStream<i64>, count| stream.slice(time(1000 * (21 - count)), time(20_000)).is_ok();
    [first, second, third].map(|stream| (1..=20i64).take_while(|count| remembers(&stream, *count)).count() as i64)
}

/// Spark's `rdd cleanup`: a stream remembers twice its checkpoint interval, and so do those that it is made from.
#[test]
fn a_checkpointed_stream_remembers_longer_than_its_interval_and_so_do_its_parents() {
    assert_eq!(remembered(None, None), [1, 1, 1]);
    assert_eq!(remembered(None, Some(seconds(4))), [4, 4, 4]);
    assert_eq!(remembered(Some(seconds(3)), None), [6, 6, 1]);
    assert_eq!(remembered(Some(seconds(3)), Some(seconds(3))), [6, 6, 3]);
    assert_eq!(remembered(Some(seconds(3)), Some(seconds(4))), [4, 4, 4]);
}

/// A stream of running totals: each batch's RDD is made from the one before. What it needs is what state needs later.
#[test]
fn a_stream_made_from_its_own_past_runs_for_ever_with_checkpoints() {
    let totals = |checkpoint: bool, batches: u64| {
        let (ssc, clock) = streaming_context();
        let last: Mutex<Option<Rdd<(i64, i64)>>> = Mutex::new(None);
        let stream = numbers(&ssc, batches as i64).transform(move |rdd, time| {
            let mut last = last.lock().unwrap();
            let ones = rdd.map(|n| (n % 3, n));
            let both = last.take().map_or(ones.clone(), |last| last.union(&ones));
            let total = both.reduce_by_key(|a, b| a + b);
            let cut = checkpoint && time.milliseconds() % 10_000 == 0;
            let total = if cut { total.checkpoint() } else { total.persist(StorageLevel::MEMORY_ONLY_SER) };
            last.insert(total).clone()
        });
        let (sent, sums) = channel();
        stream.foreach_rdd(move |rdd, _| {
            sent.send(rdd.map(|(_, n)| n).reduce(|a, b| a + b).unwrap().unwrap()).unwrap();
        });
        let context = ssc.context().clone();
        let running = ssc.start().unwrap();
        run(&running, &clock, 1..=batches);
        let n = batches as i64;
        assert_eq!(sums.try_iter().last(), Some(n * (n + 1) / 2));
        context.block_store_status().datasets
    };
    let (kept, all) = (totals(true, 3000), totals(false, 200));
    assert!(kept <= 20, "{kept} are alive");
    assert_eq!(all, 200, "without, every batch since the start is");
}

#[test]
fn kept_batches_of_a_stream_stay_within_the_limits_of_the_store() {
    let context = testkit::context();
    assert_eq!(context.block_store_status(), Default::default());
    let (ssc, clock) = streaming_context();
    let stream = test_input(&ssc, vec![Some((0..1000u64).collect()); 30], 2).map(|n| n).cache();
    stream.foreach_rdd(|rdd, _| rdd.count().map(drop));
    ssc.remember(seconds(10));
    let context = ssc.context().clone();
    let running = ssc.start().unwrap();
    run(&running, &clock, 1..=30);
    running.stop_gracefully().unwrap();
    let status = context.block_store_status();
    assert_eq!((status.datasets, status.blocks_in_memory), (10, 20));
}

/// Batches may end out of order; what was forgotten with a later one must not be made again for an earlier one.
#[test]
fn a_batch_that_ends_late_brings_nothing_forgotten_back() {
    let env = headwater::testkit::TestEnv::new();
    let conf = Conf::new().master("local[2]").concurrent_jobs(2);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let queue = RddQueue::new();
    (1..=4u64).for_each(|n| queue.push(ssc.context().parallelize(vec![n], 1)).unwrap());
    let stream = ssc.queue_stream(&queue);
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    stream.foreach_rdd(move |_, time| {
        if time.milliseconds() == 1000 {
            may_go.lock().unwrap().recv().unwrap();
        }
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(2));
    running.await_batches(1).unwrap();
    go.send(()).unwrap();
    running.await_batches(2).unwrap();
    // The generator clears both before it comes to the next batch.
    env.clock.advance(seconds(1));
    running.await_batches(3).unwrap();
    let error = stream.slice(Time::from_millis(1000), Time::from_millis(1000)).err().unwrap().to_string();
    assert!(error.contains("1000"), "{error}");
    running.stop().unwrap();
}
