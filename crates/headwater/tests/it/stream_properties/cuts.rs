//! The same records, cut into batches in two ways: totals over all batches do not depend on the cut.

use super::case::{Case, Pair, each_key, grouped, pair, partitions};
use headwater::Data;
use headwater::prelude::*;
use headwater::testkit::IsolatedProgram;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Records, and places to cut them at.
fn records_and_cuts() -> impl Strategy<Value = (Vec<Pair>, Vec<prop::sample::Index>)> {
    (vec(pair(), 0..80), vec(any::<prop::sample::Index>(), 0..6))
}
fn cut((records, places): &(Vec<Pair>, Vec<prop::sample::Index>)) -> Vec<Option<Vec<Pair>>> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(records.len() + 1)).collect();
    places.extend([0, records.len()]);
    places.sort();
    places.windows(2).map(|ends| Some(records[ends[0]..ends[1]].to_vec())).collect()
}

/// All records that come out, one batch behind the other, on each engine, from the whole and from the cut input.
fn outputs<U: Data>(
    input: &(Vec<Pair>, Vec<prop::sample::Index>),
    partitions: usize,
    program: impl Fn(DStream<Pair>) -> DStream<U> + IsolatedProgram,
) -> Vec<Vec<U>> {
    let whole = Case { batches: vec![Some(input.0.clone())], partitions, threads: 2 };
    let cut = Case { batches: cut(input), partitions, threads: 3 };
    let runs = [whole, cut].into_iter().flat_map(|case| case.check().outputs(case.batches.clone(), program));
    runs.map(|batches| batches.unwrap().into_iter().flatten().flatten().collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn totals(input in records_and_cuts(), n in partitions(), to in partitions()) {
        let records = &input.0;
        for counts in outputs(&input, n, |s| s.count()) {
            prop_assert_eq!(counts.iter().sum::<u64>(), records.len() as u64);
        }
        for sums in outputs(&input, n, |s| s.map(|(_, n)| n).reduce(|a, b| a + b)) {
            prop_assert_eq!(sums.iter().sum::<i32>(), records.iter().map(|(_, n)| n).sum::<i32>());
        }
        let expected: BTreeMap<_, _> = each_key(records, |values| values.iter().sum::<i32>()).into_iter().collect();
        for sums in outputs(&input, n, move |s| s.reduce_by_key(|a, b| a + b).with_partitions(to)) {
            let sums: BTreeMap<_, _> = grouped(&sums).into_iter().map(|(k, v)| (k, v.iter().sum::<i32>())).collect();
            prop_assert_eq!(&sums, &expected);
        }
        let expected = grouped(&records.iter().map(|pair| (pair.clone(), 1u64)).collect::<Vec<_>>());
        let expected: BTreeMap<_, _> = expected.into_iter().map(|(pair, ones)| (pair, ones.len() as u64)).collect();
        for counts in outputs(&input, n, |s| s.count_by_value()) {
            let counts: BTreeMap<_, _> = grouped(&counts).into_iter().map(|(k, v)| (k, v.iter().sum())).collect();
            prop_assert_eq!(&counts, &expected);
        }
    }

    #[test]
    fn records_and_their_order(input in records_and_cuts(), n in partitions()) {
        for records in outputs(&input, n, |s| s.map(|pair| pair)) {
            prop_assert_eq!(&records, &input.0);
        }
        // The values of a key, batch behind batch, are in the order of their arrival.
        for groups in outputs(&input, n, |s| s.group_by_key()) {
            let values: Vec<_> = groups.into_iter().flat_map(|(k, v)| v.into_iter().map(move |n| (k.clone(), n))).collect();
            prop_assert_eq!(grouped(&values), grouped(&input.0));
        }
    }
}
