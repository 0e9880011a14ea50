//! Operations without a shuffle. To add one, add its row.

use super::harness::{Pair, Parts, shown, texts};
use super::rows::{all, by_chance, check, in_any_order, in_order, indexed, less, sums};
use std::collections::HashMap;

#[test]
fn narrow_operators() {
    check(vec![
        in_order("itself", |l, _| shown(l.glom()), |l, _| texts(l)),
        in_order("map", |l, _| shown(l.map(|(k, v)| k + v)), |l, _| texts(all(l).map(|(k, v)| k + v))),
        in_order("flat_map", |l, _| shown(l.flat_map(|(k, v)| k..v)), |l, _| texts(all(l).flat_map(|(k, v)| k..v))),
        in_order("filter", |l, _| shown(l.filter(|r| r.1 > 4)), |l, _| texts(all(l).filter(|r| r.1 > 4))),
        in_order(
            "map_partitions",
            |l, _| shown(l.map_partitions(|records| [records.count()])),
            |l, _| texts(l.iter().map(Vec::len)),
        ),
        in_order(
            "map_partitions_with_index",
            |l, _| shown(l.map_partitions_with_index(|i, rs| rs.map(move |r| (i, r)))),
            |l, _| texts(indexed(l)),
        ),
        in_order(
            "map_partitions_preserving",
            |l, _| {
                shown(
                    l.map_partitions_preserving(|rs| rs.filter(|r| r.1 > 4))
                        .reduce_by_key(|a, b| a + b)
                        .sort_by_key(true),
                )
            },
            |l, _| {
                let kept: Parts = l.iter().map(|part| part.iter().copied().filter(|r| r.1 > 4).collect()).collect();
                sums(&kept)
            },
        ),
        in_order(
            "map_partitions_with_index_preserving",
            |l, _| shown(l.map_partitions_with_index_preserving(|i, rs| rs.map(move |(k, v)| (k, (i, v))))),
            |l, _| texts(indexed(l).map(|(i, (k, v))| (k, (i, v)))),
        ),
        in_order("glom", |l, _| shown(l.glom()), |l, _| texts(l)),
        in_order("map_values", |l, _| shown(l.map_values(|v| v + 1)), |l, _| texts(all(l).map(|(k, v)| (k, v + 1)))),
        in_order(
            "flat_map_values",
            |l, _| shown(l.flat_map_values(|v| 0..v)),
            |l, _| texts(all(l).flat_map(|(k, v)| (0..v).map(move |n| (k, n)))),
        ),
        in_order("key_by", |l, _| shown(l.key_by(|r| r.1)), |l, _| texts(all(l).map(|r| (r.1, r)))),
        in_order("keys", |l, _| shown(l.keys()), |l, _| texts(all(l).map(|r| r.0))),
        in_order("values", |l, _| shown(l.values()), |l, _| texts(all(l).map(|r| r.1))),
        in_order(
            "try_map",
            |l, _| shown(l.try_map(|(k, v)| less(k + v, "too large"))),
            |l, _| texts(all(l).map(|(k, v)| k + v + 1)),
        ),
        in_order(
            "try_filter",
            |l, _| shown(l.try_filter(|r| less(r.1, "too large").map(|v| v > 4))),
            |l, _| texts(all(l).filter(|r| r.1 > 3)),
        ),
        in_order(
            "try_flat_map",
            |l, _| shown(l.try_flat_map(|r| less(r.1, "too large").map(|v| 0..v))),
            |l, _| texts(all(l).flat_map(|r| 0..=r.1)),
        ),
        in_order(
            "try_map_partitions",
            |l, _| shown(l.try_map_partitions(|rs| less(rs.count() as u32, "too many").map(Some))),
            |l, _| texts(l.iter().map(|part| part.len() + 1)),
        ),
        in_order(
            "try_map_values",
            |l, _| shown(l.try_map_values(|v| less(v, "too large"))),
            |l, _| texts(all(l).map(|(k, v)| (k, v + 1))),
        ),
        in_order("zip", |l, _| shown(l.zip(&l.map(|r| r.1 + 1))), |l, _| texts(all(l).map(|r| (r, r.1 + 1)))),
        in_order("zip_with_index", |l, _| shown(l.zip_with_index().unwrap()), |l, _| texts(all(l).zip(0u64..))),
        in_order(
            "zip_with_unique_id",
            |l, _| shown(l.zip_with_unique_id()),
            |l, _| {
                let numbered = |(k, part): (usize, &Vec<Pair>)| {
                    part.iter().enumerate().map(move |(i, r)| (*r, i * l.len() + k)).collect::<Vec<_>>()
                };
                texts(l.iter().enumerate().flat_map(numbered))
            },
        ),
        in_order("coalesce", |l, _| shown(l.coalesce(2)), |l, _| texts(all(l))),
        in_order("coalesce to one", |l, _| shown(l.coalesce(1).glom()), |l, _| texts([all(l).collect::<Vec<_>>()])),
        by_chance("sample", |l, _| shown(l.sample(false, 0.4, 42))),
        by_chance("sample with replacement", |l, _| shown(l.sample(true, 1.5, 42))),
        by_chance("sample_by_key", |l, _| {
            shown(l.sample_by_key(false, (0..20).map(|k| (k, f64::from(k) / 20.0)).collect::<HashMap<_, _>>(), 42))
        }),
        by_chance("random_split", |l, _| shown(l.random_split(&[1.0, 2.0], 42).remove(1))),
        in_any_order(
            "all of a random_split",
            |l, _| shown(l.context().union(l.random_split(&[1.0, 2.0, 3.0], 42))),
            |l, _| texts(all(l)),
        ),
    ]);
}
