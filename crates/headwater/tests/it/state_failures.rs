//! State whose functions fail, and batches that are late: each batch changes the state once, whole, and in its turn.

use crate::contexts::on_both_engines;
use headwater::prelude::*;
use headwater::testkit::{Check, TestEnv, streaming_context, test_input};
use headwater::{Error, ErrorKind, RunningContext};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

type Count = (u32, u32);

fn sums(s: &DStream<Count>) -> DStream<Count> {
    s.update_state_by_key(|values: &[u32], sum: Option<&u32>| Some(sum.unwrap_or(&0) + values.iter().sum::<u32>()))
}
fn sorted<T: Ord>(mut records: Vec<T>) -> Vec<T> {
    records.sort();
    records
}
/// Waits until `batches` have ended, however: the first error.
pub(crate) fn await_all(running: &RunningContext, batches: u64) -> Option<Error> {
    let mut first = None;
    while running.progress().completed < batches {
        first = first.or(running.await_batches(batches).err());
    }
    first
}
/// `keys` keys, each with a 1, in each of `batches` batches.
fn ones(keys: u32, batches: usize) -> Vec<Option<Vec<Count>>> {
    vec![Some((0..keys).map(|key| (key, 1)).collect()); batches]
}

/// The first try of each partition fails behind most of its keys, in every batch.
#[test]
fn a_task_that_fails_once_changes_the_state_once() {
    static TRIES: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    /// Panics at every other call for key 999.
    fn fail_first(of: usize, key: u32) {
        if key == 999 {
            assert!(TRIES[of].fetch_add(1, Ordering::Relaxed) % 2 == 1, "the first try fails");
        }
    }
    let updated = |s: DStream<Count>| {
        let update = |_, key: &u32, values: &[u32], sum: Option<&u32>| {
            fail_first(0, *key);
            Some(sum.unwrap_or(&0) + values.iter().sum::<u32>()).filter(|sum| !key.is_multiple_of(3) || *sum < 2)
        };
        s.update_state_by_key_with(StateUpdate::function_with_time(update)).with_partitions(3)
    };
    let mapped = |s: DStream<Count>| {
        let spec = StateSpec::function(|key: &u32, value: Option<u32>, state: &mut State<u32>| {
            fail_first(1, *key);
            let sum = state.get().unwrap_or(&0) + value.unwrap_or(0);
            if key.is_multiple_of(3) && sum == 2 {
                state.remove()
            } else {
                state.update(sum)
            }
            state.set_timer(Time::from_millis(i64::from(*key) + 10_000));
        });
        s.map_with_state(spec.num_partitions(3).timeout(seconds(60))).state_snapshots()
    };
    // Every third key goes with each second batch.
    let all = |batch: u32| {
        (0..1000).map(move |key| (key, if key % 3 == 0 { batch % 2 } else { batch })).filter(|(_, n)| *n > 0)
    };
    let expected: Vec<_> = (1..=5).map(|batch| all(batch).collect::<Vec<_>>()).collect();
    let input = || ones(1000, 5).into_iter().flatten();
    Check::new().on_both_engines().run(input(), updated, expected.clone());
    Check::new().on_both_engines().run(input(), mapped, expected);
    for tries in &TRIES {
        assert_eq!(tries.load(Ordering::Relaxed), 20, "two tries for each of five batches, on either engine");
    }
}

/// As long as a batch cannot be computed, those behind it wait for it; then each is computed once.
#[test]
fn a_function_that_always_fails_holds_the_state_where_it_was() {
    static AWAY: AtomicBool = AtomicBool::new(false);
    let build = |ssc: &StreamingContext| {
        let s = test_input(ssc, ones(100, 4), 2);
        let spec = StateSpec::function_with_time(|time, key: &u32, value: Option<u32>, state: &mut State<u32>| {
            let away = AWAY.load(Ordering::Relaxed) && time.milliseconds() == 2000;
            assert!(!away || *key < 97, "the table is away");
            state.update(state.get().unwrap_or(&0) + value.unwrap_or(0));
            Some((*key, *state.get().unwrap_or(&0)))
        });
        let mapped = s.map_with_state(spec.num_partitions(3)).uid("counts");
        (
            mapped.clone(),
            s.map_with_state(StateSpec::function(|_: &u32, _: Option<u32>, s: &mut State<u32>| s.update(1))),
        )
    };
    let build = move |ssc: &StreamingContext| {
        let (mapped, other) = build(ssc);
        drop(other);
        mapped
    };
    for built in on_both_engines(build) {
        AWAY.store(true, Ordering::Relaxed);
        let (sent, received) = channel();
        let kept: Arc<Mutex<BTreeMap<i64, Rdd<Count>>>> = Arc::default();
        let keep = kept.clone();
        built.result.foreach_rdd(move |rdd, time| {
            keep.lock().unwrap().insert(time.milliseconds(), rdd.clone());
            let collected = rdd.collect();
            sent.send((time.milliseconds(), collected.as_ref().map(Vec::len).map_err(ToString::to_string))).unwrap();
            collected.map(drop)
        });
        let running = built.ssc.start().unwrap();
        let await_next = |batch| {
            built.clock.advance(seconds(1));
            await_all(&running, batch)
        };
        let first = [1, 2, 3].map(await_next).into_iter().flatten().next();
        let error = first.unwrap_or_else(|| running.await_termination().unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Data, "on the {} engine", built.engine);
        let error = error.to_string();
        for part in ["batch 2000 ms", "map_with_state at", "(operator counts)", "the table is away"] {
            assert!(error.contains(part), "{part} is not in: {error}, on the {} engine", built.engine);
        }
        let results: Vec<(i64, std::result::Result<usize, String>)> = received.try_iter().collect();
        assert_eq!(results[0], (1000, Ok(100)));
        for (at, result) in [&results[1], &results[2]] {
            let error = result.as_ref().unwrap_err();
            assert!(error.contains("(operator counts)") && error.contains("the table is away"), "{at}: {error}");
        }
        AWAY.store(false, Ordering::Relaxed);
        await_next(4);
        assert_eq!(received.try_iter().collect::<Vec<_>>(), [(4000, Ok(100))]);
        let last = kept.lock().unwrap()[&4000].clone();
        assert_eq!(sorted(last.collect().unwrap()), (0..100).map(|key| (key, 4)).collect::<Vec<_>>());
    }
}

/// The versions that are still in use stay readable behind a batch that fails.
#[test]
fn an_earlier_version_is_what_it_was_after_a_later_batch_failed() {
    let (ssc, clock) = streaming_context();
    let s = test_input(&ssc, ones(50, 3), 2);
    let update = |time: Time, key: &u32, values: &[u32], sum: Option<&u32>| {
        assert!(time.milliseconds() == 1000 || *key != 49, "no 49");
        Some(sum.unwrap_or(&0) + values.iter().sum::<u32>())
    };
    let sums = s.update_state_by_key_with(StateUpdate::function_with_time(update)).with_partitions(1);
    let first: Arc<Mutex<Option<Rdd<Count>>>> = Arc::default();
    let keep = first.clone();
    sums.foreach_rdd(move |rdd, time| {
        if time.milliseconds() == 1000 {
            keep.lock().unwrap().replace(rdd.clone());
        }
        rdd.count().map(drop)
    });
    let running = ssc.start().unwrap();
    clock.advance(seconds(3));
    await_all(&running, 3);
    assert_eq!(running.progress().failed, 2);
    let first = first.lock().unwrap().take().unwrap();
    assert_eq!(sorted(first.collect().unwrap()), (0..50).map(|key| (key, 1)).collect::<Vec<_>>());
}

/// Batches whose state cannot be computed do not pile up without end.
#[test]
fn a_state_that_fails_for_long_says_so() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    let s = test_input(&ssc, ones(2, 410), 1);
    let failing = s.update_state_by_key(|_, _: Option<&u32>| -> Option<u32> { panic!("never") });
    let (sent, received) = channel();
    failing.foreach_rdd(move |rdd, time| {
        let error = rdd.count().unwrap_err().to_string();
        sent.send((time.milliseconds() / 1000, error)).unwrap();
    });
    let running = ssc.start().unwrap();
    let failures = (1..=410).filter_map(|batch| {
        env.clock.advance(seconds(1));
        await_all(&running, batch)
    });
    // An error that nobody has waited for yet is returned by the stop, or is a warning.
    let failures: Vec<Error> = failures.collect();
    let mut failures: Vec<String> =
        failures.into_iter().chain(running.stop().err()).map(|error| error.to_string()).collect();
    failures.extend(env.warnings());
    let errors: Vec<(i64, String)> = received.try_iter().collect();
    assert!(errors.iter().all(|(_, error)| error.contains("update_state_by_key at") && error.contains("never")));
    assert_eq!(errors.last().unwrap().0, 400, "those behind it are not generated");
    assert!(failures.iter().any(|error| error.contains("waits for 400 batches that failed")));
}

/// A batch that could not be generated in its turn is missing in the state; what asks for it later is told so, and the
/// state goes on.
#[test]
fn a_batch_that_was_not_generated_is_not_made_behind_later_ones() {
    static AWAY: AtomicUsize = AtomicUsize::new(0);
    let (ssc, clock) = streaming_context();
    let s = test_input(&ssc, ones(3, 6), 2);
    // All tries of batch 2 fail: the state's own and that of either output. What asks later would find it.
    let flaky = s.transform(|rdd, time| {
        assert!(time.milliseconds() != 2000 || AWAY.fetch_add(1, Ordering::Relaxed) > 2, "away");
        rdd
    });
    let sums = sums(&flaky);
    let (each, windows) = channel();
    let to_windows = each.clone();
    sums.foreach_rdd(move |rdd, time| {
        each.send(("batch", time.milliseconds(), sorted(rdd.collect().unwrap()))).unwrap();
    });
    sums.window(seconds(2)).foreach_rdd(move |rdd, time| {
        to_windows.send(("window", time.milliseconds(), sorted(rdd.collect().unwrap()))).unwrap();
    });
    let running = ssc.start().unwrap();
    for batch in 1..=6 {
        clock.advance(seconds(1));
        await_all(&running, batch);
    }
    let seen: BTreeMap<_, _> = windows.try_iter().map(|(kind, time, records)| ((kind, time), records)).collect();
    let all = |n: u32| (0..3).map(|key| (key, n)).collect::<Vec<_>>();
    for (time, count) in [(1000, 1), (3000, 2), (4000, 3), (5000, 4), (6000, 5)] {
        assert_eq!(seen.get(&("batch", time)), Some(&all(count)), "batch {time} of {seen:?}");
    }
    assert_eq!((seen.get(&("batch", 2000)), seen.get(&("window", 3000))), (None, None));
    for (time, count) in [(4000, 3), (5000, 4), (6000, 5)] {
        let both = sorted([all(count - 1), all(count)].concat());
        assert_eq!(seen.get(&("window", time)), Some(&both), "window {time} of {seen:?}");
    }
}

#[test]
fn time_outs_that_never_come() {
    for timeout in [seconds(365 * 24 * 3600), Duration::MAX] {
        let program = move |s: DStream<(u32, u32)>| {
            let spec = StateSpec::function(|_: &u32, value: Option<u32>, state: &mut State<u32>| {
                state.update(state.get().unwrap_or(&0) + value.expect("nothing is due"));
                state.set_timer(Time::from_millis(i64::MAX));
                assert_eq!(state.timer(), None);
                state.set_timer(Time::from_millis(i64::MAX - 1));
            });
            s.map_with_state(spec.timeout(timeout)).state_snapshots()
        };
        let input = [vec![(1, 1)], vec![], vec![(1, 1), (2, 1)], vec![]];
        let expected = [vec![(1, 1)], vec![(1, 1)], vec![(1, 2), (2, 1)], vec![(1, 2), (2, 1)]];
        Check::new().on_both_engines().run(input, program, expected);
    }
}

/// The clock jumps by six hours: all batches come, in their order, and keys time out in the batches that they would have.
#[test]
fn a_clock_that_jumps_runs_every_batch() {
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), minutes(1), env.env()).unwrap();
    let s = test_input(&ssc, vec![Some(vec![('a', ()), ('b', ())]), Some(vec![('b', ())])], 2);
    let spec = StateSpec::function_with_time(|time, key: &char, value: Option<()>, state: &mut State<u32>| {
        if value.is_some() {
            state.update(0);
            state.set_timer(time + minutes(7));
        } else if state.is_timer() {
            state.update(state.get().unwrap_or(&0) + 1);
            state.set_timer(time + minutes(7));
        }
        value.is_none().then(|| (*key, time.milliseconds() / 60_000, state.is_timing_out()))
    });
    let mapped = s.map_with_state(spec.timeout(minutes(30)));
    let (sent, received) = channel();
    mapped.foreach_rdd(move |rdd, time| sent.send((time, rdd.collect().unwrap())).unwrap());
    let running = ssc.start().unwrap();
    env.clock.advance(minutes(360));
    running.await_batches(360).unwrap();
    let seen: Vec<_> = received.try_iter().collect();
    let times: Vec<i64> = seen.iter().map(|(time, _)| time.milliseconds()).collect();
    assert_eq!(times, (1..=360).map(|minute| 60_000 * minute).collect::<Vec<i64>>());
    let calls = sorted(seen.into_iter().flat_map(|(_, calls)| calls).collect());
    let expected = [('a', 1), ('b', 2)].into_iter().flat_map(|(key, from)| {
        let timers = [7, 14, 21, 28].map(|after| (key, from + after, false));
        timers.into_iter().chain([(key, from + 31, true)])
    });
    assert_eq!(calls, expected.collect::<Vec<_>>());
}

/// A record comes before the time-out that is due in the same batch, and so does what it says about the timer.
#[test]
fn a_key_that_comes_again_just_in_time_stays() {
    let program = |s: DStream<(char, u64)>| {
        let spec = StateSpec::function_with_time(|time, key: &char, value: Option<u64>, state: &mut State<()>| {
            if let Some(after) = value {
                state.update(());
                state.set_timer(time + seconds(after));
            }
            Some((*key, time.milliseconds(), state.is_timer(), state.is_timing_out()))
        });
        s.map_with_state(spec.timeout(seconds(2))).filter(|(_, _, timer, out)| *timer || *out)
    };
    // Due in batch 4: 'a' times out, 'b' comes again; the timer of 'c' is moved on from 3 to 4, that of 'd' to 3.
    let input = [
        vec![('a', 9), ('b', 9), ('c', 2), ('d', 0)],
        vec![],
        vec![('c', 1), ('d', 0)],
        vec![('b', 9)],
        vec![],
        vec![],
        vec![],
    ];
    let expected = [
        vec![],
        vec![('d', 2000, true, false)],
        vec![],
        vec![('a', 4000, false, true), ('c', 4000, true, false), ('d', 4000, true, false)],
        vec![],
        vec![('c', 6000, false, true), ('d', 6000, false, true)],
        vec![('b', 7000, false, true)],
    ];
    Check::new().on_both_engines().run(input, program, expected);
}

/// A timer is no record: a key whose timer goes on and on times out nevertheless.
#[test]
fn timers_do_not_hold_up_a_time_out() {
    let program = |s: DStream<char>| {
        let spec = StateSpec::function_with_time(|time, _: &char, _: Option<()>, state: &mut State<u32>| {
            if !state.is_timing_out() {
                state.update(state.get().unwrap_or(&0) + 1);
                state.set_timer(time + seconds(1));
            }
            state.is_timing_out().then(|| (time.milliseconds(), state.get().copied()))
        });
        s.map(|key| (key, ())).map_with_state(spec.timeout(seconds(3))).stream()
    };
    let mut expected = vec![vec![]; 7];
    expected[4] = vec![(5000, Some(4))];
    Check::new().on_both_engines().run([vec!['a'], vec![], vec![], vec![], vec![], vec![], vec![]], program, expected);
}

/// A stall that is longer than batches of state may wait: generation waits, too, and no record is lost.
#[test]
fn a_stall_loses_nothing() {
    const BATCHES: u64 = 600;
    let env = TestEnv::new();
    let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env()).unwrap();
    let counted = sums(&test_input(&ssc, ones(2, BATCHES as usize), 1));
    let (go, gate) = channel::<()>();
    let (sent, seen) = channel();
    let gate = Mutex::new(gate);
    counted.foreach_rdd(move |rdd, _| {
        // An error means that the test has opened the gate for good.
        let _opened = gate.lock().unwrap().recv();
        sent.send(sorted(rdd.collect().unwrap())).unwrap();
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(BATCHES));
    let warning = env.await_warning("pending_batches_max");
    assert!(warning.contains("400 batches wait or run"), "{warning}");
    drop(go);
    running.await_batches(BATCHES).unwrap();
    let last = seen.try_iter().last().unwrap();
    assert_eq!(last, [(0, BATCHES as u32), (1, BATCHES as u32)]);
}
