//! Operations that shuffle or sort one dataset. To add one, add its row.

use super::harness::{Pair, Parity, Parts, shown, texts};
use super::rows::{all, check, each, in_any_order, in_order, joined_text, placed, sorted, sums, values};

#[test]
fn operators_that_shuffle() {
    check(vec![
        in_order(
            "repartition",
            |l, _| shown(l.repartition(4).glom()),
            |l, _| texts(placed(l, 4, |map, number, _| (map + number) % 4)),
        ),
        in_order(
            "coalesce_with_shuffle",
            |l, _| shown(l.coalesce_with_shuffle(5).glom()),
            |l, _| texts(placed(l, 5, |map, number, _| (map + number) % 5)),
        ),
        in_order(
            "partition_by",
            |l, _| shown(l.partition_by(Parity).glom()),
            |l, _| texts(placed(l, 2, |_, _, record| record.0 as usize % 2)),
        ),
        in_any_order(
            "partition_by hash",
            |l, _| shown(l.partition_by(l.context().hash_partitioner(5))),
            |l, _| texts(all(l)),
        ),
        in_any_order("reduce_by_key", |l, _| shown(l.reduce_by_key(|a, b| a + b)), |l, _| sums(l)),
        in_any_order(
            "reduce_by_key twice",
            |l, _| {
                shown(
                    l.reduce_by_key(|a, b| a + b)
                        .with_partitions(5)
                        .map(|(_, sum)| (sum % 3, sum))
                        .reduce_by_key(|a, b| a + b),
                )
            },
            |l, _| {
                let sums = values(l).into_values().map(|v| v.iter().sum()).map(|sum: u32| (sum % 3, sum));
                super::rows::sums(&vec![sums.collect()])
            },
        ),
        in_any_order("group_by_key", |l, _| shown(l.group_by_key()), |l, _| each(l, <[u32]>::to_vec)),
        in_any_order(
            "group_by_key with a partitioner",
            |l, _| shown(l.group_by_key().with_partitioner(Parity)),
            |l, _| each(l, <[u32]>::to_vec),
        ),
        in_any_order(
            "group_by",
            |l, _| shown(l.group_by(|r| r.0)),
            |l, _| texts(values(l).into_iter().map(|(k, v)| (k, v.into_iter().map(|v| (k, v)).collect::<Vec<_>>()))),
        ),
        in_any_order(
            "combine_by_key",
            |l, _| shown(l.combine_by_key(|v| format!("{v},"), |t, v| format!("{t}{v},"), |a, b| a + &b)),
            |l, _| each(l, joined_text),
        ),
        in_any_order(
            "combine_by_key_at_reduce",
            |l, _| {
                shown(
                    l.combine_by_key_at_reduce(|v| format!("{v},"), |t, v| format!("{t}{v},"), |a, b| a + &b)
                        .with_partitions(4),
                )
            },
            |l, _| each(l, joined_text),
        ),
        in_any_order(
            "aggregate_by_key",
            |l, _| shown(l.aggregate_by_key(String::new(), |t, v| format!("{t}{v},"), |a, b| a + &b)),
            |l, _| each(l, joined_text),
        ),
        in_any_order("fold_by_key", |l, _| shown(l.fold_by_key(0, |a, b| a + b)), |l, _| sums(l)),
        in_order("sort_by_key", |l, _| shown(l.sort_by_key(true)), |l, _| sorted(l, true)),
        in_order(
            "sort_by_key downwards",
            |l, _| shown(l.sort_by_key(false).with_partitions(4)),
            |l, _| sorted(l, false),
        ),
        in_order("sort_by", |l, _| shown(l.sort_by(|r| r.0, true).with_partitions(4)), |l, _| sorted(l, true)),
        in_order(
            "sort_by twice",
            |l, _| shown(l.sort_by(|r| (r.1, r.0), false).sort_by(|r| r.0, true)),
            |l, _| {
                let mut records: Vec<Pair> = all(l).collect();
                records.sort_by_key(|r| (r.0, std::cmp::Reverse(r.1)));
                texts(records)
            },
        ),
        in_order(
            "repartition_and_sort_within_partitions",
            |l, _| shown(l.repartition_and_sort_within_partitions(Parity).glom()),
            |l, _| {
                let mut parts = placed(l, 2, |_, _, record| record.0 as usize % 2);
                parts.iter_mut().for_each(|part| part.sort_by_key(|record| record.0));
                texts(parts)
            },
        ),
        in_order(
            "filter_by_range",
            |l, _| shown(l.filter_by_range(3, 7)),
            |l, _| texts(all(l).filter(|r| (3..=7).contains(&r.0))),
        ),
        in_order(
            "filter_by_range of what is sorted",
            |l, _| shown(l.sort_by_key(true).with_partitions(4).filter_by_range(3, 7)),
            |l, _| {
                let within: Parts = vec![all(l).filter(|r| (3..=7).contains(&r.0)).collect()];
                sorted(&within, true)
            },
        ),
        in_any_order(
            "partition_by ranges",
            |l, _| shown(l.partition_by(l.range_partitioner(3, true).unwrap()).group_by_key()),
            |l, _| each(l, <[u32]>::to_vec),
        ),
    ]);
}
