//! Windows whose aggregates run along from batch to batch, beside a plain model that looks at all records of the window
//! each time.

use super::case::{Pair, cases, grouped, numbers, pair, partitions};
use super::windows::{Batches, check, in_seconds, run, window, windows};
use headwater::prelude::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Each window's values of each key, reduced to one.
fn by_key<V: Clone, U>(windows: Batches<(String, V)>, of: impl Fn(Vec<V>) -> U) -> Batches<(String, U)> {
    let reduced = |window: Vec<(String, V)>| grouped(&window).into_iter().map(|(key, values)| (key, of(values)));
    windows.into_iter().map(|window| window.map(|window| reduced(window).collect())).collect()
}
fn sum(values: Vec<i32>) -> i32 {
    values.into_iter().sum()
}
fn named((key, value): &Pair) -> (String, String) {
    (key.clone(), format!("{value},"))
}
fn sort<K: Ord, V>(window: &mut [(K, V)]) {
    window.sort_by(|left, right| left.0.cmp(&right.0));
}

/// The sums of each window, and 0 for each key that was there before.
fn with_zeros(batches: &Batches<Pair>, window: (usize, usize)) -> Batches<Pair> {
    let is_told = |number: usize| (window.1 - number % window.1) % window.1 < window.0;
    let told = (1..).zip(batches).map(|(number, batch)| batch.clone().filter(|_| is_told(number))).collect();
    let known = windows(&told, (batches.len(), window.1));
    let zeros =
        known.iter().map(|known| known.iter().flatten().map(|(key, _)| (key.clone(), 0)).collect::<BTreeMap<_, _>>());
    let sums = by_key(windows(batches, window), sum);
    sums.into_iter()
        .zip(zeros)
        .map(|(sums, mut all)| {
            all.extend(sums?);
            Some(all.into_iter().collect())
        })
        .collect()
}

/// The keys of which a value entered or left since the window before, with their sums.
fn changes(batches: &Batches<Pair>, (length, slide): (usize, usize)) -> Batches<(String, Option<i32>)> {
    let keys = |from: usize, to: usize| -> BTreeSet<String> {
        batches[from.min(to)..to].iter().flatten().flatten().map(|(key, _)| key.clone()).collect()
    };
    let window = |end: usize| {
        let before = end.saturating_sub(slide);
        let (old_start, start) = (before.saturating_sub(length), end.saturating_sub(length));
        let entered = keys(start.max(before), end);
        let left = keys(old_start, start.min(before));
        let mut sums = grouped(batches[start..end].iter().flatten().flatten());
        let changed = entered.into_iter().chain(left).collect::<BTreeSet<_>>().into_iter();
        end.is_multiple_of(slide).then(|| changed.map(|key| (key.clone(), sums.remove(&key).map(sum))).collect())
    };
    (1..=batches.len()).map(window).collect()
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn values_are_reduced_in_the_order_of_time(case in run(pair()), window in window(), to in partitions()) {
        let expected = by_key(windows(&case.batches, window), |v| v.iter().map(|value| format!("{value},")).collect());
        let program = move |s: DStream<Pair>| {
            let texts = s.map(|record| named(&record));
            texts.reduce_by_key_and_window(|a, b| a + &b, in_seconds(window)).with_partitions(to)
        };
        check(&case, program, expected, |window| sort(window));
    }

    #[test]
    fn inverse_keeps_keys_with_what_is_left(case in run(pair()), window in window(), to in partitions()) {
        let program = move |s: DStream<Pair>| {
            s.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, in_seconds(window)).with_partitions(to)
        };
        check(&case, program, with_zeros(&case.batches, window), |window| sort(window));
    }

    #[test]
    fn a_filter_decides_what_is_seen(case in run(pair()), window in window(), odd: bool, every in 0..4usize) {
        let shown = move |sum: &i32| *sum != 0 && (*sum % 2 == 1) == odd;
        let mut expected = by_key(windows(&case.batches, window), sum);
        expected.iter_mut().flatten().for_each(|window| window.retain(|(_, sum)| shown(sum)));
        let program = move |s: DStream<Pair>| {
            let sums = WindowReduce::new(|a, b| a + b, |a, b| a - b, in_seconds(window));
            s.reduce_by_key_and_window_with(sums.filter(move |_, sum| shown(sum)).rebase_every(every))
        };
        check(&case, program, expected, |window| sort(window));
    }

    #[test]
    fn changes_are_told(case in run(pair()), window in window(), to in partitions()) {
        let program = move |s: DStream<Pair>| {
            let sums = WindowReduce::new(|a, b| a + b, |a, b| a - b, in_seconds(window));
            s.reduce_by_key_and_window_changes(sums).with_partitions(to)
        };
        check(&case, program, changes(&case.batches, window), |window| sort(window));
    }

    #[test]
    fn counts_of_windows(case in run(numbers()), window in window()) {
        let counts = windows(&case.batches, window).into_iter().map(|window| Some(vec![window?.len() as u64]));
        check(&case, move |s| s.count_by_window(in_seconds(window)), counts.collect(), |_| ());
        let counts = windows(&case.batches, window).into_iter().map(|window| {
            let pairs: Vec<_> = window?.into_iter().map(|n| (n, ())).collect();
            Some(grouped(&pairs).into_iter().map(|(n, all)| (n, all.len() as u64)).collect())
        });
        check(&case, move |s| s.count_by_value_and_window(in_seconds(window)), counts.collect(), |window| sort(window));
    }

    #[test]
    fn windows_of_running_windows(case in run(pair()), inner in window(), outer in (1..4usize, 1..3usize)) {
        // The outer window reads versions of the inner one that are not the newest.
        let outer = (outer.0 * inner.1, outer.1 * inner.1);
        let sums = by_key(windows(&case.batches, inner), sum);
        let expected = by_key(windows(&sums, outer), |sums| sums.into_iter().max().unwrap());
        let program = move |s: DStream<Pair>| {
            let sums = s.reduce_by_key_and_window(|a, b| a + b, in_seconds(inner));
            sums.window(in_seconds(outer)).reduce_by_key(i32::max)
        };
        check(&case, program, expected, |window| sort(window));
    }
}
