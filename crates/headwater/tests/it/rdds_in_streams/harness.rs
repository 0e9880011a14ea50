//! What the tables have in common: two inputs, the shapes that they come in, and the reference, which is the same
//! operation on a dataset without a stream.

use headwater::Partitioner;
use headwater::prelude::*;
use headwater::testkit::{self, IsolatedProgram, isolated, streaming_context, test_input};
use std::fmt::Debug;

pub(super) type Pair = (u32, u32);
/// The records of each partition.
pub(super) type Parts = Vec<Vec<Pair>>;

/// How many batches there are: one with much on both sides, those with nothing on one of them, and one with little.
pub(super) const BATCHES: u64 = 4;

/// The left input of each batch. Key 3 has about half of the records.
pub(super) fn left() -> Vec<Vec<Pair>> {
    let records = |count: u32| (0..count).map(|n| (if n % 2 == 0 { 3 } else { n * 7 % 11 }, n * 5 % 17)).collect();
    [40, 0, 9, 2].map(records).to_vec()
}
pub(super) fn right() -> Vec<Vec<Pair>> {
    let records = |count: u32| (0..count).map(|n| (n * 5 % 13, n * 3 % 7)).collect();
    [25, 6, 0, 3].map(records).to_vec()
}

/// What has been done to an input before the operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Plain,
    Shuffled,
    Placed,
    PlacedByParity,
    Sorted,
    Kept,
    Cut,
}
impl Shape {
    pub(super) const ALL: [Shape; 7] =
        [Shape::Plain, Shape::Shuffled, Shape::Placed, Shape::PlacedByParity, Shape::Sorted, Shape::Kept, Shape::Cut];
    pub(super) fn of(self, rdd: &Rdd<Pair>) -> Rdd<Pair> {
        match self {
            Shape::Plain => rdd.clone(),
            Shape::Shuffled => rdd.repartition(2),
            Shape::Placed => rdd.partition_by(rdd.context().hash_partitioner(3)),
            Shape::PlacedByParity => rdd.partition_by(Parity),
            Shape::Sorted => rdd.sort_by_key(true).with_partitions(3),
            Shape::Kept => rdd.repartition(3).persist(StorageLevel::MEMORY_AND_DISK_SER),
            Shape::Cut => rdd.repartition(3).checkpoint(),
        }
    }
}

/// A partitioner of one's own.
#[derive(PartialEq, Clone, Copy)]
pub(super) struct Parity;
impl Partitioner<u32> for Parity {
    fn num_partitions(&self) -> usize {
        2
    }
    fn partition(&self, key: &u32) -> usize {
        (key % 2) as usize
    }
}

/// Both inputs of each batch, as the local engine makes them without a stream.
pub(super) fn references(shape: Shape) -> Vec<(Rdd<Pair>, Rdd<Pair>)> {
    let context = testkit::context();
    let made = |records: Vec<Pair>| shape.of(&context.parallelize(records, 3));
    left().into_iter().map(made).zip(right().into_iter().map(made)).collect()
}

/// Builds a program over both inputs, in their shape, adds outputs on the driver, runs the batches on each engine, and looks
/// at what there is while the context still runs.
pub(super) fn on_both_engines<B: 'static, R>(
    name: &str,
    shape: Shape,
    build: impl Fn(DStream<Pair>, DStream<Pair>) -> B + IsolatedProgram,
    outputs: impl Fn(&B),
    after: impl Fn(B) -> R,
) -> [(&'static str, R); 2] {
    let program = move |ssc: &StreamingContext| {
        ssc.remember(minutes(1));
        let input = |records: Vec<Vec<Pair>>| test_input(ssc, records.into_iter().map(Some).collect(), 3);
        let [left, right] = [left(), right()].map(|records| input(records).transform(move |rdd, _| shape.of(&rdd)));
        build(left, right)
    };
    let local = || {
        let (ssc, clock) = streaming_context();
        let built = program(&ssc);
        (ssc, clock, built)
    };
    let run = |engine, (ssc, clock, built): (StreamingContext, std::sync::Arc<headwater::env::ManualClock>, B)| {
        outputs(&built);
        let running = ssc.start().unwrap();
        for batch in 1..=BATCHES {
            clock.advance(seconds(1));
            let ended = running.await_batches(batch);
            ended.unwrap_or_else(|error| panic!("{name} ({shape:?}) on the {engine} engine: {error}"));
        }
        after(built)
    };
    [("local", local()), ("isolated", isolated(program))].map(|(engine, context)| (engine, run(engine, context)))
}

/// The RDDs that the stream remembers, one for each batch.
pub(super) fn batches<T: headwater::Record>(stream: &DStream<T>) -> Vec<Rdd<T>> {
    let all = stream.slice(Time::from_millis(1000), Time::from_millis(1000 * BATCHES as i64)).unwrap();
    assert_eq!(all.len(), BATCHES as usize);
    all
}

/// Each record as its text.
pub(super) fn shown<T: headwater::Record + Debug>(rdd: Rdd<T>) -> Rdd<String> {
    rdd.map(|record| format!("{record:?}"))
}
pub(super) fn texts<T: Debug>(records: impl IntoIterator<Item = T>) -> Vec<String> {
    records.into_iter().map(|record| format!("{record:?}")).collect()
}
