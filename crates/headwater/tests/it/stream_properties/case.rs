//! A random input and what runs on it: the batches, their partitions, and the threads or workers.

use headwater::testkit::{Check, CheckOnBothEngines, IsolatedProgram};
use headwater::{DStream, Data};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// As many cases as `PROPTEST_CASES` asks for; else `few`.
pub(crate) fn cases(few: u32) -> ProptestConfig {
    /// What proptest takes without it.
    const UNASKED: u32 = 256;
    let asked = ProptestConfig::default();
    ProptestConfig { cases: if asked.cases == UNASKED { few } else { asked.cases }, ..asked }
}

pub(super) type Pair = (String, i32);

/// The input of a run, and where it runs.
#[derive(Clone, Debug)]
pub(super) struct Case<T> {
    /// `None` is a batch without an RDD.
    pub(super) batches: Vec<Option<Vec<T>>>,
    pub(super) partitions: usize,
    pub(super) threads: usize,
}

/// Few keys, one of them in about every second record; empty ones, and any text.
pub(super) fn key() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        5 => Just("hot".to_string()),
        3 => "[a-d]",
        1 => Just(String::new()),
        1 => vec(any::<char>(), 0..4).prop_map(|chars| chars.into_iter().collect()),
    ]
}
pub(super) fn pair() -> impl Strategy<Value = Pair> + Clone {
    (key(), 0..20)
}
pub(super) fn numbers() -> std::ops::Range<i32> {
    0..30
}
pub(super) fn partitions() -> impl Strategy<Value = usize> {
    1..=7usize
}

/// Random records in random batches: some without an RDD, some empty, some of more than one chunk.
pub(super) fn case<T: Clone + Debug>(record: impl Strategy<Value = T> + Clone) -> impl Strategy<Value = Case<T>> {
    let repeated = |records: Vec<T>| Some(records.into_iter().cycle().take(1500).collect());
    let batch = prop_oneof![
        2 => Just(None),
        2 => Just(Some(vec![])),
        15 => vec(record.clone(), 0..40).prop_map(Some),
        1 => vec(record, 1..40).prop_map(repeated),
    ];
    let run = (vec(batch, 1..5), partitions(), 1..=4usize);
    run.prop_map(|(batches, partitions, threads)| Case { batches, partitions, threads })
}

impl<T: Data> Case<T> {
    /// The settings of the run.
    pub(super) fn check(&self) -> CheckOnBothEngines {
        Check::new().input_partitions(self.partitions).threads(self.threads).on_both_engines()
    }
    /// The records of each partition of a batch.
    pub(super) fn cut<'a>(&self, batch: &'a [T]) -> Vec<&'a [T]> {
        let at = |n| n * batch.len() / self.partitions;
        (0..self.partitions).map(|n| &batch[at(n)..at(n + 1)]).collect()
    }

    /// What `program` makes of each batch is what `model` makes of it, record by record.
    #[track_caller]
    pub(super) fn in_order<U: Data + PartialEq + Debug>(
        &self,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
        model: impl Fn(&[T]) -> Vec<U>,
    ) {
        self.compare(program, model, |_| ());
    }
    /// The same for a program that does not define the order of its records.
    #[track_caller]
    pub(super) fn in_any_order<U: Data + Ord + Debug>(
        &self,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
        model: impl Fn(&[T]) -> Vec<U>,
    ) {
        self.compare(program, model, |batch| batch.sort());
    }
    #[track_caller]
    fn compare<U: Data + PartialEq + Debug>(
        &self,
        program: impl Fn(DStream<T>) -> DStream<U> + IsolatedProgram,
        model: impl Fn(&[T]) -> Vec<U>,
        arrange: impl Fn(&mut Vec<U>),
    ) {
        let arranged = |batches: Vec<Option<Vec<U>>>| -> Vec<_> {
            let one = |mut batch: Vec<U>| {
                arrange(&mut batch);
                batch
            };
            batches.into_iter().map(|batch| batch.map(one)).collect()
        };
        let expected: Vec<_> = self.batches.iter().map(|batch| batch.as_deref().map(&model)).collect();
        let expected = arranged(expected);
        for (engine, got) in ["local", "isolated"].into_iter().zip(self.check().outputs(self.batches.clone(), program))
        {
            let got = got.unwrap_or_else(|error| panic!("the program failed on the {engine} engine: {error}"));
            assert_eq!(arranged(got), expected, "on the {engine} engine");
        }
    }
}

/// The values of each key, in the order of their arrival.
pub(super) fn grouped<'a, K: Ord + Clone + 'a, V: Clone + 'a>(
    pairs: impl IntoIterator<Item = &'a (K, V)>,
) -> BTreeMap<K, Vec<V>> {
    let mut groups = BTreeMap::<K, Vec<V>>::new();
    pairs.into_iter().for_each(|(key, value)| groups.entry(key.clone()).or_default().push(value.clone()));
    groups
}
/// `of` of the values of each key.
pub(super) fn each_key<V>(batch: &[Pair], of: impl Fn(&[i32]) -> V) -> Vec<(String, V)> {
    grouped(batch).into_iter().map(|(key, values)| (key, of(&values))).collect()
}
