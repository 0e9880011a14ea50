//! The vectors of PySpark's `test_dstream.py` (`BasicOperationTests`) that `basic_operations` does not have, on both
//! engines; each names its test there. Its inputs have two partitions, or as many as it says.

use crate::contexts::on_both_engines;
use headwater::prelude::*;
use headwater::testkit::{Check, CheckOnBothEngines, IsolatedProgram, test_input};
use headwater::{Data, RunningContext};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// Keys of more than one kind, as a Python stream has them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
enum Key {
    Number(i32),
    Word(String),
}
impl From<i32> for Key {
    fn from(number: i32) -> Key {
        Key::Number(number)
    }
}
impl From<&str> for Key {
    fn from(word: &str) -> Key {
        Key::Word(word.to_owned())
    }
}
/// A batch of pairs.
fn pairs<K: Into<Key> + Clone, V: Clone>(pairs: &[(K, V)]) -> Vec<(Key, V)> {
    pairs.iter().map(|(key, value)| (key.clone().into(), value.clone())).collect()
}
/// A batch of keys with texts.
fn texts<K: Into<Key> + Clone>(batch: &[(K, &str)]) -> Vec<(Key, String)> {
    pairs(batch).into_iter().map(|(key, text)| (key, text.to_owned())).collect()
}

fn in_order() -> CheckOnBothEngines {
    Check::new().in_order().on_both_engines()
}
/// Runs the vector of the Python test `name`.
#[track_caller]
fn vector<T: Data, U: Data + PartialEq + Debug>(
    name: &str,
    input: impl IntoIterator<Item = Vec<T>>,
    program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    // Shown if it fails.
    println!("{name}");
    Check::new().on_both_engines().run(input, program, expected);
}
#[track_caller]
fn vector_of_two<A: Data, B: Data, U: Data + PartialEq + Debug>(
    name: &str,
    left: impl IntoIterator<Item = Vec<A>>,
    right: impl IntoIterator<Item = Vec<B>>,
    program: impl Fn(DStream<A>, DStream<B>) -> DStream<U> + IsolatedProgram,
    expected: impl IntoIterator<Item = Vec<U>>,
) {
    println!("{name}");
    Check::new().on_both_engines().run_two(left, right, program, expected);
}

#[test]
fn numbers() {
    vector("test_count", [0..5, 0..10, 0..20].map(Vec::from_iter), |s| s.count(), [vec![5], vec![10], vec![20]]);
    let repartitioned = [vec![vec![1, 2, 3, 4]], vec![vec![5, 6, 7, 8]]];
    println!("test_repartition");
    in_order().run([1..5, 5..9].map(Vec::from_iter), |s| s.repartition(1).glom(), repartitioned);
    println!("test_union");
    let (left, right) = ([0..3, 0..5, 0..6].map(Vec::from_iter), [3..6, 5..6, 0..0].map(Vec::from_iter));
    in_order().run_two(left, right, |l, r| l.union(&r), [(); 3].map(|()| Vec::from_iter(0..6)));
}

#[test]
fn pairs_of_one_stream() {
    vector(
        "test_reduceByKey",
        [
            pairs(&[("a", 1), ("a", 1), ("b", 1), ("b", 1)]),
            pairs(&[("", 1); 4]),
            pairs(&[(1, 1), (1, 1), (2, 1), (2, 1), (3, 1)]),
        ],
        |s| s.reduce_by_key(|a, b| a + b),
        [pairs(&[("a", 2), ("b", 2)]), pairs(&[("", 4)]), pairs(&[(1, 2), (2, 2), (3, 1)])],
    );
    vector(
        "test_mapValues",
        [
            pairs(&[("a", 2), ("b", 2), ("c", 1), ("d", 1)]),
            pairs(&[(0, 4), (1, 1), (2, 2), (3, 3)]),
            pairs(&[(1, 1), (2, 1), (3, 1), (4, 1)]),
        ],
        |s| s.map_values(|x| x + 10),
        [
            pairs(&[("a", 12), ("b", 12), ("c", 11), ("d", 11)]),
            pairs(&[(0, 14), (1, 11), (2, 12), (3, 13)]),
            pairs(&[(1, 11), (2, 11), (3, 11), (4, 11)]),
        ],
    );
    println!("test_flatMapValues");
    in_order().run(
        [
            pairs(&[("a", 2), ("b", 2), ("c", 1), ("d", 1)]),
            pairs(&[(0, 4), (1, 1), (2, 1), (3, 1)]),
            pairs(&[(1, 1), (2, 1), (3, 1), (4, 1)]),
        ],
        |s| s.flat_map_values(|x| [x, x + 10]),
        [
            pairs(&[("a", 2), ("a", 12), ("b", 2), ("b", 12), ("c", 1), ("c", 11), ("d", 1), ("d", 11)]),
            pairs(&[(0, 4), (0, 14), (1, 1), (1, 11), (2, 1), (2, 11), (3, 1), (3, 11)]),
            pairs(&[(1, 1), (1, 11), (2, 1), (2, 11), (3, 1), (3, 11), (4, 1), (4, 11)]),
        ],
    );
    let keys = |keys: &[Key]| keys.to_vec();
    let number = |numbers: &[i32]| numbers.iter().map(|n| Key::from(*n)).collect::<Vec<_>>();
    vector(
        "test_countByValue",
        [
            number(&[1, 2, 3, 4, 1, 2, 3, 4]),
            number(&[5, 6, 5, 6, 7, 8]),
            keys(&["a".into(), "a".into(), "b".into(), "".into()]),
        ],
        |s| s.count_by_value(),
        [
            pairs(&[(1, 2), (2, 2), (3, 2), (4, 2)]),
            pairs(&[(5, 2), (6, 2), (7, 1), (8, 1)]),
            pairs(&[("a", 2), ("b", 1), ("", 1)]),
        ],
    );
}

/// The input of `test_groupByKey` and `test_combineByKey`.
fn to_be_grouped() -> [Vec<(Key, i32)>; 3] {
    [
        pairs(&[(1, 1), (2, 1), (3, 1), (4, 1)]),
        pairs(&[(1, 1), (1, 1), (1, 1), (2, 1), (2, 1), (3, 1)]),
        pairs(&[("a", 1), ("a", 1), ("b", 1), ("", 1), ("", 1), ("", 1)]),
    ]
}

#[test]
fn values_of_a_key() {
    vector(
        "test_groupByKey",
        to_be_grouped(),
        |s| s.group_by_key(),
        [
            pairs(&[(1, vec![1]), (2, vec![1]), (3, vec![1]), (4, vec![1])]),
            pairs(&[(1, vec![1, 1, 1]), (2, vec![1, 1]), (3, vec![1])]),
            pairs(&[("a", vec![1, 1]), ("b", vec![1]), ("", vec![1, 1, 1])]),
        ],
    );
    vector(
        "test_combineByKey",
        to_be_grouped(),
        |s| s.combine_by_key(|n| n.to_string(), |text, n| format!("{text}{n}"), |l, r| l + &r),
        [
            texts(&[(1, "1"), (2, "1"), (3, "1"), (4, "1")]),
            texts(&[(1, "111"), (2, "11"), (3, "1")]),
            texts(&[("a", "11"), ("b", "1"), ("", "111")]),
        ],
    );
}

#[test]
fn pairs_of_two_streams() {
    vector_of_two(
        "test_cogroup",
        [
            pairs(&[(1, 1), (2, 1), (3, 1)]),
            pairs(&[(1, 1), (1, 1), (1, 1), (2, 1)]),
            pairs(&[("a", 1), ("a", 1), ("b", 1), ("", 1), ("", 1)]),
        ],
        [pairs(&[(1, 2)]), pairs(&[(4, 1)]), pairs(&[("a", 1), ("a", 1), ("b", 1), ("", 1), ("", 2)])],
        |l, r| l.cogroup(&r),
        [
            pairs(&[(1, (vec![1], vec![2])), (2, (vec![1], vec![])), (3, (vec![1], vec![]))]),
            pairs(&[(1, (vec![1, 1, 1], vec![])), (2, (vec![1], vec![])), (4, (vec![], vec![1]))]),
            pairs(&[("a", (vec![1, 1], vec![1, 1])), ("b", (vec![1], vec![1])), ("", (vec![1, 1], vec![1, 2]))]),
        ],
    );
    let left = || [pairs(&[("a", 1), ("b", 2)])];
    let right = || [pairs(&[("b", 3), ("c", 4)])];
    vector_of_two("test_join", left(), right(), |l, r| l.join(&r), [pairs(&[("b", (2, 3))])]);
    vector_of_two(
        "test_left_outer_join",
        left(),
        right(),
        |l, r| l.left_outer_join(&r),
        [pairs(&[("a", (1, None)), ("b", (2, Some(3)))])],
    );
    vector_of_two(
        "test_right_outer_join",
        left(),
        right(),
        |l, r| l.right_outer_join(&r),
        [pairs(&[("b", (Some(2), 3)), ("c", (None, 4))])],
    );
    vector_of_two(
        "test_full_outer_join",
        left(),
        right(),
        |l, r| l.full_outer_join(&r),
        [pairs(&[("a", (Some(1), None)), ("b", (Some(2), Some(3))), ("c", (None, Some(4)))])],
    );
}

/// `test_slice`.
#[test]
fn slice() {
    let built = on_both_engines(|ssc| {
        ssc.remember(seconds(4));
        let stream = test_input(ssc, (1..=4).map(|n| Some(vec![n])).collect(), 1);
        stream.foreach_rdd(|_, _| ());
        stream
    });
    for built in built {
        let (_running, stream) = built.run(4);
        // From so many seconds behind the first batch.
        let slice = |from: i64, to: i64| -> Vec<i32> {
            let rdds = stream.slice(Time::from_millis(1000 * (1 + from)), Time::from_millis(1000 * (1 + to))).unwrap();
            rdds.iter().flat_map(|rdd| rdd.collect().unwrap()).collect()
        };
        let slices = [slice(0, 0), slice(1, 2), slice(1, 4), slice(0, 4)];
        assert_eq!(slices, [vec![1], vec![2, 3], vec![2, 3, 4], vec![1, 2, 3, 4]]);
    }
}

/// Awaits the batches; the errors on the way.
fn errors(running: &RunningContext, batches: u64) -> Vec<String> {
    let mut errors = Vec::new();
    while running.progress().completed < batches {
        errors.extend(running.await_batches(batches).err().map(|error| error.to_string()));
    }
    errors.extend(running.stop_gracefully().err().map(|error| error.to_string()));
    errors
}

/// `test_failed_func`, `test_failed_func2`.
#[test]
fn a_failed_function() {
    let failures: [fn(&DStream<i32>) -> DStream<i32>; 2] = [
        |s| s.map(|_| panic!("This is a special error")),
        |s| s.transform_with(&s.map(|n| n), |_, _, _| panic!("This is a special error")),
    ];
    for failing in failures {
        let built = on_both_engines(move |ssc| {
            let input = (0..4).map(|n| Some(vec![n])).collect();
            failing(&test_input(ssc, input, 1)).print();
        });
        for built in built {
            let running = built.ssc.start().unwrap();
            built.clock.advance(seconds(1));
            let error = running.await_termination().unwrap_err().to_string();
            assert!(error.contains("This is a special error"), "{error}");
        }
    }
}

/// `test_failed_func_with_resetting_failure`: the second batch fails, and those behind it do not.
#[test]
fn a_failed_function_of_one_batch() {
    let built = on_both_engines(|ssc| {
        let numbers = test_input(ssc, (0..4).map(|n| Some(vec![n])).collect(), 1);
        numbers.map(|n| if n == 1 { panic!("This is a special error") } else { n })
    });
    for built in built {
        let collected = Arc::new(Mutex::new(Vec::new()));
        let collect = collected.clone();
        built.result.foreach_rdd(move |rdd, _| -> headwater::Result<()> {
            let records: Vec<i32> = rdd.collect()?;
            collect.lock().unwrap().push(records);
            Ok(())
        });
        let running = built.ssc.start().unwrap();
        built.clock.advance(seconds(4));
        let errors = errors(&running, 4);
        assert_eq!(*collected.lock().unwrap(), [[0], [2], [3]]);
        assert!(errors.len() == 1 && errors[0].contains("This is a special error"), "{errors:?}");
    }
}
