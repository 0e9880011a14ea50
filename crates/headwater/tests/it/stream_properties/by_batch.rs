//! Operators that work on records as they are: their order within a batch is defined.

use super::case::{case, each_key, numbers, pair, partitions};
use headwater::StorageLevel;
use headwater::prelude::*;
use proptest::prelude::*;

const LEVELS: [StorageLevel; 6] = [
    StorageLevel::NONE,
    StorageLevel::DISK_ONLY,
    StorageLevel::MEMORY_ONLY,
    StorageLevel::MEMORY_ONLY_SER,
    StorageLevel::MEMORY_AND_DISK,
    StorageLevel::MEMORY_AND_DISK_SER,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn records_one_by_one(case in case(numbers()), k in 1..5i32) {
        case.in_order(move |s| s.map(move |n| n * k), |batch| batch.iter().map(|n| n * k).collect());
        let keep = move |n: &i32| n % k == 0;
        case.in_order(move |s| s.filter(keep), |batch| batch.iter().copied().filter(keep).collect());
        let several = move |n: i32| (0..n % 4).map(move |i| n * k + i);
        case.in_order(move |s| s.flat_map(several), |batch| batch.iter().copied().flat_map(several).collect());
    }

    #[test]
    fn records_one_by_one_with_closures_that_may_fail(case in case(numbers()), k in 1..5i32) {
        let map = move |n: i32| n.checked_mul(k).ok_or("too large");
        case.in_order(move |s| s.try_map(map), |batch| batch.iter().map(|n| n * k).collect());
        let keep = move |n: &i32| n.checked_rem(k).map(|rest| rest == 0).ok_or("by nothing");
        case.in_order(
            move |s| s.try_filter(keep),
            |batch| batch.iter().copied().filter(|n| n % k == 0).collect(),
        );
        let several = move |n: i32| usize::try_from(n % 4).map(|times| vec![n * k; times]);
        case.in_order(
            move |s| s.try_flat_map(several),
            |batch| batch.iter().flat_map(|n| vec![n * k; (n % 4) as usize]).collect(),
        );
    }

    #[test]
    fn partitions_as_a_whole(case in case(numbers())) {
        let sums = |batch: &[i32]| -> Vec<i32> { case.cut(batch).iter().map(|part| part.iter().sum()).collect() };
        case.in_order(|s| s.map_partitions(|records| [records.sum::<i32>()]), sums);
        case.in_order(|s| s.map_partitions_preserving(|records| [records.sum::<i32>()]), sums);
        case.in_order(|s| s.try_map_partitions(|records| Ok::<_, String>([records.sum::<i32>()])), sums);
        case.in_order(|s| s.glom(), |batch| case.cut(batch).iter().map(|part| part.to_vec()).collect());
        case.in_order(
            |s| s.map_partitions_with_index(|index, records| records.map(move |n| (index, n))),
            |batch| {
                let part = |(index, part): (usize, &&[i32])| part.iter().map(|n| (index, *n)).collect::<Vec<_>>();
                case.cut(batch).iter().enumerate().flat_map(part).collect()
            },
        );
    }

    #[test]
    fn unions(case in case(numbers())) {
        let twice = |batch: &[i32]| batch.iter().copied().chain(batch.iter().map(|n| n + 100)).collect();
        case.in_order(|s| s.union(&s.map(|n| n + 100)), twice);
        let three = |batch: &[i32]| [0, 100, 200].iter().flat_map(|k| batch.iter().map(move |n| n + k)).collect();
        case.in_order(|s| s.union_all(&[s.map(|n| n + 100), s.map(|n| n + 200)]), three);
        case.in_order(|s| s.union_all(&[]), <[i32]>::to_vec);
        let itself = |batch: &[i32]| [batch, batch].concat();
        case.in_order(|s| s.union(&s), itself);
    }

    #[test]
    fn a_repartitioned_batch_is_dealt_out_evenly(case in case(numbers()), to in partitions()) {
        case.in_order(move |s| s.repartition(to).glom(), |batch| {
            let mut dealt = vec![Vec::new(); to];
            for (map, part) in case.cut(batch).iter().enumerate() {
                part.iter().enumerate().for_each(|(number, n)| dealt[(map + number) % to].push(*n));
            }
            dealt
        });
        // Twice, with more work in between.
        case.in_any_order(
            move |s| s.repartition(to).map(|n| n + 1).repartition(3),
            |batch| batch.iter().map(|n| n + 1).collect(),
        );
    }

    #[test]
    fn whatever_is_done_to_the_rdd(case in case(pair()), to in partitions()) {
        case.in_any_order(
            move |s| s.transform(move |rdd, _| rdd.map_values(|n| n + 1).reduce_by_key(|a, b| a + b).with_partitions(to)),
            |batch| each_key(batch, |values| values.iter().map(|n| n + 1).sum::<i32>()),
        );
        // The batch's time comes with it, and an answer may steer what is made.
        let steered = |s: DStream<(String, i32)>| s.transform(|rdd, time| {
            let (count, batch) = (rdd.count().unwrap(), time.milliseconds() / 1000);
            let rdd = if batch % 2 == 0 { rdd.repartition(2) } else { rdd };
            rdd.map(move |(_, n)| (batch, count, n))
        });
        let expected = case.batches.iter().zip(1..).map(|(batch, number)| {
            let batch = batch.as_ref()?;
            let mut all: Vec<_> = batch.iter().map(|(_, n)| (number, batch.len() as u64, *n)).collect();
            all.sort();
            Some(all)
        });
        let expected: Vec<_> = expected.collect();
        for got in case.check().outputs(case.batches.clone(), steered) {
            let mut got = got.unwrap();
            got.iter_mut().flatten().for_each(|batch| batch.sort());
            prop_assert_eq!(&got, &expected);
        }
    }

    #[test]
    fn what_is_kept_is_what_was_computed(case in case(pair()), level in 0..LEVELS.len(), to in partitions()) {
        let level = LEVELS[level];
        case.in_order(move |s| s.map(|(k, n)| (k, n + 1)).persist(level), |batch| {
            batch.iter().map(|(k, n)| (k.clone(), n + 1)).collect()
        });
        case.in_order(|s| s.cache().map(|(_, n)| n), |batch| batch.iter().map(|(_, n)| *n).collect());
        // Kept on both sides of a shuffle, and read twice.
        let twice = move |s: DStream<(String, i32)>| {
            let sums = s.persist(level).reduce_by_key(|a, b| a + b).with_partitions(to).persist(level);
            sums.join(&sums.map_values(|n| n + 1)).union(&s.map_values(|n| (n, n)))
        };
        case.in_any_order(twice, |batch| {
            let sums = each_key(batch, |values| (values.iter().sum::<i32>(), values.iter().sum::<i32>() + 1));
            sums.into_iter().chain(batch.iter().map(|(k, n)| (k.clone(), (*n, *n)))).collect()
        });
    }

    #[test]
    fn what_is_checkpointed_is_what_was_computed(case in case(pair()), every in 1..4u64, to in partitions()) {
        let program = move |s: DStream<(String, i32)>| {
            let sums = s.map(|(k, n)| (k, n + 1)).checkpoint(seconds(every)).reduce_by_key(|a, b| a + b);
            let sums = sums.with_partitions(to).checkpoint(seconds(2));
            sums.union(&sums.map_values(|n| n + 1))
        };
        case.in_any_order(program, |batch| {
            let sums = each_key(batch, |values| values.iter().map(|n| n + 1).sum::<i32>());
            sums.iter().cloned().chain(sums.iter().map(|(k, n)| (k.clone(), n + 1))).collect()
        });
    }
}
