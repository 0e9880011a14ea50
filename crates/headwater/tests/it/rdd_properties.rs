//! The operators of datasets beside the same done to a plain vector, on random records in random partitions.

use headwater::testkit;
use headwater::{Data, Rdd, RddContext};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::LazyLock;

static CONTEXT: LazyLock<RddContext> = LazyLock::new(testkit::context);

/// Few different records, so that equal ones meet.
fn records() -> impl Strategy<Value = Vec<i32>> {
    vec(0..12i32, 0..50)
}
fn pairs() -> impl Strategy<Value = Vec<(i32, i32)>> {
    vec((0..8i32, 0..100i32), 0..50)
}
fn partitions() -> std::ops::Range<usize> {
    1..6
}

fn rdd<T: Data>(records: &[T], partitions: usize) -> Rdd<T> {
    CONTEXT.parallelize(records.to_vec(), partitions)
}
/// The records of each partition, as `parallelize` cuts them.
fn cut<T: Clone>(records: &[T], partitions: usize) -> Vec<Vec<T>> {
    let at = |n| n * records.len() / partitions;
    (0..partitions).map(|n| records[at(n)..at(n + 1)].to_vec()).collect()
}
/// The records of a dataset whose order is not defined.
fn sorted<T: Data + Ord + Debug>(rdd: &Rdd<T>) -> Vec<T> {
    let mut records = rdd.collect().unwrap();
    records.sort();
    records
}
fn sorted_vec<T: Ord>(records: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut records: Vec<T> = records.into_iter().collect();
    records.sort();
    records
}
fn grouped<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, Vec<V>> {
    let mut groups = BTreeMap::<K, Vec<V>>::new();
    pairs.into_iter().for_each(|(key, value)| groups.entry(key).or_default().push(value));
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn partitions_and_places(records in records(), n in partitions()) {
        let numbers = rdd(&records, n);
        let parts = cut(&records, n);
        let with_index = numbers.map_partitions_with_index(|index, records| records.map(move |x| (index, x)));
        let expected = parts.iter().enumerate().flat_map(|(index, part)| part.iter().map(move |x| (index, *x)));
        prop_assert_eq!(with_index.collect().unwrap(), expected.collect::<Vec<_>>());

        let indexed = numbers.zip_with_index().unwrap().collect().unwrap();
        prop_assert_eq!(indexed, records.iter().copied().zip(0..).collect::<Vec<_>>());

        let with_id = numbers.zip_with_unique_id().collect().unwrap();
        let expected = parts.iter().enumerate().flat_map(|(k, part)| {
            part.iter().enumerate().map(move |(i, x)| (*x, (i * n + k) as u64))
        });
        prop_assert_eq!(with_id, expected.collect::<Vec<_>>());
    }

    #[test]
    fn zips(records in records(), other in records(), n in partitions(), m in partitions()) {
        let numbers = rdd(&records, n);
        let zipped = numbers.zip(&numbers.map(|x| x * 2));
        prop_assert_eq!(zipped.collect().unwrap(), records.iter().map(|x| (*x, x * 2)).collect::<Vec<_>>());

        let other_rdd = rdd(&other, m);
        let zipped = numbers.zip(&other_rdd).collect();
        let alike = n == m && cut(&records, n).iter().zip(cut(&other, n)).all(|(a, b)| a.len() == b.len());
        prop_assert_eq!(zipped.is_ok(), alike);

        let sums = numbers.zip_partitions(&other_rdd, |a, b| [(a.sum::<i32>(), b.sum::<i32>())]);
        let sum = |part: &Vec<i32>| part.iter().sum::<i32>();
        let expected: Vec<_> = cut(&records, n).iter().map(sum).zip(cut(&other, m).iter().map(sum)).collect();
        prop_assert_eq!(sums.collect().ok(), (n == m).then_some(expected));
    }

    #[test]
    fn cartesian_has_every_pair(left in records(), right in records(), n in partitions(), m in partitions()) {
        let pairs = rdd(&left, n).cartesian(&rdd(&right, m));
        prop_assert_eq!(pairs.num_partitions(), n * m);
        let expected = left.iter().flat_map(|l| right.iter().map(move |r| (*l, *r)));
        prop_assert_eq!(sorted(&pairs), sorted_vec(expected));
        // Behind shuffles, whose buckets several tasks read.
        let shuffled = rdd(&left, n).repartition(3).cartesian(&rdd(&right, m).repartition(2));
        prop_assert_eq!(sorted(&shuffled), sorted(&pairs));
    }

    #[test]
    fn coalesce_joins_neighbours(records in records(), n in partitions(), to in partitions()) {
        let fewer = rdd(&records, n).coalesce(to);
        prop_assert_eq!(fewer.num_partitions(), n.min(to));
        prop_assert_eq!(fewer.collect().unwrap(), records.clone());
        prop_assert_eq!(sorted(&rdd(&records, n).repartition(4).coalesce(to)), sorted_vec(records.clone()));
        prop_assert_eq!(sorted(&rdd(&records, n).coalesce_with_shuffle(to)), sorted_vec(records));
    }

    #[test]
    fn sets(left in records(), right in records(), n in partitions(), m in partitions(), to in partitions()) {
        let (a, b) = (rdd(&left, n), rdd(&right, m));
        let (left_set, right_set): (BTreeSet<i32>, BTreeSet<i32>) =
            (left.iter().copied().collect(), right.iter().copied().collect());
        let distinct = a.distinct().with_partitions(to);
        prop_assert_eq!(distinct.num_partitions(), to);
        prop_assert_eq!(sorted(&distinct), sorted_vec(left_set.clone()));
        let both = left_set.intersection(&right_set).copied();
        prop_assert_eq!(sorted(&a.intersection(&b).with_partitions(to)), sorted_vec(both));
        let rest = left.iter().copied().filter(|x| !right_set.contains(x));
        prop_assert_eq!(sorted(&a.subtract(&b).with_partitions(to)), sorted_vec(rest));
    }

    #[test]
    fn keys_and_groups(left in pairs(), right in pairs(), n in partitions(), m in partitions()) {
        let pairs = rdd(&left, n);
        prop_assert_eq!(pairs.keys().collect().unwrap(), left.iter().map(|pair| pair.0).collect::<Vec<_>>());
        prop_assert_eq!(pairs.values().collect().unwrap(), left.iter().map(|pair| pair.1).collect::<Vec<_>>());
        let keyed = pairs.key_by(|(key, value)| key + value).collect().unwrap();
        prop_assert_eq!(keyed, left.iter().map(|pair| (pair.0 + pair.1, *pair)).collect::<Vec<_>>());
        let expected = grouped(left.iter().map(|pair| (pair.0, *pair)));
        prop_assert_eq!(sorted(&pairs.group_by(|pair| pair.0)), sorted_vec(expected));
        let unwanted: BTreeSet<i32> = right.iter().map(|pair| pair.0).collect();
        let rest = left.iter().copied().filter(|pair| !unwanted.contains(&pair.0));
        prop_assert_eq!(sorted(&pairs.subtract_by_key(&rdd(&right, m))), sorted_vec(rest));
    }

    #[test]
    fn unions_of_datasets_spread_alike_stay_so(left in pairs(), right in pairs(), n in partitions()) {
        let by = CONTEXT.hash_partitioner(n);
        let (a, b) = (rdd(&left, 2).partition_by(by), rdd(&right, 3).partition_by(by));
        let union = a.union(&b);
        prop_assert_eq!((union.partitioner(), union.num_partitions()), (Some(by.into()), n));
        prop_assert_eq!(sorted(&union), sorted_vec(left.iter().chain(&right).copied()));
        let sums = union.reduce_by_key(|a, b| a + b);
        let expected = grouped(left.iter().chain(&right).copied()).into_iter().map(|(k, v)| (k, v.iter().sum()));
        prop_assert_eq!(sorted(&sums), expected.collect::<Vec<_>>());
        let other = rdd(&right, 3).partition_by(CONTEXT.hash_partitioner(n + 1));
        prop_assert_eq!(a.union(&other).partitioner(), None);
        prop_assert_eq!(a.union(&other).num_partitions(), 2 * n + 1);
    }

    #[test]
    fn a_sample_is_a_part_and_the_same_again(records in records(), n in partitions(), fraction in 0.0..1.0, seed: u64) {
        let numbers = rdd(&(0..records.len()).collect::<Vec<_>>(), n);
        let sample = numbers.sample(false, fraction, seed).collect().unwrap();
        prop_assert!(sample.is_sorted_by(|a, b| a < b), "{sample:?}");
        prop_assert_eq!(&sample, &numbers.sample(false, fraction, seed).collect().unwrap());
        prop_assert_eq!(numbers.sample(false, 1.0, seed).count().unwrap(), records.len() as u64);
        prop_assert_eq!(numbers.sample(false, 0.0, seed).count().unwrap(), 0);
        let copies = numbers.sample(true, fraction * 3.0, seed).collect().unwrap();
        prop_assert!(copies.is_sorted(), "{copies:?}");
        prop_assert_eq!(&copies, &numbers.sample(true, fraction * 3.0, seed).collect().unwrap());
    }

    #[test]
    fn a_taken_sample_has_its_size(records in records(), n in partitions(), count in 0..60usize, seed: u64) {
        let places: Vec<usize> = (0..records.len()).collect();
        let numbers = rdd(&places, n);
        let sample = numbers.take_sample(false, count, seed).unwrap();
        let different: BTreeSet<usize> = sample.iter().copied().collect();
        prop_assert_eq!((sample.len(), different.len()), (count.min(places.len()), sample.len()));
        prop_assert!(different.iter().all(|place| *place < places.len()));
        let copies = numbers.repartition(3).take_sample(true, count, seed).unwrap();
        prop_assert_eq!(copies.len(), if places.is_empty() { 0 } else { count });
        prop_assert!(copies.iter().all(|place| *place < places.len()));
    }

    #[test]
    fn a_split_deals_every_record_out_once(
        records in records(), n in partitions(), weights in vec(0.0..5.0, 1..5), seed: u64
    ) {
        prop_assume!(weights.iter().sum::<f64>() > 0.0);
        let parts = rdd(&records, n).random_split(&weights, seed);
        prop_assert_eq!(parts.len(), weights.len());
        let all: Vec<i32> = parts.iter().flat_map(|part| part.collect().unwrap()).collect();
        prop_assert_eq!(sorted_vec(all), sorted_vec(records));
    }
}

/// Halves may be joined in any way: they are exact as doubles.
fn halves(records: &[i32]) -> Vec<f64> {
    records.iter().map(|n| f64::from(*n) / 2.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn folds_are_those_of_a_vector(records in records(), n in 0..40usize, depth in 1..5usize) {
        let n = n.max(1);
        let numbers = rdd(&records, n);
        let sum: i32 = records.iter().sum();
        prop_assert_eq!(numbers.fold(0, |a, b| a + b).unwrap(), sum);
        let text = numbers.aggregate(String::new(), |text, x| format!("{text}{x},"), |a, b| a + &b).unwrap();
        prop_assert_eq!(text, records.iter().map(|x| format!("{x},")).collect::<String>());
        let aggregated = numbers.tree_aggregate_with_depth(0, |a, b| a + b, |a, b| a + b, depth);
        prop_assert_eq!(aggregated.unwrap(), sum);
        let max = records.iter().copied().max();
        prop_assert_eq!(numbers.tree_reduce_with_depth(|a, b| a.max(b), depth).unwrap(), max);
    }

    #[test]
    fn the_least_and_the_greatest(records in vec(any::<i16>(), 0..300), n in partitions(), limit in 0..40usize) {
        let numbers = rdd(&records, n);
        let mut expected = sorted_vec(records.clone());
        prop_assert_eq!(numbers.min().unwrap(), expected.first().copied());
        prop_assert_eq!(numbers.max().unwrap(), expected.last().copied());
        let cut = limit.min(expected.len());
        prop_assert_eq!(numbers.take_ordered(limit).unwrap(), &expected[..cut]);
        expected.reverse();
        prop_assert_eq!(numbers.top(limit).unwrap(), &expected[..cut]);
        prop_assert_eq!(numbers.take_ordered_by(limit, |a, b| b.cmp(a)).unwrap(), &expected[..cut]);
        let keys: Vec<i16> = numbers.top_by_key(limit, |x| x / 7).unwrap().iter().map(|x| x / 7).collect();
        prop_assert_eq!(keys, expected[..cut].iter().map(|x| x / 7).collect::<Vec<_>>());
    }

    #[test]
    fn equal_records_come_in_the_order_of_min_and_max(records in pairs(), n in partitions()) {
        let pairs = rdd(&records, n);
        let by_key = |a: &(i32, i32), b: &(i32, i32)| a.0.cmp(&b.0);
        prop_assert_eq!(pairs.min_by(by_key).unwrap(), records.iter().copied().min_by(by_key));
        prop_assert_eq!(pairs.max_by(by_key).unwrap(), records.iter().copied().max_by(by_key));
    }

    #[test]
    fn statistics(records in records(), n in partitions(), buckets in 1..6usize) {
        let values = halves(&records);
        let numbers = rdd(&values, n);
        let sum: f64 = values.iter().sum();
        prop_assert_eq!(numbers.sum().unwrap(), sum);
        let (stats, count) = (numbers.stats().unwrap(), values.len() as f64);
        prop_assert_eq!(stats.count(), values.len() as u64);
        if values.is_empty() {
            prop_assert!(numbers.mean().unwrap().is_nan() && numbers.histogram(buckets).is_err());
            return Ok(());
        }
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let variance = values.iter().map(|x| (x - sum / count).powi(2)).sum::<f64>() / count;
        prop_assert!(near(numbers.mean().unwrap(), sum / count) && near(numbers.variance().unwrap(), variance));
        prop_assert!(near(numbers.stdev().unwrap(), variance.sqrt()));
        prop_assert_eq!(stats.max(), values.iter().copied().fold(f64::MIN, f64::max));

        let (bounds, counts) = numbers.histogram(buckets).unwrap();
        prop_assert_eq!((bounds[0], *bounds.last().unwrap()), (stats.min(), stats.max()));
        let held = |at: usize| {
            let last = at + 2 == bounds.len();
            let holds = |x: &&f64| bounds[at] <= **x && (**x < bounds[at + 1] || last && **x == bounds[at + 1]);
            values.iter().filter(holds).count() as u64
        };
        prop_assert_eq!(&counts, &(0..bounds.len() - 1).map(held).collect::<Vec<_>>());
        if bounds.len() > 2 || bounds[0] < bounds[1] {
            prop_assert_eq!(numbers.histogram_within(&bounds).unwrap(), counts);
        }
    }

    #[test]
    fn counts_and_maps(records in pairs(), n in partitions(), key in 0..8i32) {
        let pairs = rdd(&records, n);
        let groups = grouped(records.iter().copied());
        let counts = groups.iter().map(|(key, values)| (*key, values.len() as u64)).collect();
        prop_assert_eq!(pairs.count_by_key().unwrap(), counts);
        let counts = grouped(records.iter().map(|pair| (*pair, ())));
        let counts = counts.into_iter().map(|(pair, ones)| (pair, ones.len() as u64)).collect();
        prop_assert_eq!(pairs.count_by_value().unwrap(), counts);
        prop_assert_eq!(pairs.collect_as_map().unwrap(), records.iter().copied().collect());
        let joined = |texts: Vec<String>| texts.concat();
        let texts = pairs.map_values(|x| format!("{x},")).reduce_by_key_locally(|a, b| a + &b).unwrap();
        let text = |x: &i32| format!("{x},");
        let text = |(key, values): (&i32, &Vec<i32>)| (*key, joined(values.iter().map(text).collect()));
        prop_assert_eq!(texts, groups.iter().map(text).collect());

        let values = groups.get(&key).cloned().unwrap_or_default();
        prop_assert_eq!(pairs.lookup(&key).unwrap(), values.clone());
        let placed = pairs.partition_by(CONTEXT.hash_partitioner(n));
        prop_assert_eq!(placed.lookup(&key).unwrap(), values);
        prop_assert_eq!(placed.lookup(&99).unwrap(), Vec::<i32>::new());
    }

    #[test]
    fn a_dataset_is_read_from_its_start(records in records(), n in partitions()) {
        let numbers = rdd(&records, n);
        let read: headwater::Result<Vec<i32>> = numbers.to_local_iterator().collect();
        prop_assert_eq!(read.unwrap(), records.clone());
        let shuffled = numbers.repartition(3);
        let read: headwater::Result<Vec<i32>> = shuffled.to_local_iterator().collect();
        prop_assert_eq!(read.unwrap(), shuffled.collect().unwrap());
        prop_assert_eq!(numbers.first().ok(), records.first().copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn values_of_a_key_become_one(records in pairs(), n in partitions(), to in partitions()) {
        let pairs = rdd(&records, n);
        let groups = grouped(records.iter().copied());
        let sums: Vec<(i32, i32)> = groups.iter().map(|(key, values)| (*key, values.iter().sum())).collect();
        let folded = pairs.fold_by_key(0, |a, b| a + b).with_partitions(to);
        prop_assert_eq!(folded.num_partitions(), to);
        prop_assert_eq!(sorted(&folded), sums);
        let joined = |texts: String, x: i32| format!("{texts}{x},");
        let text = |values: &[i32]| values.iter().map(|x| format!("{x},")).collect::<String>();
        let text = |(key, values): (&i32, &Vec<i32>)| (*key, text(values));
        let texts: Vec<(i32, String)> = groups.iter().map(text).collect();
        let aggregated = pairs.aggregate_by_key(String::new(), joined, |a, b| a + &b).with_partitions(to);
        prop_assert_eq!(sorted(&aggregated), texts.clone());
        let combined = pairs.combine_by_key_at_reduce(move |x| joined(String::new(), x), joined, |a, b| a + &b);
        prop_assert_eq!(sorted(&combined.with_partitions(to)), texts);
    }

    #[test]
    fn cogroups_of_many(all in vec((pairs(), partitions()), 0..5), to in partitions()) {
        let rdds: Vec<Rdd<(i32, i32)>> = all.iter().map(|(records, n)| rdd(records, *n)).collect();
        let mut expected = BTreeMap::<i32, Vec<Vec<i32>>>::new();
        for (at, (records, _)) in all.iter().enumerate() {
            for (key, value) in records {
                expected.entry(*key).or_insert_with(|| vec![Vec::new(); all.len()])[at].push(*value);
            }
        }
        let expected = sorted_vec(expected);
        let cogrouped = CONTEXT.cogroup_all(&rdds);
        prop_assert_eq!(sorted(&cogrouped), expected.clone());
        if let [first, others @ ..] = &rdds[..] {
            prop_assert_eq!(cogrouped.with_partitions(to).num_partitions(), to);
            prop_assert_eq!(sorted(&cogrouped.with_partitions(to)), expected.clone());
            let texts = first.map_values(|x| x.to_string());
            let text = |x: &i32| x.to_string();
            if let [second, third] = others {
                let of_three = sorted(&texts.cogroup3(second, third).with_partitions(to));
                let three = |(key, v): (i32, Vec<Vec<i32>>)| {
                    (key, (v[0].iter().map(text).collect(), v[1].clone(), v[2].clone()))
                };
                prop_assert_eq!(of_three, expected.into_iter().map(three).collect::<Vec<_>>());
            } else if let [second, third, fourth] = others {
                let of_four = sorted(&texts.cogroup4(second, third, fourth));
                let four = |(key, v): (i32, Vec<Vec<i32>>)| {
                    (key, (v[0].iter().map(text).collect(), v[1].clone(), v[2].clone(), v[3].clone()))
                };
                prop_assert_eq!(of_four, expected.into_iter().map(four).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn ranges(start in -50..50i64, len in -20..50i64, step in 1..7i64, n in partitions()) {
        let up: Vec<i64> = (start..start + len).step_by(step as usize).collect();
        prop_assert_eq!(CONTEXT.range(start..start + len, step, n).collect().unwrap(), up.clone());
        let down: Vec<i64> = up.iter().map(|x| -x).collect();
        let range = CONTEXT.range(-start..-(start + len), -step, n);
        prop_assert_eq!(range.num_partitions(), n);
        prop_assert_eq!(range.collect().unwrap(), down);
    }

    #[test]
    fn sorting(records in pairs(), from in partitions(), to in partitions(), ascending: bool, bounds in (0..8i32, 0..8i32)) {
        let pairs = rdd(&records, from);
        let mut expected = records.clone();
        // Equal keys keep their order, also where they come down.
        expected.sort_by(|l, r| if ascending { l.0.cmp(&r.0) } else { r.0.cmp(&l.0) });
        let by_key = pairs.sort_by_key(ascending);
        prop_assert!(by_key.num_partitions() <= from);
        prop_assert_eq!(by_key.collect().unwrap(), expected.clone());
        prop_assert_eq!(by_key.with_partitions(to).collect().unwrap(), expected.clone());
        prop_assert_eq!(pairs.sort_by(|record| record.0, ascending).with_partitions(to).collect().unwrap(), expected.clone());
        let in_bounds = |(key, _): &(i32, i32)| bounds.0 <= *key && *key <= bounds.1;
        let ranged: Vec<_> = expected.into_iter().filter(in_bounds).collect();
        prop_assert_eq!(by_key.with_partitions(to).filter_by_range(bounds.0, bounds.1).collect().unwrap(), ranged.clone());
        prop_assert_eq!(sorted(&pairs.filter_by_range(bounds.0, bounds.1)), sorted_vec(ranged));
        let within = pairs.repartition_and_sort_within_partitions(CONTEXT.hash_partitioner(to));
        prop_assert_eq!(within.num_partitions(), to);
        for partition in within.collect_partitions().unwrap() {
            prop_assert!(partition.is_sorted_by_key(|record| record.0));
        }
        prop_assert_eq!(sorted(&within), sorted_vec(records));
    }
}
