//! Operators that bring the records of a batch together.

use super::case::{case, each_key, grouped, numbers, pair, partitions};
use headwater::Partitioner;
use headwater::prelude::*;
use proptest::prelude::*;

/// By the length of the key: another partitioner than the hash.
#[derive(PartialEq, Clone, Copy)]
struct ByLength(usize);
impl Partitioner<String> for ByLength {
    fn num_partitions(&self) -> usize {
        self.0
    }
    fn partition(&self, key: &String) -> usize {
        key.len() % self.0
    }
}

/// The records of each partition, of which there are `n`, in the order of their arrival.
fn placed(batch: &[(String, i32)], n: usize, place: impl Fn(&String) -> usize) -> Vec<Vec<(String, i32)>> {
    let mut parts = vec![Vec::new(); n];
    batch.iter().for_each(|pair| parts[place(&pair.0)].push(pair.clone()));
    parts
}
/// In what partition each key is, and how many partitions there are.
fn places<V: headwater::Data>(s: DStream<(String, V)>) -> DStream<(usize, Vec<String>)> {
    s.glom().map(|part| part.into_iter().map(|(key, _)| key).collect::<Vec<_>>()).map_partitions_with_index(
        |index, parts| {
            parts.map(move |mut keys| {
                keys.sort();
                (index, keys)
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_batch_becomes_one_record(case in case(numbers())) {
        case.in_order(|s| s.count(), |batch| vec![batch.len() as u64]);
        case.in_order(|s| s.reduce(|a, b| a + b), |batch| batch.iter().copied().reduce(|a, b| a + b).into_iter().collect());
        case.in_order(|s| s.reduce(i32::max), |batch| batch.iter().copied().max().into_iter().collect());
    }

    #[test]
    fn values_of_a_key_become_one(case in case(pair()), to in partitions()) {
        let sum = |values: &[i32]| values.iter().sum::<i32>();
        case.in_any_order(|s| s.reduce_by_key(|a, b| a + b), |batch| each_key(batch, sum));
        case.in_any_order(move |s| s.reduce_by_key(|a, b| a + b).with_partitions(to), |batch| each_key(batch, sum));
        case.in_any_order(
            move |s| s.map(|(key, _)| key).count_by_value().with_partitions(to),
            |batch| each_key(batch, |values| values.len() as u64),
        );
        // Totals of partitions are joined in their order.
        let texts = move |s: DStream<(String, i32)>| {
            s.combine_by_key(|n| n.to_string(), |text, n| format!("{text},{n}"), |l, r| format!("{l},{r}"))
                .with_partitions(to)
        };
        let text = |values: &[i32]| values.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
        case.in_any_order(texts, |batch| each_key(batch, text));
    }

    #[test]
    fn values_of_a_key_are_grouped_in_the_order_of_arrival(case in case(pair()), to in partitions()) {
        case.in_any_order(|s| s.group_by_key(), |batch| each_key(batch, <[i32]>::to_vec));
        case.in_any_order(move |s| s.group_by_key().with_partitions(to), |batch| each_key(batch, <[i32]>::to_vec));
        case.in_any_order(
            move |s| s.group_by_key().with_partitioner(ByLength(to)).flat_map_values(|values| values),
            <[_]>::to_vec,
        );
    }

    #[test]
    fn values_without_their_keys(case in case(pair())) {
        case.in_order(
            |s| s.map_values(|n| n * 2),
            |batch| batch.iter().map(|(key, n)| (key.clone(), n * 2)).collect(),
        );
        case.in_order(
            |s| s.try_map_values(|n| n.checked_mul(2).ok_or("too large")),
            |batch| batch.iter().map(|(key, n)| (key.clone(), n * 2)).collect(),
        );
        case.in_order(
            |s| s.flat_map_values(|n| 0..n % 4),
            |batch| batch.iter().flat_map(|(key, n)| (0..n % 4).map(move |i| (key.clone(), i))).collect(),
        );
    }

    #[test]
    fn keys_are_where_the_partitioner_puts_them(case in case(pair()), to in partitions()) {
        let hash = headwater::testkit::context().hash_partitioner(to);
        case.in_order(move |s| s.partition_by(ByLength(to)).glom(), |batch| placed(batch, to, |key| key.len() % to));
        case.in_order(
            move |s| s.partition_by(s.context().hash_partitioner(to)).glom(),
            |batch| placed(batch, to, |key| hash.partition(key)),
        );
        let keys = |place: fn(&headwater::HashPartitioner, usize, &String) -> usize, batch: &[(String, i32)]| {
            let mut parts = vec![Vec::new(); to];
            grouped(batch).into_keys().for_each(|key| parts[place(&hash, to, &key)].push(key));
            parts.into_iter().enumerate().collect::<Vec<_>>()
        };
        let by_hash = |batch: &[(String, i32)]| keys(|hash, _, key| hash.partition(key), batch);
        let by_length = |batch: &[(String, i32)]| keys(|_, to, key| key.len() % to, batch);
        case.in_order(move |s| places(s.reduce_by_key(|a, _| a).with_partitions(to)), by_hash);
        case.in_order(move |s| places(s.group_by_key().with_partitions(to).map_values(|v| v.len())), by_hash);
        case.in_order(move |s| places(s.reduce_by_key(|a, _| a).with_partitioner(ByLength(to))), by_length);
        case.in_order(move |s| places(s.cogroup(&s).with_partitioner(ByLength(to))), by_length);
        // What keeps the keys keeps their places: what follows by key does not shuffle.
        let in_place = move |s: DStream<(String, i32)>| {
            let sums = s.reduce_by_key(|a, b| a + b).with_partitioner(ByLength(to));
            let kept = sums.map_partitions_preserving(|sums| sums.filter(|(_, n)| *n >= 0)).map_values(|n| n + 1);
            kept.transform(|rdd, _| {
                let again = rdd.reduce_by_key(|a, b| a + b);
                assert!(rdd.partitioner().is_some() && rdd.partitioner() == again.partitioner());
                again
            })
        };
        case.in_order(move |s| places(in_place(s)), by_length);
    }
}
