//! Operations that bring datasets together. To add one, add its row.

use super::harness::{Parity, shown, texts};
use super::rows::{all, both, check, in_any_order, in_order, optional, pairs, placed, values};
use std::collections::BTreeSet;

#[test]
fn operators_of_two_datasets() {
    check(vec![
        in_any_order("union", |l, r| shown(l.union(r)), |l, r| texts(all(l).chain(all(r)))),
        in_any_order(
            "union of many",
            |l, r| shown(l.context().union([r.clone(), l.clone(), r.clone()])),
            |l, r| texts(all(r).chain(all(l)).chain(all(r))),
        ),
        in_any_order(
            "union with what the context makes",
            |l, _| shown(l.keys().map(i64::from).union(&l.context().range(0..9, 2, 2)).union(&l.context().empty_rdd())),
            |l, _| texts(all(l).map(|r| i64::from(r.0)).chain([0, 2, 4, 6, 8])),
        ),
        in_any_order(
            "cartesian",
            |l, r| shown(l.cartesian(&r.keys())),
            |l, r| texts(all(l).flat_map(|l| all(r).map(move |r| (l, r.0)))),
        ),
        in_order(
            "zip_partitions",
            |l, r| shown(l.repartition(2).zip_partitions(&r.repartition(2), |l, r| [(l.count(), r.count())])),
            |l, r| {
                let (l, r) = (placed(l, 2, |m, n, _| (m + n) % 2), placed(r, 2, |m, n, _| (m + n) % 2));
                texts(l.iter().zip(&r).map(|(l, r)| (l.len(), r.len())))
            },
        ),
        in_any_order("distinct", |l, _| shown(l.keys().distinct()), |l, _| texts(values(l).keys())),
        in_any_order(
            "distinct pairs",
            |l, _| shown(l.distinct().with_partitions(4)),
            |l, _| texts(all(l).collect::<BTreeSet<_>>()),
        ),
        in_any_order(
            "intersection",
            |l, r| shown(l.keys().intersection(&r.keys())),
            |l, r| texts(both(l, r).iter().filter(|b| !b.1.is_empty() && !b.2.is_empty()).map(|b| b.0)),
        ),
        in_any_order(
            "subtract",
            |l, r| shown(l.keys().subtract(&r.keys())),
            |l, r| texts(all(l).map(|l| l.0).filter(|k| !values(r).contains_key(k))),
        ),
        in_any_order(
            "subtract_by_key",
            |l, r| shown(l.subtract_by_key(r)),
            |l, r| texts(all(l).filter(|l| !values(r).contains_key(&l.0))),
        ),
        in_any_order(
            "cogroup",
            |l, r| shown(l.cogroup(r)),
            |l, r| texts(both(l, r).into_iter().map(|(k, l, r)| (k, (l, r)))),
        ),
        in_any_order(
            "group_with",
            |l, r| shown(l.group_with(r).with_partitions(4)),
            |l, r| texts(both(l, r).into_iter().map(|(k, l, r)| (k, (l, r)))),
        ),
        in_any_order(
            "cogroup3",
            |l, r| shown(l.cogroup3(r, l)),
            |l, r| texts(both(l, r).into_iter().map(|(k, l, r)| (k, (l.clone(), r, l)))),
        ),
        in_any_order(
            "cogroup4",
            |l, r| shown(l.cogroup4(r, l, &r.map_values(|v| v + 1)).with_partitions(4)),
            |l, r| {
                texts(
                    both(l, r)
                        .into_iter()
                        .map(|(k, l, r)| (k, (l.clone(), r.clone(), l, r.iter().map(|v| v + 1).collect::<Vec<_>>()))),
                )
            },
        ),
        in_any_order(
            "cogroup_all",
            |l, r| shown(l.context().cogroup_all(&[l.clone(), r.clone(), l.clone()])),
            |l, r| texts(both(l, r).into_iter().map(|(k, l, r)| (k, [l.clone(), r, l]))),
        ),
        in_any_order(
            "join",
            |l, r| shown(l.join(r)),
            |l, r| texts(both(l, r).iter().flat_map(|(k, l, r)| pairs(*k, l, r))),
        ),
        in_any_order(
            "left_outer_join",
            |l, r| shown(l.left_outer_join(r)),
            |l, r| texts(both(l, r).iter().flat_map(|(k, l, r)| pairs(*k, l, &optional(r)))),
        ),
        in_any_order(
            "right_outer_join",
            |l, r| shown(l.right_outer_join(r).with_partitions(5)),
            |l, r| texts(both(l, r).iter().flat_map(|(k, l, r)| pairs(*k, &optional(l), r))),
        ),
        in_any_order(
            "full_outer_join",
            |l, r| shown(l.full_outer_join(r).with_partitioner(Parity)),
            |l, r| texts(both(l, r).iter().flat_map(|(k, l, r)| pairs(*k, &optional(l), &optional(r)))),
        ),
        in_any_order(
            "join with itself",
            |l, _| shown(l.join(l)),
            |l, _| texts(values(l).iter().flat_map(|(k, v)| pairs(*k, v, v))),
        ),
    ]);
}
