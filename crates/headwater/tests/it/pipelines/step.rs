//! One operator of a pipeline: its program, as an operator of the stream or of the batch's dataset, and its model.

use headwater::Partitioner;
use headwater::prelude::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

pub(super) type Pair = (u32, u32);

/// An operator with all of its settings: nothing depends on the number of threads.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Map(u32),
    Filter(u32),
    FlatMap,
    MapValues(u32),
    FlatMapValues,
    SwapKeyAndValue,
    MapPartitions,
    Union,
    Repartition(usize),
    Coalesce(usize),
    PartitionBy(usize),
    PartitionByParity,
    ReduceByKey(usize),
    GroupByKey(usize),
    CombineByKey(usize),
    CountByValue(usize),
    Distinct(usize),
    JoinSums(usize),
    CogroupFiltered(usize),
    LeftJoinLess(usize),
    SubtractByKey(usize),
    Intersection(usize),
    SortByKey(bool, usize),
    SortByValue(usize),
    WithinRange(usize),
    Cartesian,
    ZipWithIndex,
    ZipWithUniqueId,
    ZipWithNext,
    Sample(u64),
    SampleTwice(u64),
    AddCount,
    AddLargest,
    Persist(StorageLevel),
    Checkpoint,
}
use Step::*;

#[derive(PartialEq, Clone, Copy)]
struct Parity;
impl Partitioner<u32> for Parity {
    fn num_partitions(&self) -> usize {
        2
    }
    fn partition(&self, key: &u32) -> usize {
        (key % 2) as usize
    }
}

/// Numbers stay small, so that nothing overflows and keys meet.
const MODULUS: u32 = 97;
fn small(n: u32) -> u32 {
    n % MODULUS
}
fn few(pair: &Pair) -> bool {
    pair.1.is_multiple_of(3)
}
fn sum(a: u32, b: u32) -> u32 {
    small(a + b)
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let n = || 1..6usize;
    let levels = [
        StorageLevel::DISK_ONLY,
        StorageLevel::MEMORY_ONLY,
        StorageLevel::MEMORY_ONLY_SER,
        StorageLevel::MEMORY_AND_DISK,
        StorageLevel::MEMORY_AND_DISK_SER,
    ];
    let narrow = prop_oneof![
        (1..9u32).prop_map(Map),
        (2..5u32).prop_map(Filter),
        Just(FlatMap),
        (1..9u32).prop_map(MapValues),
        Just(FlatMapValues),
        Just(SwapKeyAndValue),
        Just(MapPartitions),
        Just(Union),
        n().prop_map(Coalesce),
    ];
    let shuffle = prop_oneof![
        n().prop_map(Repartition),
        n().prop_map(PartitionBy),
        Just(PartitionByParity),
        n().prop_map(ReduceByKey),
        n().prop_map(GroupByKey),
        n().prop_map(CombineByKey),
        n().prop_map(CountByValue),
        n().prop_map(Distinct),
        n().prop_map(JoinSums),
        n().prop_map(CogroupFiltered),
        n().prop_map(LeftJoinLess),
        n().prop_map(SubtractByKey),
        n().prop_map(Intersection),
        (any::<bool>(), n()).prop_map(|(ascending, n)| SortByKey(ascending, n)),
        n().prop_map(SortByValue),
        n().prop_map(WithinRange),
    ];
    let places = prop_oneof![
        Just(ZipWithIndex),
        Just(ZipWithUniqueId),
        Just(ZipWithNext),
        any::<u64>().prop_map(Sample),
        any::<u64>().prop_map(SampleTwice),
    ];
    let others = prop_oneof![
        Just(Cartesian),
        Just(AddCount),
        Just(AddLargest),
        (0..levels.len()).prop_map(move |level| Persist(levels[level])),
        Just(Checkpoint),
    ];
    prop_oneof![4 => narrow, 6 => shuffle, 2 => places, 3 => others]
}

impl Step {
    /// As an operator of the batch's dataset.
    pub(super) fn of_rdd(self, rdd: &Rdd<Pair>) -> Rdd<Pair> {
        match self {
            Map(n) => rdd.map(move |(k, v)| (small(k + n), small(v * n))),
            Filter(n) => rdd.filter(move |(k, v)| !(k + v).is_multiple_of(n)),
            FlatMap => rdd.flat_map(|(k, v)| (0..v % 3).map(move |n| (k, n))),
            MapValues(n) => rdd.map_values(move |v| small(v + n)),
            FlatMapValues => rdd.flat_map_values(|v| [v, small(v + 1)].into_iter().take(v as usize % 3)),
            SwapKeyAndValue => rdd.map(|(k, v)| (v, k)),
            MapPartitions => rdd.map_partitions(|pairs| pairs.filter(|pair| !few(pair))),
            Union => rdd.union(&rdd.map_values(|v| small(v + 7))),
            Repartition(n) => rdd.repartition(n),
            Coalesce(n) => rdd.coalesce(n),
            PartitionBy(n) => rdd.partition_by(rdd.context().hash_partitioner(n)),
            PartitionByParity => rdd.partition_by(Parity),
            ReduceByKey(n) => rdd.reduce_by_key(sum).with_partitions(n),
            GroupByKey(n) => {
                let groups = rdd.group_by_key().with_partitions(n);
                groups.flat_map(|(k, mut values)| {
                    values.sort();
                    values.into_iter().zip(0..).map(move |(v, at)| (k, sum(v, at)))
                })
            }
            CombineByKey(n) => rdd
                .combine_by_key(
                    |v| vec![v],
                    |mut all, v| {
                        all.push(v);
                        all
                    },
                    |l, r| [l, r].concat(),
                )
                .with_partitions(n)
                .map_values(|all| all.len() as u32),
            CountByValue(n) => rdd
                .map(|pair| (pair, 1))
                .reduce_by_key(sum)
                .with_partitions(n)
                .map(|((k, v), count)| (k, sum(v, count))),
            Distinct(n) => rdd.distinct().with_partitions(n),
            JoinSums(n) => {
                rdd.join(&rdd.reduce_by_key(sum).with_partitions(n)).with_partitions(n).map_values(|(v, s)| sum(v, s))
            }
            CogroupFiltered(n) => {
                let both = rdd.cogroup(&rdd.filter(few)).with_partitions(n);
                both.map_values(|(all, some)| small(10 * all.len() as u32 + some.len() as u32))
            }
            LeftJoinLess(n) => {
                let joined = rdd.left_outer_join(&rdd.filter(few).reduce_by_key(u32::max)).with_partitions(n);
                joined.map_values(|(v, largest)| sum(v, largest.unwrap_or(50)))
            }
            SubtractByKey(n) => rdd.subtract_by_key(&rdd.filter(few)).with_partitions(n),
            Intersection(n) => rdd.intersection(&rdd.map_values(|v| small(v + 1))).with_partitions(n),
            SortByKey(ascending, n) => rdd.sort_by_key(ascending).with_partitions(n),
            SortByValue(n) => rdd.sort_by(|pair| (pair.1, pair.0), true).with_partitions(n),
            WithinRange(n) => rdd.sort_by_key(true).with_partitions(n).filter_by_range(5, 60),
            Cartesian => {
                let totals = rdd.context().parallelize(vec![1, 2], 2);
                rdd.cartesian(&totals).map(|((k, v), n)| (k, small(v + n)))
            }
            ZipWithIndex => rdd.zip_with_index().unwrap().map(|((k, v), at)| (k, small(v + at as u32))),
            ZipWithUniqueId => rdd.zip_with_unique_id().map(|((k, v), id)| (k, small(v + id as u32))),
            ZipWithNext => rdd.zip(&rdd.map(|(k, v)| small(k + v))).map(|((k, v), other)| (k, sum(v, other))),
            Sample(seed) => rdd.sample(false, 0.7, seed),
            SampleTwice(seed) => rdd.sample(true, 0.9, seed),
            AddCount => {
                let count = rdd.count().unwrap() as u32;
                rdd.map_values(move |v| small(v + count))
            }
            AddLargest => {
                let largest = rdd.max().unwrap().unwrap_or_default();
                rdd.map_values(move |v| small(v + largest.0))
            }
            Persist(level) if rdd.storage_level() == StorageLevel::NONE => rdd.persist(level),
            Persist(_) => rdd.clone(),
            Checkpoint => rdd.checkpoint(),
        }
    }

    /// As an operator of the stream, where there is one.
    pub(super) fn of_stream(self, stream: &DStream<Pair>) -> DStream<Pair> {
        match self {
            Map(n) => stream.map(move |(k, v)| (small(k + n), small(v * n))),
            Filter(n) => stream.filter(move |(k, v)| !(k + v).is_multiple_of(n)),
            FlatMap => stream.flat_map(|(k, v)| (0..v % 3).map(move |n| (k, n))),
            MapValues(n) => stream.map_values(move |v| small(v + n)),
            FlatMapValues => stream.flat_map_values(|v| [v, small(v + 1)].into_iter().take(v as usize % 3)),
            SwapKeyAndValue => stream.map(|(k, v)| (v, k)),
            MapPartitions => stream.map_partitions(|pairs| pairs.filter(|pair| !few(pair))),
            Union => stream.union(&stream.map_values(|v| small(v + 7))),
            Repartition(n) => stream.repartition(n),
            PartitionBy(n) => stream.partition_by(stream.context().hash_partitioner(n)),
            PartitionByParity => stream.partition_by(Parity),
            ReduceByKey(n) => stream.reduce_by_key(sum).with_partitions(n),
            CombineByKey(n) => {
                let combined = stream.combine_by_key(
                    |v| vec![v],
                    |mut all, v| {
                        all.push(v);
                        all
                    },
                    |l, r| [l, r].concat(),
                );
                combined.with_partitions(n).map_values(|all| all.len() as u32)
            }
            CountByValue(n) => {
                let counts = stream.count_by_value().with_partitions(n);
                counts.map(|((k, v), count)| (k, sum(v, count as u32)))
            }
            JoinSums(n) => {
                let joined = stream.join(&stream.reduce_by_key(sum).with_partitions(n)).with_partitions(n);
                joined.map_values(|(v, s)| sum(v, s))
            }
            CogroupFiltered(n) => {
                let both = stream.cogroup(&stream.filter(few)).with_partitions(n);
                both.map_values(|(all, some)| small(10 * all.len() as u32 + some.len() as u32))
            }
            Persist(level) => stream.map(|pair| pair).persist(level),
            Checkpoint => stream.map(|pair| pair).checkpoint(seconds(1)),
            other => stream.transform(move |rdd, _| other.of_rdd(&rdd)),
        }
    }

    /// The records that come out, in any order; none for an operator whose result depends on the places of records.
    pub(super) fn model(self, pairs: &[Pair]) -> Option<Vec<Pair>> {
        let mut groups = BTreeMap::<u32, Vec<u32>>::new();
        pairs.iter().for_each(|(k, v)| groups.entry(*k).or_default().push(*v));
        let some: BTreeMap<u32, Vec<u32>> = groups
            .iter()
            .map(|(k, values)| (*k, values.iter().copied().filter(|v| few(&(*k, *v))).collect()))
            .collect();
        let total = |values: &[u32]| values.iter().copied().reduce(sum).expect("a key has a value");
        let each = |f: &dyn Fn(u32, &[u32]) -> Vec<u32>| -> Vec<Pair> {
            groups.iter().flat_map(|(k, values)| f(*k, values).into_iter().map(|v| (*k, v))).collect()
        };
        let mapped = |f: &dyn Fn(u32, u32) -> Pair| -> Vec<Pair> { pairs.iter().map(|(k, v)| f(*k, *v)).collect() };
        Some(match self {
            Map(n) => mapped(&|k, v| (small(k + n), small(v * n))),
            Filter(n) => pairs.iter().copied().filter(|(k, v)| !(k + v).is_multiple_of(n)).collect(),
            FlatMap => pairs.iter().flat_map(|(k, v)| (0..v % 3).map(move |n| (*k, n))).collect(),
            MapValues(n) => mapped(&|k, v| (k, small(v + n))),
            FlatMapValues => {
                let values = |v: u32| [v, small(v + 1)].into_iter().take(v as usize % 3);
                pairs.iter().flat_map(|(k, v)| values(*v).map(move |v| (*k, v))).collect()
            }
            SwapKeyAndValue => mapped(&|k, v| (v, k)),
            MapPartitions => pairs.iter().copied().filter(|pair| !few(pair)).collect(),
            Union => [pairs.to_vec(), mapped(&|k, v| (k, small(v + 7)))].concat(),
            Repartition(_) | Coalesce(_) | PartitionBy(_) | PartitionByParity => pairs.to_vec(),
            SortByKey(..) | SortByValue(_) | Persist(_) | Checkpoint => pairs.to_vec(),
            ReduceByKey(_) => each(&|_, values| vec![total(values)]),
            GroupByKey(_) => each(&|_, values| {
                let mut values = values.to_vec();
                values.sort();
                values.into_iter().zip(0..).map(|(v, at)| sum(v, at)).collect()
            }),
            CombineByKey(_) => each(&|_, values| vec![values.len() as u32]),
            CountByValue(_) => each(&|_, values| {
                let different: BTreeSet<u32> = values.iter().copied().collect();
                let count = |v: &u32| values.iter().filter(|other| *other == v).count() as u32;
                different.iter().map(|v| sum(*v, count(v))).collect()
            }),
            Distinct(_) => pairs.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
            JoinSums(_) => each(&|_, values| values.iter().map(|v| sum(*v, total(values))).collect()),
            CogroupFiltered(_) => each(&|k, values| vec![small(10 * values.len() as u32 + some[&k].len() as u32)]),
            LeftJoinLess(_) => each(&|k, values| {
                let largest = some[&k].iter().max().copied().unwrap_or(50);
                values.iter().map(|v| sum(*v, largest)).collect()
            }),
            SubtractByKey(_) => each(&|k, values| if some[&k].is_empty() { values.to_vec() } else { vec![] }),
            Intersection(_) => {
                let others: BTreeSet<Pair> = pairs.iter().map(|(k, v)| (*k, small(v + 1))).collect();
                pairs
                    .iter()
                    .copied()
                    .filter(|pair| others.contains(pair))
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect()
            }
            WithinRange(_) => pairs.iter().copied().filter(|(k, _)| (5..=60).contains(k)).collect(),
            Cartesian => pairs.iter().flat_map(|(k, v)| [(*k, small(v + 1)), (*k, small(v + 2))]).collect(),
            ZipWithNext => mapped(&|k, v| (k, sum(v, small(k + v)))),
            AddCount => mapped(&|k, v| (k, small(v + pairs.len() as u32))),
            AddLargest => {
                let largest = pairs.iter().max().copied().unwrap_or_default();
                mapped(&|k, v| (k, small(v + largest.0)))
            }
            ZipWithIndex | ZipWithUniqueId | Sample(_) | SampleTwice(_) => return None,
        })
    }
}
