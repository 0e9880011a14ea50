//! What a restart does with the time that has passed, with batches that failed, and with another process on the folder.

use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater::{ErrorKind, Result};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

type Told = (i64, Vec<u64>);

/// Ten numbers a second, told as they come, with the sums over the last two seconds and since ever.
fn start(env: &TestEnv, conf: Conf, batch: Duration) -> Result<(RunningContext, Receiver<Told>)> {
    let ssc = StreamingContext::with_env(conf.master("local[2]"), batch, env.env())?;
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(10, 2, |n| (0u8, n)).uid("numbers");
    let count = numbers.map(|_| 1u64).reduce(|a, b| a + b);
    let window = numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2)).uid("window");
    let since_ever =
        numbers.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.iter().sum::<u64>()));
    let (sent, received) = channel();
    let all = count.union(&window.map(|(_, sum)| sum)).union(&since_ever.uid("since ever").map(|(_, sum)| sum));
    all.foreach_rdd(move |rdd, time| {
        if let Ok(told) = rdd.collect() {
            sent.send((time.milliseconds(), told)).unwrap();
        }
    });
    Ok((ssc.start()?, received))
}
/// Lives until the clock has come to `until`, in seconds; what was told.
fn live(env: &TestEnv, conf: Conf, batch: Duration, until: u64, batches: u64) -> Vec<Told> {
    let (running, told) = start(env, conf, batch).unwrap();
    env.clock.set(Time::from_millis(until as i64 * 1000));
    running.await_batches(batches).unwrap();
    running.stop().unwrap();
    told.try_iter().collect()
}
/// What numbers from `from` to `until` come to.
fn sum(from: u64, until: u64) -> u64 {
    (from..until).sum()
}
/// A batch that has these numbers, under a window that has those.
fn told(time: i64, batch: (u64, u64), window: (u64, u64)) -> Told {
    (time, vec![batch.1 - batch.0, sum(window.0, window.1), sum(0, batch.1)])
}

#[test]
fn missed_batches_are_made_in_order_merged_skipped_or_made_at_once() {
    let ordered = vec![told(4000, (30, 40), (20, 40)), told(5000, (40, 50), (30, 50)), told(6000, (50, 60), (40, 60))];
    let cases = [
        ("in-order", ordered.clone()),
        ("all-at-once", ordered),
        // One batch has all; and one that is in time.
        ("merge", vec![told(5000, (30, 50), (30, 50)), told(6000, (50, 60), (30, 60))]),
        ("skip", vec![told(6000, (30, 60), (30, 60))]),
    ];
    for (policy, expected) in cases {
        let env = TestEnv::in_memory();
        let conf = || Conf::new().down_time(policy);
        assert_eq!(live(&env, conf(), seconds(1), 3, 3).len(), 3);
        env.clock.set(Time::from_millis(5_500));
        assert_eq!(live(&env, conf(), seconds(1), 6, expected.len() as u64), expected, "{policy}");
    }
}

#[test]
fn a_clock_that_was_moved_back_is_waited_for() {
    let env = TestEnv::in_memory();
    live(&env, Conf::new(), seconds(1), 3, 3);
    env.clock.set(Time::from_millis(500));
    let (running, received) = start(&env, Conf::new(), seconds(1)).unwrap();
    env.clock.set(Time::from_millis(3_999));
    assert_eq!(running.progress().completed, 0);
    env.clock.set(Time::from_millis(4_000));
    running.await_batches(1).unwrap();
    running.stop().unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [told(4000, (30, 40), (20, 40))]);
}

#[test]
fn the_batch_interval_may_become_a_divisor_or_a_multiple() {
    let env = TestEnv::in_memory();
    live(&env, Conf::new(), seconds(1), 4, 4);
    // Twice as long: the window still has the second before.
    let long = live(&env, Conf::new(), seconds(2), 6, 1);
    assert_eq!(long, [told(6000, (40, 60), (40, 60))]);
    // Four times as often: the batch of two seconds is in the window, or it is not.
    let short = live(&env, Conf::new(), milliseconds(500), 7, 2);
    assert_eq!(short, [told(6500, (60, 65), (40, 65)), told(7000, (65, 70), (40, 70))]);
    let refused = start(&env, Conf::new(), milliseconds(300)).err().unwrap().to_string();
    assert!(refused.contains("was 500ms and is 300ms"), "{refused}");
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), milliseconds(300), env.env()).unwrap();
    ssc.checkpoint("run");
    ssc.rate_stream(10, 2, |n| n).print();
    assert!(ssc.plan().unwrap_err().to_string().contains("was 500ms and is 300ms"));
}

#[test]
fn a_batch_that_fails_ends_the_program_and_the_next_one_begins_with_it() {
    let env = TestEnv::in_memory();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let run = |fails: bool| -> Result<()> {
        let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env())?;
        ssc.checkpoint("run");
        let numbers = ssc.rate_stream(2, 1, |n| n).try_map(move |n| if fails && n == 3 { Err("three") } else { Ok(n) });
        let told = seen.clone();
        numbers.foreach_rdd(move |rdd, time| {
            let records = rdd.collect().unwrap();
            told.lock().unwrap().push((time.milliseconds(), records));
        });
        let running = ssc.start()?;
        env.clock.set(env.clock_now() + seconds(3));
        running.await_batches(3)?;
        running.stop()
    };
    let error = run(true).unwrap_err().to_string();
    assert!(error.contains("three") && error.contains("batch 2000 ms"), "{error}");
    run(false).unwrap();
    let told = seen.lock().unwrap().clone();
    assert_eq!(told[..4], [(1000, vec![0, 1]), (2000, vec![2, 3]), (3000, vec![4, 5]), (4000, vec![6, 7])]);
}

#[test]
fn a_start_that_is_refused_by_its_plan_leaves_the_process_that_runs_alone() {
    let env = TestEnv::in_memory();
    let (first, _told) = start(&env, Conf::new(), seconds(1)).unwrap();
    let other = |program: fn(DStream<(u8, u64)>)| -> Result<RunningContext> {
        let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env())?;
        ssc.checkpoint("run");
        program(ssc.rate_stream(10, 2, |n| (0u8, n)).uid("numbers"));
        ssc.start()
    };
    let versions: [(fn(DStream<(u8, u64)>), &str); 2] = [
        (|numbers| drop(numbers.print()), "dropped       since ever"),
        (
            |numbers| {
                let window = numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2));
                window.uid("window").print();
                let texts = numbers.update_state_by_key(|_, old: Option<&String>| old.cloned());
                texts.uid("since ever").print();
            },
            "incompatible  since ever",
        ),
    ];
    for (batches, (version, reason)) in (1..).zip(versions) {
        env.clock.set(Time::from_millis(batches as i64 * 1000));
        first.await_batches(batches).unwrap();
        let refused = other(version).err().expect("it would lose something").to_string();
        assert!(refused.contains(reason), "{refused}");
    }
    env.clock.set(Time::from_millis(3_000));
    first.await_batches(3).unwrap();
    first.stop().unwrap();
}

#[test]
fn of_two_processes_on_a_store_without_locks_the_later_one_goes_on() {
    let env = TestEnv::in_memory();
    let (first, _told) = start(&env, Conf::new(), seconds(1)).unwrap();
    env.clock.set(Time::from_millis(2_000));
    first.await_batches(2).unwrap();
    let (second, received) = start(&env, Conf::new(), seconds(1)).unwrap();
    env.clock.set(Time::from_millis(3_000));
    // The first one makes its batch, and is told that it may not commit it.
    let fenced = first.await_termination().unwrap_err();
    assert_eq!(fenced.kind(), ErrorKind::Fenced);
    assert!(fenced.to_string().contains("another process has taken over"), "{fenced}");
    assert_eq!(first.progress().completed, 2);
    second.await_batches(1).unwrap();
    second.stop().unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [told(3000, (20, 30), (10, 30))]);
}
