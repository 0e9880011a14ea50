//! User code that fails: what is said, what is tried again, and what goes on.

use headwater::prelude::*;
use headwater::testkit::{Check, TestEnv, streaming_context, test_input};
use headwater::{DStream, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn a_panic_names_the_operator_its_place_the_batch_and_the_output() {
    let (ssc, clock) = streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![1]), Some(vec![0])], 1);
    let place = line!() + 1;
    let inverse = numbers.map(|x| 100 / x).uid("inverse");
    inverse.foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let expected = [
        "batch 2000 ms, output operation 0 (foreach_rdd at ".to_string(),
        "the task of partition 0 failed 4 times".to_string(),
        format!("map at crates/headwater/tests/it/failures.rs:{place}:"),
        "(operator inverse) panicked: attempt to divide by zero".to_string(),
    ];
    for part in expected {
        assert!(error.to_string().contains(&part), "{part} is not in: {error}");
    }
}

#[test]
fn an_error_that_a_closure_returns_is_placed_like_a_panic() {
    let (ssc, clock) = streaming_context();
    let words = test_input(&ssc, vec![Some(vec!["1".to_string(), "2x".to_string()])], 2);
    let place = line!() + 1;
    let numbers = words.try_map(|word| word.parse::<u32>()).uid("parse");
    numbers.foreach_rdd(|rdd, _| rdd.count().map(drop));
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let expected = [
        "batch 1000 ms, output operation 0 (foreach_rdd at ".to_string(),
        "the task of partition 1 failed 4 times".to_string(),
        format!("try_map at crates/headwater/tests/it/failures.rs:{place}:"),
        "(operator parse) failed: invalid digit found in string".to_string(),
    ];
    for part in expected {
        assert!(error.to_string().contains(&part), "{part} is not in: {error}");
    }
}

#[test]
fn an_error_that_a_closure_returns_once_is_tried_again() {
    let tries: Arc<[AtomicUsize; 5]> = Arc::default();
    let once = move |at: usize, x: i32| match tries[at].fetch_add(1, Ordering::Relaxed) {
        1 => Err("away for a moment"),
        _ => Ok(x),
    };
    let [map, filter, flat_map, partitions, values] = std::array::from_fn(|at| {
        let once = once.clone();
        move |x| once(at, x)
    });
    let program = |s: DStream<i32>| {
        let s =
            s.try_map(map).try_filter(move |x| filter(*x).map(|_| true)).try_flat_map(move |x| flat_map(x).map(Some));
        let s = s.try_map_partitions(move |xs| partitions(0).map(|_| xs)).map(|x| (x % 2, x));
        s.try_map_values(values)
    };
    let expected = (0..3000).map(|x| (x % 2, x)).collect();
    Check::new().in_order().run([(0..3000).collect()], program, [expected]);
}

/// The error of a program whose one batch is 1, 2, 3.
fn failure<U: headwater::Data + std::fmt::Debug>(program: impl FnOnce(DStream<i32>) -> DStream<U>) -> String {
    Check::new().input_partitions(1).output([Some(vec![1, 2, 3])], program).unwrap_err().to_string()
}

#[test]
fn whichever_operator_panics_is_the_one_that_is_named() {
    let bad = |x: i32| if x == 2 { panic!("bad record {x}") } else { x };
    let cases = [
        ("flat_map at", failure(move |s| s.map(|x| x).flat_map(move |x| [bad(x)]).map(|x| x))),
        ("filter at", failure(move |s| s.map(|x| x).filter(move |x| bad(*x) > 0).map(|x| x))),
        ("map_partitions at", failure(move |s| s.map_partitions(move |xs| xs.map(bad).collect::<Vec<_>>()))),
        ("map_partitions at", failure(move |s| s.map_partitions(move |xs| xs.map(bad)).map(|x| x))),
        ("map_values at", failure(move |s| s.map(|x| (x, x)).map_values(bad))),
        ("flat_map_values at", failure(move |s| s.map(|x| (x, x)).flat_map_values(move |x| [bad(x)]))),
        ("reduce at", failure(|s| s.reduce(|_, _| panic!("bad record 2")))),
        ("reduce_by_key at", failure(|s| s.map(|x| (0, x)).reduce_by_key(|_, _| panic!("bad record 2")))),
        ("combine_by_key at", failure(move |s| s.map(|x| (x, x)).combine_by_key(bad, |a, _| a, |a, _| a))),
        ("map at", failure(move |s| s.transform(move |rdd, _| rdd.map(bad)))),
    ];
    for (operator, error) in cases {
        assert!(error.contains(operator) && error.contains("panicked: bad record 2"), "{operator}: {error}");
    }
}

#[test]
fn a_task_that_fails_is_tried_again_on_either_side_of_a_shuffle() {
    let (maps, reduces) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let program = |s: DStream<i32>| {
        let pairs = s.map(move |x| {
            assert_ne!(maps.fetch_add(1, Ordering::Relaxed), 2, "the third record fails once");
            (x % 5, x)
        });
        pairs.reduce_by_key(|a, b| a + b).map(move |sum| {
            assert_ne!(reduces.fetch_add(1, Ordering::Relaxed), 1, "the second sum fails once");
            sum
        })
    };
    let expected = (0..5).map(|key| (key, (0..100).filter(|n| n % 5 == key).sum::<i32>())).collect();
    Check::new().run([(0..100).collect()], program, [expected]);
}

#[test]
fn a_retry_finds_the_buckets_of_two_stages_again() {
    let failed = AtomicUsize::new(0);
    let program = |s: DStream<i32>| {
        let sums = s.map(|x| (x % 10, x)).reduce_by_key(|a, b| a + b);
        sums.map(|(key, sum)| (key % 2, sum)).group_by_key().map(move |(key, sums)| {
            assert!(failed.fetch_add(1, Ordering::Relaxed) > 1, "the first two tries fail");
            (key, sums.into_iter().sum::<i32>())
        })
    };
    let expected = (0..2).map(|key| (key, (0..100).filter(|n| n % 2 == key).sum::<i32>())).collect();
    Check::new().run([(0..100).collect()], program, [expected]);
}

/// Its buckets are handed out, so that it runs again for a retry and for the second job.
#[test]
fn a_map_task_that_runs_again_counts_once_in_accumulators() {
    let context = headwater::testkit::context();
    let (mapped, reduced, failed) =
        (context.long_accumulator("mapped"), context.long_accumulator("reduced"), AtomicUsize::new(0));
    let (map, reduce) = (mapped.clone(), reduced.clone());
    let pairs = context.parallelize((0..100).collect(), 4).map(move |n: i32| {
        map.add(1);
        (n % 10, n)
    });
    let sums = pairs.reduce_by_key(|a, b| a + b).map(move |sum| {
        reduce.add(1);
        assert!(failed.fetch_add(1, Ordering::Relaxed) > 2, "the first tries fail");
        sum
    });
    assert_eq!((sums.count().unwrap(), mapped.value(), reduced.value()), (10, 100, 10));
    // An action more computes the sums again, and counts them again.
    assert_eq!((sums.count().unwrap(), mapped.value(), reduced.value()), (10, 100, 20));
}

#[test]
fn an_action_inside_transform_leaves_the_shuffle_for_the_batch() {
    let mapped = Arc::new(AtomicUsize::new(0));
    let counter = mapped.clone();
    let program = move |s: DStream<i32>| {
        let pairs = s.map(move |n| {
            counter.fetch_add(1, Ordering::Relaxed);
            (n % 3, n)
        });
        pairs.reduce_by_key(|a, b| a + b).transform(|rdd, _| {
            let count = rdd.count().unwrap();
            rdd.map_values(move |sum| sum + count as i32)
        })
    };
    Check::new().run([vec![1, 2, 3, 4]], program, [vec![(0, 6), (1, 8), (2, 5)]]);
    assert_eq!(mapped.load(Ordering::Relaxed), 4);
}

#[test]
fn a_sort_that_cannot_sample_says_why_in_whatever_partitions() {
    let numbers = headwater::testkit::context().parallelize(vec![1, 2, 3], 3);
    let place = line!() + 1;
    let sorted = numbers.sort_by(|n| if *n == 2 { panic!("no twos") } else { *n }, true);
    for sorted in [sorted.with_partitions(2), sorted] {
        let error = sorted.collect().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        let sort_by = format!("sort_by at {}:{place}:", file!());
        assert!(error.to_string().matches(&sort_by).count() == 2 && error.to_string().contains("no twos"), "{error}");
    }
}

#[test]
fn the_other_outputs_of_the_batch_and_later_batches_still_run() {
    let (ssc, clock) = streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![1]), Some(vec![2])], 1);
    let done = Arc::new(AtomicUsize::new(0));
    numbers.foreach_rdd(|_, time| if time.milliseconds() == 1000 { Err("the database is away") } else { Ok(()) });
    let counted = done.clone();
    numbers.foreach_rdd(move |rdd, _| {
        counted.fetch_add(rdd.collect().unwrap().len(), Ordering::Relaxed);
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("batch 1000 ms, output operation 0") && error.ends_with("the database is away"), "{error}");
    running.await_batches(2).unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 2);
    assert_eq!(running.progress().failed, 1);
}

#[test]
fn an_output_that_panics_fails_its_job_only() {
    let (ssc, clock) = streaming_context();
    test_input(&ssc, vec![Some(vec![1])], 1).foreach_rdd(|_, _| -> () { panic!("no disk") });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("foreach_rdd at") && error.contains("panicked: no disk"), "{error}");
    running.stop().unwrap();
}

#[test]
fn a_transform_that_panics_fails_the_outputs_behind_it_only() {
    let (ssc, clock) = streaming_context();
    let numbers = test_input(&ssc, vec![Some(vec![1]), Some(vec![2])], 1);
    let (sent, received) = std::sync::mpsc::channel();
    let transformed = numbers.transform(|rdd, time| {
        assert_ne!(time.milliseconds(), 1000, "no such table");
        rdd
    });
    let (behind, beside) = (sent.clone(), sent);
    transformed.foreach_rdd(move |rdd, _| behind.send(("behind", rdd.collect().unwrap())).unwrap());
    numbers.foreach_rdd(move |rdd, _| beside.send(("beside", rdd.collect().unwrap())).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("batch 1000 ms, output operation 0 (foreach_rdd at"), "{error}");
    assert!(error.contains("transform at") && error.contains("panicked") && error.contains("no such table"), "{error}");
    running.await_batches(2).unwrap();
    let expected = [("beside", vec![1]), ("behind", vec![2]), ("beside", vec![2])];
    assert_eq!(received.try_iter().collect::<Vec<_>>(), expected);
}

/// A record whose end is a failure, where batches are cleared.
#[derive(Clone)]
struct Fragile;
impl Drop for Fragile {
    fn drop(&mut self) {
        if std::thread::current().name() == Some("job-generator") {
            panic!("cannot be closed");
        }
    }
}

#[test]
fn a_record_that_panics_when_it_is_dropped_ends_no_batches() {
    let (ssc, clock) = streaming_context();
    let context = ssc.context().clone();
    let one = test_input(&ssc, vec![Some(vec![0]); 5], 1);
    let fragile = one.transform(move |_, _| context.parallelize(vec![Fragile], 1));
    fragile.foreach_rdd(|_, _| ());
    let running = ssc.start().unwrap();
    clock.advance(seconds(5));
    let error = running.await_termination().unwrap_err().to_string();
    assert!(error.contains("cannot be closed"), "{error}");
    while running.progress().completed < 5 {
        let _more_of_the_same = running.await_batches(5);
    }
}

#[test]
fn a_failure_that_nobody_awaited_is_returned_by_the_stop_or_is_a_warning() {
    let run = || {
        let env = TestEnv::new();
        let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env()).unwrap();
        test_input(&ssc, vec![Some(vec![1])], 1).foreach_rdd(|_, _| Err::<(), _>("no disk"));
        let running = ssc.start().unwrap();
        env.clock.advance(seconds(1));
        while running.progress().completed < 1 {
            std::thread::yield_now();
        }
        (env, running)
    };
    let (_env, running) = run();
    assert!(running.stop_gracefully().unwrap_err().to_string().contains("no disk"));
    let (_env, running) = run();
    running.stop_handle().request_graceful_stop();
    assert!(running.await_termination().unwrap_err().to_string().contains("no disk"));
    let (env, running) = run();
    drop(running);
    env.await_warning("no disk");
}

#[test]
fn errors_after_the_first_are_warnings() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env()).unwrap();
    test_input(&ssc, vec![Some(vec![1]); 2], 1).foreach_rdd(|_, time| Err::<(), _>(format!("failure at {time}")));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(2));
    env.await_warning("failure at 2000 ms");
    assert!(running.await_termination().unwrap_err().to_string().contains("failure at 1000 ms"));
}

#[test]
fn an_action_inside_a_closure_is_refused() {
    let inner = headwater::testkit::context().parallelize(vec![1], 1);
    let error = failure(move |s| s.map(move |x| x + inner.collect().unwrap()[0]));
    assert!(error.contains("was called inside the closure of an operator"), "{error}");
}

#[test]
fn a_failed_save_leaves_nothing() {
    struct Unprintable;
    impl std::fmt::Display for Unprintable {
        fn fmt(&self, _f: &mut std::fmt::Formatter) -> std::fmt::Result {
            panic!("cannot be shown")
        }
    }
    let folder = headwater::testkit::temporary_folder();
    let path = format!("{folder}/out");
    let records = headwater::testkit::context().parallelize(vec![1, 2], 2).map(|_| Unprintable);
    assert!(records.save_as_text_file("").unwrap_err().to_string().contains("needs a name"));
    let error = records.save_as_text_file(&path).unwrap_err().to_string();
    assert!(error.contains("save_as_text_file at") && error.contains("cannot be shown"), "{error}");
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn a_record_that_cannot_be_printed_blames_the_print() {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Unprintable;
    impl std::fmt::Debug for Unprintable {
        fn fmt(&self, _f: &mut std::fmt::Formatter) -> std::fmt::Result {
            panic!("cannot be shown")
        }
    }
    let (ssc, clock) = streaming_context();
    let place = line!() + 1;
    test_input(&ssc, vec![Some(vec![Unprintable])], 1).print();
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    let blamed = format!("print at crates/headwater/tests/it/failures.rs:{place}:");
    assert_eq!(error.matches(&blamed).count(), 2, "{error}");
}

#[test]
fn what_panics_while_the_results_of_tasks_are_joined_is_an_error_that_names_the_operation() {
    let numbers = headwater::testkit::context().parallelize(vec![1u64, 2, 3, 4], 2);
    let place = |line: u32| format!("at crates/headwater/tests/it/failures.rs:{line}:");
    let line = line!() + 1;
    let error = numbers.aggregate(0, |a, b| a + b, |_, _| panic!("no sums")).unwrap_err().to_string();
    assert!(error.contains("aggregate") && error.contains(&place(line)) && error.contains("no sums"), "{error}");
    let error = numbers.max_by(|_, _| panic!("no order")).unwrap_err().to_string();
    assert!(error.contains("no order"), "{error}");
}

#[test]
fn what_could_not_be_saved_whole_is_not_there() {
    let folder = headwater::testkit::temporary_folder();
    let path = format!("{folder}/half");
    let numbers = headwater::testkit::context().parallelize(vec![1u64, 2, 3, 4], 4);
    let half = numbers.map(|n| if n == 4 { panic!("no fours") } else { n });
    assert!(half.save_as_text_file(&path).unwrap_err().to_string().contains("no fours"));
    assert!(!std::path::Path::new(&path).exists());
    numbers.save_as_text_file(&path).unwrap();
}
