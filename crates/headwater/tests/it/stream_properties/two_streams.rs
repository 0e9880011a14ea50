//! Operators that bring two streams together, batch by batch.

use super::case::{Case, Pair, grouped, key, pair, partitions};
use headwater::prelude::*;
use headwater::testkit::IsolatedProgram;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Other = (String, char);
type Both = (Vec<i32>, Vec<char>);

/// As many batches of either stream.
fn two_streams() -> impl Strategy<Value = (Case<Pair>, Vec<Vec<Other>>)> {
    let batch = (vec(pair(), 0..25), vec((key(), prop::char::range('x', 'z')), 0..25));
    (vec(batch, 1..4), partitions(), 1..=4usize).prop_map(|(batches, partitions, threads)| {
        let (left, right): (Vec<_>, Vec<_>) = batches.into_iter().unzip();
        (Case { batches: left.into_iter().map(Some).collect(), partitions, threads }, right)
    })
}

/// What `program` makes of both streams is what `model` makes of the values of each key, from either.
fn check<U: headwater::Data + PartialEq + std::fmt::Debug>(
    (left, right): &(Case<Pair>, Vec<Vec<Other>>),
    program: impl Fn(DStream<Pair>, DStream<Other>) -> DStream<(String, U)> + IsolatedProgram,
    model: impl Fn(&Both) -> Vec<U>,
) {
    let lefts: Vec<Vec<Pair>> = left.batches.iter().flatten().cloned().collect();
    let both = lefts.iter().zip(right).map(|(left, right)| {
        let mut both = BTreeMap::<String, Both>::new();
        grouped(left).into_iter().for_each(|(key, values)| both.entry(key).or_default().0 = values);
        grouped(right).into_iter().for_each(|(key, values)| both.entry(key).or_default().1 = values);
        both.iter().flat_map(|(key, both)| model(both).into_iter().map(|made| (key.clone(), made))).collect::<Vec<_>>()
    });
    let expected: Vec<_> = both.collect();
    left.check().run_two(lefts, right.clone(), program, expected);
}
/// Each value with each.
fn pairs<V: Clone, W: Clone>(left: &[V], right: &[W]) -> Vec<(V, W)> {
    left.iter().flat_map(|v| right.iter().map(move |w| (v.clone(), w.clone()))).collect()
}
/// The values of a side that may lack the key.
fn optional<V: Clone>(values: &[V]) -> Vec<Option<V>> {
    if values.is_empty() { vec![None] } else { values.iter().cloned().map(Some).collect() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cogroups(case in two_streams(), to in partitions()) {
        check(&case, |l, r| l.cogroup(&r), |both| vec![both.clone()]);
        check(&case, move |l, r| l.cogroup(&r).with_partitions(to), |both| vec![both.clone()]);
    }

    #[test]
    fn joins(case in two_streams(), to in partitions()) {
        check(&case, move |l, r| l.join(&r).with_partitions(to), |(l, r)| pairs(l, r));
        check(&case, move |l, r| l.left_outer_join(&r).with_partitions(to), |(l, r)| pairs(l, &optional(r)));
        check(&case, move |l, r| l.right_outer_join(&r).with_partitions(to), |(l, r)| pairs(&optional(l), r));
        check(&case, move |l, r| l.full_outer_join(&r).with_partitions(to), |(l, r)| pairs(&optional(l), &optional(r)));
    }

    /// A side that is spread already is not shuffled again, and a stream may be joined with what was made of it.
    #[test]
    fn joins_of_what_is_placed(case in two_streams(), to in partitions()) {
        let one_side = move |l: DStream<Pair>, r: DStream<Other>| {
            l.reduce_by_key(|a, b| a + b).with_partitions(to).join(&r)
        };
        check(&case, one_side, |(l, r)| pairs(&l.iter().copied().reduce(|a, b| a + b).into_iter().collect::<Vec<_>>(), r));
        let itself = move |l: DStream<Pair>, r: DStream<Other>| {
            let counts = l.map_values(|_| 1).reduce_by_key(|a, b| a + b).with_partitions(to);
            counts.full_outer_join(&l.join(&r).group_by_key().map_values(|pairs| pairs.len() as i32))
        };
        check(&case, itself, |(l, r)| {
            let (count, joined) = (l.len() as i32, (l.len() * r.len()) as i32);
            if l.is_empty() { vec![] } else { vec![(Some(count), (joined > 0).then_some(joined))] }
        });
    }

    #[test]
    fn whatever_is_done_to_both_rdds(case in two_streams()) {
        let union = |l: DStream<Pair>, r: DStream<Other>| {
            l.transform_with(&r, |l, r, time| {
                let batch = time.milliseconds() as i32;
                r.map_values(move |c| (Some(c), batch)).union(&l.map_values(move |_| (None, batch)))
            })
        };
        let expected = case.0.batches.iter().flatten().zip(&case.1).zip(1..).map(|((left, right), batch)| {
            let right = right.iter().map(|(key, c)| (key.clone(), (Some(*c), batch * 1000)));
            right.chain(left.iter().map(|(key, _)| (key.clone(), (None, batch * 1000)))).collect::<Vec<_>>()
        });
        let expected: Vec<_> = expected.collect();
        let lefts: Vec<_> = case.0.batches.iter().flatten().cloned().collect();
        case.0.check().run_two(lefts, case.1.clone(), union, expected);
    }
}
