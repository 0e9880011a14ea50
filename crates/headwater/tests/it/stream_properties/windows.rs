//! Windows of random batches, lengths and slides beside a plain model: what the batches of the window hold, batch after
//! batch.

use super::case::{Case, Pair, case, cases, grouped, numbers, pair, partitions};
use headwater::prelude::*;
use headwater::testkit::IsolatedProgram;
use headwater::{Data, Record};
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Debug;

/// What each batch of a stream holds; `None` where there is no RDD.
pub(super) type Batches<T> = Vec<Option<Vec<T>>>;

/// The same for the stream of its windows, whose length and slide are in batches.
pub(super) fn windows<T: Clone>(batches: &Batches<T>, (length, slide): (usize, usize)) -> Batches<T> {
    let window = |end: usize| {
        let window = &batches[end.saturating_sub(length)..end];
        end.is_multiple_of(slide).then(|| window.iter().flatten().flatten().cloned().collect())
    };
    (1..=batches.len()).map(window).collect()
}
pub(super) fn in_seconds((length, slide): (usize, usize)) -> (Duration, Duration) {
    (seconds(length as u64), seconds(slide as u64))
}
fn grouped_sorted<V: Clone>(batches: Batches<(String, V)>) -> Batches<(String, Vec<V>)> {
    batches.into_iter().map(|batch| Some(grouped(&batch?).into_iter().collect())).collect()
}

/// Up to nine batches, so that early, full and late windows come.
pub(super) fn run<T: Record + Clone + Debug>(
    record: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Case<T>> {
    (vec(case(record), 1..3), 1..5usize).prop_map(|(mut cases, times)| {
        let more: Vec<_> = cases.iter().flat_map(|case| case.batches.clone()).cycle().take(2 * times + 1).collect();
        Case { batches: more, ..cases.swap_remove(0) }
    })
}
pub(super) fn window() -> impl Strategy<Value = (usize, usize)> {
    (1..6usize, 1..5usize)
}

/// What comes out on either engine is `expected`; `arrange` gives records of no defined order one.
#[track_caller]
pub(super) fn check<T: Data, U: Data + PartialEq + Debug>(
    case: &Case<T>,
    program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
    expected: Batches<U>,
    arrange: impl Fn(&mut Vec<U>),
) {
    for (engine, got) in ["local", "isolated"].into_iter().zip(case.check().outputs(case.batches.clone(), program)) {
        let mut got = got.unwrap_or_else(|error| panic!("the program failed on the {engine} engine: {error}"));
        got.iter_mut().flatten().for_each(&arrange);
        assert_eq!(got, expected, "on the {engine} engine");
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn records_of_windows_come_in_the_order_of_time(case in run(numbers()), window in window(), k in 1..5i32) {
        let program = move |s: DStream<i32>| s.map(move |n| n * k).window(in_seconds(window)).filter(|n| n % 3 != 0);
        let mut expected = windows(&case.batches, window);
        expected.iter_mut().flatten().for_each(|window| {
            window.iter_mut().for_each(|n| *n *= k);
            window.retain(|n| n % 3 != 0);
        });
        check(&case, program, expected, |_| ());
    }

    #[test]
    fn windows_of_windows(case in run(numbers()), inner in window(), outer in (1..4usize, 1..3usize)) {
        let outer = (outer.0 * inner.1, outer.1 * inner.1);
        let expected = windows(&windows(&case.batches, inner), outer);
        check(&case, move |s| s.window(in_seconds(inner)).window(in_seconds(outer)), expected, |_| ());
    }

    #[test]
    fn all_records_of_a_window_become_one(case in run(numbers()), window in window()) {
        let sum = |window: Vec<i32>| window.into_iter().reduce(|a, b| a + b).into_iter().collect();
        let expected = windows(&case.batches, window).into_iter().map(|window| window.map(sum)).collect();
        check(&case, move |s| s.reduce_by_window(|a, b| a + b, in_seconds(window)), expected, |_| ());
    }

    #[test]
    fn values_of_a_key_come_in_the_order_of_time(case in run(pair()), window in window(), to in partitions()) {
        let expected = grouped_sorted(windows(&case.batches, window));
        let sort = |window: &mut Vec<(String, Vec<i32>)>| window.sort();
        check(&case, move |s| s.group_by_key_and_window(in_seconds(window)), expected.clone(), sort);
        let placed = move |s: DStream<Pair>| s.group_by_key_and_window(in_seconds(window)).with_partitions(to);
        check(&case, placed, expected, sort);
    }

    #[test]
    fn windows_of_shuffled_batches(case in run(pair()), window in window(), to in partitions()) {
        let program = move |s: DStream<Pair>| {
            let sums = s.reduce_by_key(|a, b| a + b).with_partitions(to);
            sums.window(in_seconds(window)).reduce_by_key(|a, b| a + b)
        };
        let sums = grouped_sorted(windows(&case.batches, window)).into_iter().map(|window| {
            Some(window?.into_iter().map(|(key, values)| (key, values.iter().sum::<i32>())).collect())
        });
        check(&case, program, sums.collect(), |window| window.sort());
    }
}
