//! New versions of a program on the folder of an old one.

use headwater::prelude::*;
use headwater::testkit::TestEnv;
use headwater::{Fate, Result};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

/// Runs a version of the program for a second more; what it told, sorted.
fn run<T: headwater::Data + Ord>(
    env: &TestEnv,
    conf: Conf,
    program: impl Fn(&StreamingContext, DStream<(u64, u64)>) -> DStream<T>,
) -> Result<Vec<T>> {
    let ssc = StreamingContext::with_env(conf.master("local[2]"), seconds(1), env.env())?;
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(6, 2, |n| (n % 3, n)).uid("numbers");
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = told.clone();
    program(&ssc, numbers).foreach_rdd(move |rdd, _| tells.lock().unwrap().extend(rdd.collect().unwrap()));
    let running = ssc.start()?;
    env.clock.set(env.clock_now() + seconds(1));
    running.await_batches(1)?;
    running.stop()?;
    let mut told = std::mem::take(&mut *told.lock().unwrap());
    told.sort();
    Ok(told)
}
fn plan(env: &TestEnv, program: impl Fn(&StreamingContext, DStream<(u64, u64)>)) -> Vec<(String, Fate, String)> {
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(6, 2, |n| (n % 3, n)).uid("numbers");
    program(&ssc, numbers);
    let plan = ssc.plan().unwrap();
    plan.operators.into_iter().map(|of| (of.operator, of.fate, of.reason)).collect()
}

mod v1 {
    use super::*;
    #[derive(Clone, Serialize, Deserialize)]
    pub(super) struct Seen {
        pub(super) count: u32,
        pub(super) label: String,
        pub(super) useless: Vec<u8>,
    }
    pub(super) fn program(_: &StreamingContext, numbers: DStream<(u64, u64)>) -> DStream<(u64, u32)> {
        let seen = StateSpec::function(|key: &u64, _n: Option<u64>, seen: &mut State<Seen>| {
            let count = seen.get().map_or(0, |seen| seen.count) + 1;
            seen.update(Seen { count, label: format!("key {key}"), useless: vec![1] });
            (*key, count)
        });
        numbers.map_with_state(seen).stream().uid("seen")
    }
}
/// A field wider, one renamed, one added, one removed.
mod v2 {
    use super::*;
    #[derive(Clone, Serialize, Deserialize)]
    pub(super) struct Visits {
        pub(super) count: u64,
        #[serde(alias = "label")]
        pub(super) name: String,
        #[serde(default)]
        pub(super) newest: u64,
    }
    pub(super) fn program(_: &StreamingContext, numbers: DStream<(u64, u64)>) -> DStream<(u64, u64, String)> {
        let visits = StateSpec::function(|key: &u64, n: Option<u64>, visits: &mut State<Visits>| {
            let old = visits.get().cloned().unwrap_or(Visits { count: 0, name: "nobody".into(), newest: 0 });
            let new = Visits { count: old.count + 1, newest: n.unwrap_or(0), ..old };
            visits.update(new.clone());
            (*key, new.count, new.name)
        });
        numbers.map_with_state(visits.num_partitions(5)).stream().uid("seen")
    }
}
/// Another type altogether.
fn v3(migrates: bool) -> impl Fn(&StreamingContext, DStream<(u64, u64)>) -> DStream<(u64, u64)> {
    move |_, numbers| {
        let counts = StateUpdate::function(|new: &[u64], old: Option<&u64>| Some(old.unwrap_or(&0) + new.len() as u64));
        let counts = if migrates { counts.migrate_state(|old: v1::Seen| u64::from(old.count)) } else { counts };
        numbers.update_state_by_key_with(counts).with_partitions(3).uid("seen")
    }
}

#[test]
fn fields_may_be_added_removed_renamed_and_widened_and_partitions_change() {
    let env = TestEnv::in_memory();
    assert_eq!(run(&env, Conf::new(), v1::program).unwrap(), [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]);
    let told = run(&env, Conf::new(), v2::program).unwrap();
    let fields = "the fields label, useless are stored and not in it; the fields name, newest are in it and not stored";
    assert!(env.warnings().iter().any(|warning| warning.contains(fields)), "{:?}", env.warnings());
    let expected = [0, 1, 2].map(|key| [3, 4].map(|count| (key, count, format!("key {key}"))));
    assert_eq!(told, expected.concat());
}

#[test]
fn another_type_needs_a_migration() {
    let env = TestEnv::in_memory();
    run(&env, Conf::new(), v1::program).unwrap();
    let without = plan(&env, |ssc, numbers| drop(v3(false)(ssc, numbers).print()));
    assert_eq!((without[1].0.as_str(), without[1].1), ("seen", Fate::Incompatible));
    assert!(without[1].2.contains("no `u64`"), "{}", without[1].2);
    let refused = run(&env, Conf::new(), v3(false)).unwrap_err().to_string();
    assert!(refused.contains("incompatible  seen") && refused.contains("drop_state = \"seen\""), "{refused}");

    let with = plan(&env, |ssc, numbers| drop(v3(true)(ssc, numbers).print()));
    assert_eq!((with[1].0.as_str(), with[1].1), ("seen", Fate::Migrated));
    assert_eq!(run(&env, Conf::new(), v3(true)).unwrap(), [(0, 4), (1, 4), (2, 4)]);
    // What was written since is of the new version, and the old program cannot go on with it.
    assert_eq!(run(&env, Conf::new(), v3(true)).unwrap(), [(0, 6), (1, 6), (2, 6)]);
    let older = run(&env, Conf::new(), v1::program).unwrap_err().to_string();
    assert!(older.contains("was written by version 1 of the state, and the program has version 0"), "{older}");
}

#[test]
fn state_is_lost_by_a_word_only() {
    let env = TestEnv::in_memory();
    run(&env, Conf::new(), v1::program).unwrap();
    let other = |_: &StreamingContext, numbers: DStream<(u64, u64)>| numbers.count();
    let refused = run(&env, Conf::new(), other).unwrap_err().to_string();
    assert!(refused.contains("dropped       seen"), "{refused}");
    assert_eq!(run(&env, Conf::new().drop_state("seen"), other).unwrap(), [6]);
    // It is gone for good: an operator of the same name begins anew.
    assert_eq!(run(&env, Conf::new(), v1::program).unwrap()[..2], [(0, 1), (0, 2)]);
    assert_eq!(run(&env, Conf::new(), v1::program).unwrap()[..2], [(0, 3), (0, 4)]);
    // And so does one that may lose what it cannot read.
    assert_eq!(run(&env, Conf::new().drop_state("seen"), v3(false)).unwrap(), [(0, 2), (1, 2), (2, 2)]);
    assert_eq!(run(&env, Conf::new(), v3(false)).unwrap(), [(0, 4), (1, 4), (2, 4)]);
}

#[test]
fn an_initial_state_is_for_operators_that_begin() {
    let env = TestEnv::in_memory();
    let program = |ssc: &StreamingContext, numbers: DStream<(u64, u64)>| {
        let initial = ssc.context().parallelize(vec![(0u64, 100u64), (7, 700)], 1);
        let sums = StateUpdate::function(|new: &[u64], old: Option<&u64>| Some(old.unwrap_or(&0) + new.len() as u64));
        numbers.update_state_by_key_with(sums.initial_state(&initial)).uid("sums")
    };
    assert_eq!(run(&env, Conf::new(), program).unwrap(), [(0, 102), (1, 2), (2, 2), (7, 700)]);
    assert_eq!(run(&env, Conf::new(), program).unwrap(), [(0, 104), (1, 4), (2, 4), (7, 700)]);
}

#[test]
fn a_window_may_become_shorter_or_longer() {
    let window = |length: u64| {
        move |_: &StreamingContext, numbers: DStream<(u64, u64)>| {
            let ones = numbers.map(|(_, _)| ((), 1u64));
            ones.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(length))
                .uid("window")
                .map(|(_, n)| n)
        }
    };
    let env = TestEnv::in_memory();
    let told: Vec<u64> =
        [3, 3, 3, 2, 4, 4, 4, 4].iter().flat_map(|length| run(&env, Conf::new(), window(*length)).unwrap()).collect();
    // A longer one has of the past what is still stored: the old length at least.
    assert_eq!(told, [6, 12, 18, 12, 24, 24, 24, 24]);
}

#[test]
fn a_time_out_that_the_program_takes_away_comes_no_more() {
    let told_of_time_outs = |timeout: Option<Duration>| {
        move |_: &StreamingContext, numbers: DStream<(u64, u64)>| {
            let seen = StateSpec::function(|key: &u64, _: Option<u64>, seen: &mut State<u64>| {
                if seen.is_timing_out() {
                    return Some(*key);
                }
                seen.update(1);
                None
            });
            let seen = timeout.into_iter().fold(seen, StateSpec::timeout);
            // Keys that never come again.
            numbers.map(|(_, n)| (n, n)).map_with_state(seen).stream().uid("seen").flat_map(|key| key)
        }
    };
    for (timeout, told) in [(Some(seconds(1)), (0..6).collect()), (None, Vec::new())] {
        let env = TestEnv::in_memory();
        assert_eq!(run(&env, Conf::new(), told_of_time_outs(Some(seconds(1)))).unwrap(), []);
        let later = [0; 2].map(|_| run(&env, Conf::new(), told_of_time_outs(timeout)).unwrap());
        assert_eq!(later.concat(), told, "{timeout:?}");
    }
}

#[test]
fn the_plan_tells_numbers_that_change() {
    let env = TestEnv::in_memory();
    let program = |batch: Duration, length: u64, partitions: usize| {
        let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), batch, env.env()).unwrap();
        ssc.checkpoint("run");
        let numbers = ssc.rate_stream(6, 2, |n| (n % 3, n)).uid("numbers");
        let sums = numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(length));
        sums.with_partitions(partitions).uid("sums").print();
        ssc
    };
    program(seconds(1), 2, 3).start().unwrap().stop().unwrap();
    let plan = program(milliseconds(500), 3, 5).plan().unwrap();
    assert_eq!(plan.interval, Some((seconds(1), milliseconds(500))));
    let said = plan.to_string();
    assert!(said.starts_with("batch interval 1s -> 500ms\nkept          numbers"), "{said}");
    assert!(said.ends_with("goes on; window 2s -> 3s; 3 -> 5 partitions"), "{said}");
    let same = program(seconds(1), 2, 3).plan().unwrap().to_string();
    assert!(!same.contains("->"), "{same}");
}

#[test]
fn the_plan_is_printed_and_nothing_runs() {
    let env = TestEnv::in_memory();
    run(&env, Conf::new(), v1::program).unwrap();
    let ssc =
        StreamingContext::with_env(Conf::new().master("local[1]").plan_only(true), seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(6, 2, |n| (n % 3, n)).uid("numbers");
    v2::program(&ssc, numbers).foreach_rdd(|rdd, _| assert!(rdd.count().is_err(), "nothing runs"));
    let running = ssc.start().unwrap();
    running.await_termination().unwrap();
    let printed = env.printed();
    assert!(
        printed.contains("kept          numbers") && printed.contains("v2::Visits by the names of its fields"),
        "{printed}"
    );
}
