//! Look-ups by clients in memory, with a clock that the test moves.

use super::*;
use headwater::prelude::*;
use headwater::testkit::{TestEnv, test_input};
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a client counts.
#[derive(Clone, Default)]
struct Service {
    made: Arc<AtomicUsize>,
    asked: Arc<Mutex<Vec<u64>>>,
}
impl Service {
    /// A look-up of squares, where `answer` may fail, by the number of tries so far for that key.
    fn squares<F>(&self, answer: impl Fn(u64, usize) -> F + Send + Sync + 'static) -> LookUp<u64, u64>
    where
        F: Future<Output = Result<Option<u64>, String>> + Send + 'static,
    {
        let (made, asked) = (self.made.clone(), self.asked.clone());
        let connect = move || {
            made.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, String>(()) }
        };
        LookUp::new(connect, move |(), key| {
            let mut asked = asked.lock().unwrap();
            let tries = asked.iter().filter(|before| **before == key).count();
            asked.push(key);
            answer(key, tries)
        })
        .retry(2, Duration::ZERO)
    }
    fn asked(&self) -> Vec<u64> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked
    }
}
async fn square(key: u64, _: usize) -> Result<Option<u64>, String> {
    Ok((key < 100).then_some(key * key))
}

/// Batches of one partition through a look-up, the clock moved on by `step` whenever nothing else happens.
fn run(
    env: &TestEnv,
    batches: Vec<Vec<u64>>,
    look_up: LookUp<u64, u64>,
    step: Duration,
) -> (Vec<(u64, Option<u64>)>, Option<String>) {
    let conf = Conf::new().master("local[1]").task_failures_max(1);
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let count = batches.len() as u64;
    let (sent, told) = std::sync::mpsc::channel();
    let numbers = test_input(&ssc, batches.into_iter().map(Some).collect(), 1);
    numbers.look_up(|n| *n, look_up).foreach_rdd(move |rdd, _| -> headwater::Result<()> {
        sent.send(rdd.collect()?).unwrap();
        Ok(())
    });
    let running = ssc.start().unwrap();
    let error = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| running.await_batches(count));
        env.clock.advance(seconds(count));
        while !waiting.is_finished() {
            env.clock.advance(step);
            std::thread::yield_now();
        }
        waiting.join().unwrap().err()
    });
    let error = error.or(running.stop().err()).map(|error| error.to_string());
    (told.try_iter().flatten().collect(), error)
}
fn found(numbers: &[u64]) -> Vec<(u64, Option<u64>)> {
    numbers.iter().map(|n| (*n, (*n < 100).then_some(n * n))).collect()
}

#[test]
fn records_keep_their_order_and_each_key_is_asked_for_once_in_a_partition() {
    let (env, service) = (TestEnv::new(), Service::default());
    let numbers = [5, 1, 5, 200, 1, 9];
    let (told, error) = run(&env, vec![numbers.to_vec()], service.squares(square), Duration::ZERO);
    assert_eq!((told, error), (found(&numbers), None));
    assert_eq!(service.asked(), [1, 5, 9, 200]);
    assert_eq!(service.made.load(Ordering::SeqCst), 1);
}

#[test]
fn as_many_requests_as_were_allowed_are_on_their_way_and_no_more() {
    let env = TestEnv::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Nobody gets on until four are there.
    let barrier = Arc::new(tokio::sync::Barrier::new(4));
    let counts = (now.clone(), most.clone());
    let look_up = Service::default().squares(move |key, _| {
        let ((now, most), barrier) = (counts.clone(), barrier.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            barrier.wait().await;
            // A fifth would find four that have not left.
            barrier.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            square(key, 0).await
        }
    });
    let numbers: Vec<u64> = (0..40).collect();
    let (told, error) = run(&env, vec![numbers.clone()], look_up.concurrency(4), Duration::ZERO);
    assert_eq!((told, error), (found(&numbers), None));
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[test]
fn what_is_remembered_is_not_asked_for_until_it_is_too_old() {
    let (env, service) = (TestEnv::new(), Service::default());
    // Also that there is none.
    let batches = vec![vec![1, 300], vec![1, 300, 2], vec![], vec![], vec![1, 2]];
    let look_up = service.squares(square).cache(10, seconds(1000));
    let (told, error) = run(&env, batches.clone(), look_up, Duration::ZERO);
    assert_eq!((told, error), (found(&batches.concat()), None));
    assert_eq!(service.asked(), [1, 2, 300]);
    // What is too old at once is as if nothing was remembered.
    for look_up in [|look_up| look_up, |look_up: LookUp<u64, u64>| look_up.cache(10, Duration::ZERO)] {
        let without = Service::default();
        run(&TestEnv::new(), vec![vec![1], vec![1]], look_up(without.squares(square)), Duration::ZERO);
        assert_eq!(without.asked(), [1, 1]);
    }
}

#[test]
fn a_failed_request_is_tried_again_by_a_new_client() {
    let (env, service) = (TestEnv::new(), Service::default());
    let look_up = service.squares(|key, tries| async move {
        if tries < 2 && key == 7 { Err("broken pipe".to_owned()) } else { square(key, tries).await }
    });
    let (told, error) = run(&env, vec![vec![6, 7, 8]], look_up.concurrency(1), Duration::ZERO);
    assert_eq!((told, error), (found(&[6, 7, 8]), None));
    assert_eq!(service.asked(), [6, 7, 7, 7, 8]);
    assert_eq!(service.made.load(Ordering::SeqCst), 3);
}

#[test]
fn pauses_between_tries_are_by_the_clock() {
    let (env, service) = (TestEnv::new(), Service::default());
    let times = Arc::new(Mutex::new(Vec::new()));
    let (clock, noted) = (env.clock.clone(), times.clone());
    let look_up = service.squares(move |key, tries| {
        noted.lock().unwrap().push(headwater_core::env::Clock::now(&*clock));
        async move { if tries < 2 { Err("away".to_owned()) } else { square(key, tries).await } }
    });
    let (told, error) = run(&env, vec![vec![3]], look_up.retry(2, minutes(1)).timeout(minutes(60)), seconds(1));
    assert_eq!((told, error), (found(&[3]), None));
    let times = times.lock().unwrap();
    let pauses: Vec<_> = times.windows(2).map(|pair| pair[1].milliseconds() - pair[0].milliseconds()).collect();
    assert!(pauses.len() == 2 && pauses.iter().all(|pause| *pause >= 60_000), "{pauses:?}");
}

#[test]
fn behind_the_last_try_the_batch_fails_and_says_why() {
    let (env, service) = (TestEnv::new(), Service::default());
    let look_up = service.squares(|_, _| async { Err("the service is away".to_owned()) });
    let (told, error) = run(&env, vec![vec![1]], look_up, Duration::ZERO);
    let error = error.expect("it failed");
    assert!(error.contains("tried 3 times: the look-up failed: the service is away"), "{error}");
    assert!(error.contains("look_up/tests.rs"), "it names its place: {error}");
    assert_eq!((told.len(), service.asked().len()), (0, 3));
}

#[test]
fn or_the_records_go_on_without_and_a_warning_says_so() {
    let (env, service) = (TestEnv::new(), Service::default());
    let look_up = service.squares(|key, tries| async move {
        if key == 2 { Err("no such shard".to_owned()) } else { square(key, tries).await }
    });
    let look_up = look_up.on_failure(OnFailure::Absent).cache(10, seconds(1000));
    let (told, error) = run(&env, vec![vec![1, 2, 3], vec![1, 2, 3]], look_up, Duration::ZERO);
    assert_eq!((told, error), ([[(1, Some(1)), (2, None), (3, Some(9))]; 2].concat(), None));
    // What failed is not remembered; the rest is.
    assert_eq!(service.asked(), [1, 2, 2, 2, 2, 2, 2, 3]);
    let warnings = env.warnings();
    let said = "1 of 3 look-ups failed, and their records go on without: the look-up failed: no such shard";
    assert!(warnings.iter().any(|warning| warning.contains(said)), "{warnings:?}");
}

#[test]
fn what_is_not_answered_in_time_is_given_up() {
    let (env, service) = (TestEnv::new(), Service::default());
    let look_up = service.squares(|key, tries| async move {
        if tries == 0 && key == 5 { pending().await } else { square(key, tries).await }
    });
    let (told, error) = run(&env, vec![vec![4, 5]], look_up.timeout(minutes(2)), seconds(1));
    assert_eq!((told, error), (found(&[4, 5]), None));
    assert_eq!(service.asked(), [4, 5, 5]);
    let never = Service::default().squares(|_, _| pending()).timeout(minutes(2));
    let (_, error) = run(&TestEnv::new(), vec![vec![1]], never, seconds(1));
    assert!(error.as_ref().is_some_and(|error| error.contains("not answered within 120s")), "{error:?}");
}

#[test]
fn a_client_that_panics_fails_the_batch() {
    let look_up = Service::default().squares(|_, _| async { panic!("out of range") });
    let (_, error) = run(&TestEnv::new(), vec![vec![1]], look_up, Duration::ZERO);
    assert!(error.as_ref().is_some_and(|error| error.contains("a look-up panicked: out of range")), "{error:?}");
}

#[test]
fn what_the_program_must_mend_is_not_tried_again() {
    let too_few =
        LookUp::batched(10, || async { Ok::<_, String>(()) }, |(), _| async { Ok::<_, String>(vec![Some(1)]) });
    let (_, error) = run(&TestEnv::new(), vec![vec![1, 2]], too_few, Duration::ZERO);
    assert!(error.as_ref().is_some_and(|error| error.contains("a look-up of 2 keys returned 1 values")), "{error:?}");
    let none = Service::default().squares(square).concurrency(0);
    let (_, error) = run(&TestEnv::new(), vec![vec![1]], none, Duration::ZERO);
    assert!(error.as_ref().is_some_and(|error| error.contains("LookUp::concurrency(0)")), "{error:?}");
}
