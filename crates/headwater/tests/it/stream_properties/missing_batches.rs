//! Streams of which one or the other has no RDD in a batch: it is left out, or empty beside one that has.

use crate::contexts::batches_of;
use headwater::prelude::*;
use headwater::testkit::{IsolatedProgram, test_input};
use proptest::array::{uniform4, uniform6};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeSet;

type Pair = (u8, u8);
/// The records of four batches, in a form that a program can capture.
type Batches = [Option<[Option<Pair>; 6]>; 4];

fn batches() -> impl Strategy<Value = Batches> {
    uniform4(option::weighted(0.6, uniform6(option::of((0..4u8, 0..9u8)))))
}
fn records(batches: Batches) -> Vec<Option<Vec<Pair>>> {
    batches.iter().map(|batch| Some(batch.as_ref()?.iter().flatten().copied().collect())).collect()
}

/// What `program` makes of both streams, on either engine, is what `model` makes of the batches of which one exists.
fn check<U: headwater::Data + Ord + std::fmt::Debug>(
    [left, right]: [Batches; 2],
    program: impl Fn(&StreamingContext, DStream<Pair>, DStream<Pair>) -> DStream<U> + IsolatedProgram,
    model: impl Fn(&[Pair], &[Pair]) -> Vec<U>,
) {
    let both = records(left).into_iter().zip(records(right));
    let expected = both.map(|(left, right)| match (&left, &right) {
        (None, None) => None,
        _ => {
            let mut made = model(left.as_deref().unwrap_or(&[]), right.as_deref().unwrap_or(&[]));
            made.sort();
            Some(made)
        }
    });
    let expected: Vec<_> = expected.collect();
    let build = move |ssc: &StreamingContext| {
        let [left, right] = [left, right].map(|batches| test_input(ssc, records(batches), 2));
        program(ssc, left, right)
    };
    for mut got in batches_of(4, build) {
        got.iter_mut().flatten().for_each(|batch| batch.sort());
        assert_eq!(got, expected);
    }
}
fn values(pairs: &[Pair], key: u8) -> Vec<u8> {
    pairs.iter().filter(|pair| pair.0 == key).map(|pair| pair.1).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_brings_two_streams_together(streams in [batches(), batches()], n in 1..4usize) {
        check(streams, |_, l, r| l.map(|(k, v)| (k, v + 1)).union(&r), |l, r| {
            l.iter().map(|(k, v)| (*k, v + 1)).chain(r.iter().copied()).collect()
        });
        check(streams, |ssc, l, r| ssc.union(&[r.repartition(2), l]), |l, r| [l, r].concat());
        check(streams, |_, l, r| l.transform_with(&r, |l, r, _| l.union(&r)), |l, r| [l, r].concat());
        let three = |ssc: &StreamingContext, l: DStream<Pair>, r: DStream<Pair>| {
            ssc.transform(&[l, r.clone(), r], |rdds, _| rdds[0].union(&rdds[1]).union(&rdds[2]))
        };
        check(streams, three, |l, r| [l, r, r].concat());
        check(streams, move |_, l, r| l.cogroup(&r).with_partitions(n), |l, r| {
            let keys: BTreeSet<u8> = l.iter().chain(r).map(|pair| pair.0).collect();
            keys.into_iter().map(|key| (key, (values(l, key), values(r, key)))).collect()
        });
        check(streams, move |_, l, r| l.left_outer_join(&r).with_partitions(n), |l, r| {
            let joined = |(key, left): &Pair| {
                let right: Vec<_> = values(r, *key).into_iter().map(Some).collect();
                let right = if right.is_empty() { vec![None] } else { right };
                right.into_iter().map(|right| (*key, (*left, right))).collect::<Vec<_>>()
            };
            l.iter().flat_map(joined).collect()
        });
        // A count is of the batches that there are.
        check(streams, |_, l, r| l.union(&r).count(), |l, r| vec![(l.len() + r.len()) as u64]);
    }
}
