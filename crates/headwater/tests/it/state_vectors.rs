//! Spark's tests of state: the inputs and outputs of `BasicOperationsSuite` (`updateStateByKey`), `MapWithStateSuite` and
//! `MapWithStateRDDSuite`, on both engines.

use headwater::prelude::*;
use headwater::testkit::{Check, check_on_both_engines as check};
use headwater::{Data, RddContext};
use std::fmt::Debug;

fn words(batches: &[&[&str]]) -> Vec<Vec<String>> {
    batches.iter().map(|batch| batch.iter().map(|word| word.to_string()).collect()).collect()
}
fn pairs<V: Copy>(batches: &[&[(&str, V)]]) -> Vec<Vec<(String, V)>> {
    batches.iter().map(|batch| batch.iter().map(|(word, value)| (word.to_string(), *value)).collect()).collect()
}
fn ones(words: DStream<String>) -> DStream<(String, i32)> {
    words.map(|word| (word, 1))
}
fn initial<V: Data + Copy>(context: &RddContext, states: &[(&str, V)]) -> Rdd<(String, V)> {
    context.parallelize(states.iter().map(|(key, state)| (key.to_string(), *state)).collect(), 2)
}

const LETTERS: &[&[&str]] = &[&["a"], &["a", "b"], &["a", "b", "c"], &["a", "b"], &["a"], &[]];

fn sum(values: &[i32], state: Option<&i32>) -> Option<i32> {
    Some(values.iter().sum::<i32>() + state.unwrap_or(&0))
}

#[test]
fn update_state_by_key() {
    let expected = pairs(&[
        &[("a", 1)],
        &[("a", 2), ("b", 1)],
        &[("a", 3), ("b", 2), ("c", 1)],
        &[("a", 4), ("b", 3), ("c", 1)],
        &[("a", 5), ("b", 3), ("c", 1)],
        &[("a", 5), ("b", 3), ("c", 1)],
    ]);
    check(words(LETTERS), |s| ones(s).update_state_by_key(sum), expected);
}

/// "simple with initial value RDD" and "with initial value RDD", whose function is Spark's form with an iterator.
#[test]
fn update_state_by_key_with_initial_value_rdd() {
    let expected = pairs(&[
        &[("a", 2), ("c", 2)],
        &[("a", 3), ("b", 1), ("c", 2)],
        &[("a", 4), ("b", 2), ("c", 3)],
        &[("a", 5), ("b", 3), ("c", 3)],
        &[("a", 6), ("b", 3), ("c", 3)],
        &[("a", 6), ("b", 3), ("c", 3)],
    ]);
    let simple = |s: DStream<String>| {
        let initial = initial(s.context(), &[("a", 1), ("c", 2)]);
        let update = StateUpdate::function(sum).initial_state(&initial);
        let hash = s.context().hash_partitioner(2);
        ones(s).update_state_by_key_with(update).with_partitioner(hash)
    };
    check(words(LETTERS), simple, expected.clone());
    let by_iterator = |s: DStream<String>| {
        let initial = initial(s.context(), &[("a", 1), ("c", 2)]);
        let update = StateUpdate::function_with_time(|_, _: &String, values, state| sum(values, state));
        ones(s).update_state_by_key_with(update.initial_state(&initial)).with_partitions(2)
    };
    check(words(LETTERS), by_iterator, expected);
}

#[test]
fn update_state_by_key_testing_time_stamps_as_input() {
    let expected = pairs(&[
        &[("a", 1000), ("c", 0)],
        &[("a", 3000), ("b", 2000), ("c", 0)],
        &[("a", 6000), ("b", 5000), ("c", 3000)],
        &[("a", 10000), ("b", 9000), ("c", 3000)],
        &[("a", 15000), ("b", 9000), ("c", 3000)],
        &[("a", 15000), ("b", 9000), ("c", 3000)],
    ]);
    let program = |s: DStream<String>| {
        let initial = initial(s.context(), &[("a", 0), ("c", 0)]);
        let update = |time: Time, _: &String, values: &[i32], state: Option<&i64>| {
            let time = if values.is_empty() { 0 } else { time.milliseconds() };
            Some(time + state.unwrap_or(&0))
        };
        let update = StateUpdate::function_with_time(update).initial_state(&initial);
        ones(s).update_state_by_key_with(update).with_partitions(2)
    };
    check(words(LETTERS), program, expected);
}

#[test]
fn update_state_by_key_object_lifecycle() {
    let letters = [Some(["a", "b"].as_slice()), None, Some(&["a", "c", "a"]), Some(&["c"]), None, None];
    let letters = letters.map(|batch| batch.map(|batch| words(&[batch]).remove(0)));
    // A state that is seen twice in a row without values goes.
    let program = |s: DStream<String>| {
        let update = |values: &[i32], state: Option<&(i32, u32)>| {
            let (counter, idle) = state.copied().unwrap_or_default();
            match values.iter().sum::<i32>() {
                0 if idle == 1 => None,
                0 => Some((counter, idle + 1)),
                more => Some((counter + more, 0)),
            }
        };
        ones(s).update_state_by_key(update).map_values(|(counter, _)| counter)
    };
    let expected = pairs(&[
        &[("a", 1), ("b", 1)],
        &[("a", 1), ("b", 1)],
        &[("a", 3), ("c", 1)],
        &[("a", 3), ("c", 2)],
        &[("c", 2)],
        &[],
    ]);
    for got in Check::new().on_both_engines().outputs(letters, program) {
        let sorted = got.unwrap().into_iter().map(|batch| {
            let mut batch = batch.expect("there is a state in every batch");
            batch.sort();
            batch
        });
        assert_eq!(sorted.collect::<Vec<_>>(), expected);
    }
}

/// What the function returns, and the state, in each batch.
#[track_caller]
fn check_state<V: Data, S: Data + PartialEq + Debug, E: Data + PartialEq + Debug>(
    input: Vec<Vec<(String, V)>>,
    spec: fn(&RddContext) -> StateSpec<String, V, S, E>,
    outputs: Vec<Vec<E>>,
    states: Vec<Vec<(String, S)>>,
) {
    let of = move |s: DStream<(String, V)>| s.map_with_state(spec(s.context()));
    check(input.clone(), move |s| of(s).stream(), outputs);
    check(input, move |s| of(s).state_snapshots(), states);
}
/// A 1 for each letter.
fn letters(batches: &[&[&'static str]]) -> Vec<Vec<(String, i32)>> {
    let ones = batches.iter().map(|batch| batch.iter().map(|word| (word.to_string(), 1)).collect());
    ones.collect()
}
const GROWING: &[&[&str]] = &[&[], &["a"], &["a", "b"], &["a", "b", "c"], &["a", "b"], &["a"], &[]];
const COUNTS: &[&[(&str, i32)]] = &[
    &[],
    &[("a", 1)],
    &[("a", 2), ("b", 1)],
    &[("a", 3), ("b", 2), ("c", 1)],
    &[("a", 4), ("b", 3), ("c", 1)],
    &[("a", 5), ("b", 3), ("c", 1)],
    &[("a", 5), ("b", 3), ("c", 1)],
];

fn count(value: Option<i32>, state: &mut State<i32>) -> i32 {
    let sum = value.unwrap_or(0) + state.get().unwrap_or(&0);
    state.update(sum);
    sum
}

#[test]
fn map_with_state_basic_operations_with_simple_api() {
    let outputs = [vec![], vec![1], vec![2, 1], vec![3, 2, 1], vec![4, 3], vec![5], vec![]];
    let spec = |_: &RddContext| StateSpec::function(|_: &String, value, state: &mut State<i32>| count(value, state));
    check_state(letters(GROWING), spec, outputs.to_vec(), pairs(COUNTS));
}

#[test]
fn map_with_state_basic_operations_with_advanced_api() {
    let outputs = words(&[&[], &["aa"], &["aa", "bb"], &["aa", "bb", "cc"], &["aa", "bb"], &["aa"], &[]]);
    let spec = |_: &RddContext| {
        StateSpec::function_with_time(|_, key: &String, value, state: &mut State<i32>| {
            count(value, state);
            Some(key.repeat(2))
        })
    };
    check_state(letters(GROWING), spec, outputs, pairs(COUNTS));
}

#[test]
fn map_with_state_states_as_mapped_data() {
    let outputs = pairs(&[
        &[],
        &[("a", 1)],
        &[("a", 2), ("b", 1)],
        &[("a", 3), ("b", 2), ("c", 1)],
        &[("a", 4), ("b", 3)],
        &[("a", 5)],
        &[],
    ]);
    let spec = |_: &RddContext| {
        StateSpec::function_with_time(|_, key: &String, value, state: &mut State<i32>| {
            Some((key.clone(), count(value, state)))
        })
    };
    check_state(letters(GROWING), spec, outputs, pairs(COUNTS));
}

#[test]
fn map_with_state_initial_states_with_nothing_returned() {
    let states = pairs(&[
        &[("a", 5), ("b", 10), ("c", -20), ("d", 0)],
        &[("a", 6), ("b", 10), ("c", -20), ("d", 0)],
        &[("a", 7), ("b", 11), ("c", -20), ("d", 0)],
        &[("a", 8), ("b", 12), ("c", -19), ("d", 0)],
        &[("a", 9), ("b", 13), ("c", -19), ("d", 0)],
        &[("a", 10), ("b", 13), ("c", -19), ("d", 0)],
        &[("a", 10), ("b", 13), ("c", -19), ("d", 0)],
    ]);
    let spec = |context: &RddContext| {
        let spec = StateSpec::function_with_time(|_, _: &String, value, state: &mut State<i32>| {
            count(value, state);
            None::<i32>
        });
        spec.initial_state(&initial(context, &[("a", 5), ("b", 10), ("c", -20), ("d", 0)]))
    };
    check_state(letters(GROWING), spec, vec![vec![]; 7], states);
}

#[test]
fn map_with_state_state_removing() {
    let input: &[&[&str]] = &[&[], &["a"], &["a", "b"], &["a", "b", "c"], &["a", "b", "c"], &["a", "b"], &["a"], &[]];
    let removed = words(&[&[], &[], &["a"], &["b"], &["a", "c"], &["b"], &["a"], &[]]);
    let states = pairs(&[&[], &[("a", 1)], &[("b", 1)], &[("a", 1), ("c", 1)], &[("b", 1)], &[("a", 1)], &[], &[]]);
    let spec = |_: &RddContext| {
        let spec = StateSpec::function_with_time(|_, key: &String, value: Option<i32>, state: &mut State<i32>| {
            if state.exists() {
                state.remove();
                return Some(key.clone());
            }
            state.update(value.expect("it is there unless the key is due"));
            None
        });
        spec.num_partitions(1)
    };
    check_state(letters(input), spec, removed, states);
}

/// In Spark `c` and `b` go with the tenth batch, in which the state is checkpointed; here in the one in which they are due.
#[test]
fn map_with_state_state_timing_out() {
    let mut input: Vec<&[&str]> = vec![&["a", "b", "c"], &["a", "b"], &["a"], &[], &[]];
    input.extend([["a"].as_slice(); 21]);
    let mut outputs: Vec<&[&str]> = vec![&[]; 26];
    (outputs[4], outputs[5]) = (&["c"], &["b"]);
    let mut states: Vec<&[(&str, i32)]> = vec![&[("a", 1), ("b", 1), ("c", 1)]; 4];
    states.push(&[("a", 1), ("b", 1)]);
    states.extend([[("a", 1)].as_slice(); 21]);
    let spec = |_: &RddContext| {
        let spec = StateSpec::function_with_time(|_, key: &String, value: Option<i32>, state: &mut State<i32>| {
            if value.is_some() {
                state.update(1);
            }
            state.is_timing_out().then(|| key.clone())
        });
        spec.timeout(seconds(3))
    };
    check_state(letters(&input), spec, words(&outputs), pairs(&states));
}

/// "type inferencing and class tags": what has to be said about types.
#[test]
fn map_with_state_type_inferencing() {
    fn simple(_: &String, _: Option<i32>, _: &mut State<f64>) -> u64 {
        0
    }
    fn advanced(_: Time, _: &String, _: Option<i32>, _: &mut State<f64>) -> Option<u64> {
        Some(0)
    }
    let input = || vec![vec![("a".to_string(), 1)]];
    let check = |program: fn(DStream<(String, i32)>) -> DStream<u64>| check(input(), program, [vec![0]]);
    check(|s| s.map_with_state(StateSpec::function(simple).num_partitions(1)).stream());
    check(|s| {
        let spec: StateSpec<String, i32, f64, u64> = StateSpec::function(simple);
        s.map_with_state(spec).stream()
    });
    check(|s| s.map_with_state::<f64, u64>(StateSpec::function_with_time(advanced)).stream());
    check(|s| s.map_with_state(StateSpec::function_with_time(advanced)).stream());
}

/// What the words of `commands` do to the state, one after the other, and what it is behind each.
fn obey(commands: &str, state: &mut State<i32>) -> Vec<Option<i32>> {
    let obey = |command: &str| {
        match command {
            "look" => {}
            "set" => state.update(2),
            "remove" => state.remove(),
            other => panic!("there is no command {other:?}"),
        }
        assert_eq!(state.exists(), state.get().is_some());
        state.get().copied()
    };
    commands.split(' ').map(obey).collect()
}

/// `state - get, exists, update, remove`: what a call sees of what it did.
#[test]
fn a_call_sees_its_own_changes() {
    let cases: [(&str, Option<i32>, &[Option<i32>]); 8] = [
        ("look", None, &[None]),
        ("look", Some(1), &[Some(1)]),
        ("look set look", Some(1), &[Some(1), Some(2), Some(2)]),
        ("set set", None, &[Some(2), Some(2)]),
        ("set remove look", None, &[Some(2), None, None]),
        ("set remove look", Some(1), &[Some(2), None, None]),
        ("remove look", Some(1), &[None, None]),
        ("remove look", None, &[None, None]),
    ];
    for (commands, before, expected) in cases {
        let program = move |s: DStream<(char, ())>| {
            let spec = StateSpec::function(move |_: &char, _, state: &mut State<i32>| {
                assert!(!state.is_timing_out() && !state.is_timer());
                obey(commands, state)
            });
            let states = s.context().parallelize(before.map(|state| ('k', state)).into_iter().collect(), 1);
            s.map_with_state(spec.initial_state(&states)).stream()
        };
        check([vec![('k', ())]], program, [vec![expected.to_vec()]]);
    }
}

/// The cases in which Spark's `State` throws; here the task fails when the function returns.
#[test]
fn what_a_call_may_not_do_fails_the_task() {
    let cases = [
        ("set remove set", "look", "cannot update the state after it has been removed"),
        ("remove set", "look", "cannot update the state after it has been removed"),
        ("set remove remove", "look", "cannot remove the state that has already been removed"),
        ("remove remove set", "look", "cannot remove the state that has already been removed"),
        ("set", "set", "cannot update the state that is timing out"),
        ("set", "remove", "cannot remove the state that is timing out"),
        ("set", "remove set", "cannot remove the state that is timing out"),
    ];
    for (commands, last, message) in cases {
        let line = line!() + 6;
        let program = move |s: DStream<(char, ())>| {
            let spec = StateSpec::function(move |_: &char, value, state: &mut State<i32>| {
                assert_eq!(state.is_timing_out(), value.is_none());
                obey(if state.is_timing_out() { last } else { commands }, state)
            });
            s.map_with_state(spec.timeout(seconds(1))).stream()
        };
        let input = [Some(vec![('k', ())]), None, Some(vec![])];
        for got in Check::new().on_both_engines().outputs(input, program) {
            let error = got.unwrap_err().to_string();
            let place = format!("map_with_state at {}:{line}:", file!());
            assert!(error.contains(message) && error.contains(&place), "{commands}, {last}: {error}");
        }
    }
}

/// One row of `MapWithStateRDDRecord`'s test: the state is of batch 1, the data of batch 2.
#[derive(Clone, Copy)]
struct Update {
    state: Option<i32>,
    data: &'static [&'static str],
    timeout: Option<u64>,
    calls: &'static [(&'static str, i32)],
    expected: Option<i32>,
}
const fn update(
    state: Option<i32>,
    data: &'static [&'static str],
    calls: &'static [(&'static str, i32)],
    expected: Option<i32>,
) -> Update {
    Update { state, data, timeout: None, calls, expected }
}
const fn within(milliseconds: u64, update: Update) -> Update {
    Update { timeout: Some(milliseconds), ..update }
}

/// "updating state and generating mapped data". Time-outs are strict: what is older than the interval goes.
const UPDATES: [Update; 19] = [
    // Without data nothing is called.
    update(None, &[], &[], None),
    update(Some(0), &[], &[], Some(0)),
    // With data it is, whether there is a state or not.
    update(Some(0), &["noop"], &[("noop", 0)], Some(0)),
    update(None, &["noop"], &[("noop", -1)], None),
    update(None, &["get-state"], &[("get-state", -1)], None),
    update(Some(123), &["get-state"], &[("get-state", 123)], Some(123)),
    update(None, &["update-state"], &[("update-state", -1)], Some(0)),
    update(Some(0), &["update-state"], &[("update-state", 0)], Some(1)),
    update(Some(345), &["remove-state"], &[("remove-state", 345)], None),
    // Several values of a key see each other's changes.
    update(
        None,
        &["update-state", "get-state", "update-state"],
        &[("update-state", -1), ("get-state", 0), ("update-state", 0)],
        Some(1),
    ),
    update(Some(7), &["remove-state", "update-state"], &[("remove-state", 7), ("update-state", -1)], Some(0)),
    within(1000, update(Some(123), &[], &[], Some(123))),
    within(999, update(Some(123), &[], &[("timing out", 123)], None)),
    // Not after it has received data.
    within(999, update(Some(123), &["noop"], &[("noop", 123)], Some(123))),
    within(999, update(Some(123), &["update-state"], &[("update-state", 123)], Some(124))),
    within(999, update(Some(123), &["remove-state"], &[("remove-state", 123)], None)),
    within(
        999,
        update(Some(7), &["remove-state", "update-state"], &[("remove-state", 7), ("update-state", -1)], Some(0)),
    ),
    // SPARK-13195: a time-out, and a key whose state was never set.
    within(999, update(None, &["noop"], &[("noop", -1)], None)),
    within(999, update(None, &["get-state", "noop"], &[("get-state", -1), ("noop", -1)], None)),
];

#[test]
fn updating_state_and_generating_mapped_data() {
    for row in UPDATES {
        let of = move |s: DStream<String>| {
            let spec =
                StateSpec::function_with_time(|time, _: &String, value: Option<String>, state: &mut State<i32>| {
                    assert!(time.milliseconds() > 1000, "nothing is called in batch 1");
                    let before = state.get().copied();
                    match value.as_deref() {
                        Some("update-state") => state.update(before.map_or(0, |state| state + 1)),
                        Some("remove-state") => state.remove(),
                        Some(_) => {}
                        None => assert!(state.is_timing_out()),
                    }
                    Some((value.unwrap_or("timing out".into()), before.unwrap_or(-1)))
                });
            let states: Vec<_> = row.state.iter().map(|state| ("key".to_string(), *state)).collect();
            let spec = spec.initial_state(&s.context().parallelize(states, 1));
            let spec = match row.timeout {
                Some(timeout) => spec.timeout(milliseconds(timeout)),
                None => spec,
            };
            s.map(|value| ("key".to_string(), value)).map_with_state(spec)
        };
        let input = words(&[&[], row.data]);
        check(input.clone(), move |s| of(s).stream(), pairs(&[&[], row.calls]));
        let state = |state: Option<i32>| state.map(|state| ("key".to_string(), state)).into_iter().collect::<Vec<_>>();
        check(input, move |s| of(s).state_snapshots(), [state(row.state), state(row.expected)]);
    }
}

/// What a record without an update does to the time of a state, seen by when it times out.
#[test]
fn data_refreshes_the_time_of_a_state() {
    let program = |s: DStream<char>| {
        let spec = StateSpec::function_with_time(|time, key: &char, value: Option<()>, state: &mut State<()>| {
            if value.is_some() && !state.exists() {
                state.update(());
            }
            state.is_timing_out().then(|| (*key, time.milliseconds()))
        });
        s.map(|key| (key, ())).map_with_state(spec.timeout(seconds(2))).stream()
    };
    let input = [vec!['a', 'b'], vec![], vec!['a'], vec![], vec![], vec![], vec![]];
    let mut expected = vec![vec![]; 7];
    (expected[3], expected[5]) = (vec![('b', 4000)], vec![('a', 6000)]);
    check(input, program, expected);
}

/// "states generated by MapWithStateRDD": 1 creates or increments, 2 removes, 0 leaves; only keys with data are touched.
#[test]
fn states_generated_batch_by_batch() {
    let spec = |context: &RddContext| {
        let spec = StateSpec::function(|key: &String, value: Option<i32>, state: &mut State<i32>| {
            match value {
                Some(1) => state.update(state.get().map_or(0, |state| state + 1)),
                Some(2) => state.remove(),
                _ => {}
            }
            key.clone()
        });
        spec.initial_state(&initial(context, &[("k1", 0), ("k2", 0)])).num_partitions(2)
    };
    type Batches = &'static [&'static [(&'static str, i32)]];
    let cases: [(Batches, Batches); 3] = [
        (
            &[&[], &[("k1", 0)], &[("k3", 0)], &[("k3", 1)], &[("k4", 1)]],
            &[
                &[("k1", 0), ("k2", 0)],
                &[("k1", 0), ("k2", 0)],
                &[("k1", 0), ("k2", 0)],
                &[("k1", 0), ("k2", 0), ("k3", 0)],
                &[("k1", 0), ("k2", 0), ("k3", 0), ("k4", 0)],
            ],
        ),
        (
            &[&[("k1", 1)], &[("x", 0), ("k2", 1), ("k2", 1), ("k3", 1)], &[("k3", 1)]],
            &[&[("k1", 1), ("k2", 0)], &[("k1", 1), ("k2", 2), ("k3", 0)], &[("k1", 1), ("k2", 2), ("k3", 1)]],
        ),
        (&[&[("k1", 2)], &[("k2", 2), ("k0", 2), ("k3", 1)], &[("k3", 2)]], &[&[("k2", 0)], &[("k3", 0)], &[]]),
    ];
    for (input, states) in cases {
        let touched: Vec<_> =
            input.iter().map(|batch| batch.iter().map(|(key, _)| key.to_string()).collect()).collect();
        check_state(pairs(input), spec, touched, pairs(states));
    }
}
