//! Tasks that fail, in the middle of a pipeline.

use super::random::{input, pipeline};
use super::step::Pair;
use headwater::prelude::*;
use headwater::testkit::{Check, IsolatedProgram, isolated, streaming_context, test_input};
use headwater::{LongAccumulator, TaskContext};
use proptest::array::uniform32;
use proptest::option;
use proptest::prelude::*;

/// How often the engines try a task.
const TRIES: usize = 4;

/// Whether a record of the partition makes the task fail: in about half of the partitions, at one of the first.
fn is_bad((key, value): &Pair) -> bool {
    (key + value).is_multiple_of(3)
}
/// The same records; a task with a bad one fails as often.
fn failing(stream: &DStream<Pair>, failures: usize) -> DStream<Pair> {
    stream.map(move |pair| {
        let attempt = TaskContext::get().unwrap().attempt_number();
        assert!(attempt >= failures || !is_bad(&pair), "attempt {attempt} fails");
        pair
    })
}

/// An operator whose closure cannot do with any record, and its name.
type Broken = (&'static str, fn(&DStream<Pair>) -> DStream<Pair>);
const NO_RECORD: &str = "no such record";
fn panics<R>() -> R {
    panic!("{NO_RECORD}")
}
const BROKEN: [Broken; 14] = [
    ("map", |s| s.map(|_| panics())),
    ("flat_map", |s| s.flat_map(|_| -> [Pair; 1] { panics() })),
    ("filter", |s| s.filter(|_| panics())),
    ("map_partitions", |s| s.map_partitions(|pairs| pairs.map(|_| panics()))),
    ("map_values", |s| s.map_values(|_| panics())),
    ("flat_map_values", |s| s.flat_map_values(|_| -> [u32; 1] { panics() })),
    ("combine_by_key", |s| s.combine_by_key(|_| panics(), |a: u32, _| a, |a, _| a)),
    ("try_map", |s| s.try_map(|_| Err(NO_RECORD))),
    ("try_filter", |s| s.try_filter(|_| Err(NO_RECORD))),
    ("try_flat_map", |s| s.try_flat_map(|_| Err::<[Pair; 1], _>(NO_RECORD))),
    ("try_map_values", |s| s.try_map_values(|_| Err(NO_RECORD))),
    ("key_by", |s| s.transform(|rdd, _| rdd.key_by(|_| -> u32 { panics() }).values())),
    ("sort_by", |s| s.transform(|rdd, _| rdd.sort_by(|_| -> u32 { panics() }, true).with_partitions(2))),
    ("aggregate_by_key", |s| s.transform(|rdd, _| rdd.aggregate_by_key(0, |_, _| panics(), |a: u32, _| a))),
];

/// A batch that a program can capture.
type Batch = [Option<Pair>; 32];
fn batch() -> impl Strategy<Value = Batch> {
    uniform32(option::weighted(0.9, (0..12u32, 0..90u32)))
}

/// What the one batch of a program holds, and what its accumulators add up to, on each engine.
fn counted(
    batch: Batch,
    program: impl Fn(DStream<Pair>, LongAccumulator) -> DStream<Pair> + IsolatedProgram,
) -> [(Vec<Pair>, i64); 2] {
    let build = move |ssc: &StreamingContext| {
        let seen = ssc.context().long_accumulator("seen");
        let records = batch.into_iter().flatten().collect();
        (program(test_input(ssc, vec![Some(records)], 4), seen.clone()), seen)
    };
    let local = || {
        let (ssc, clock) = streaming_context();
        let built = build(&ssc);
        (ssc, clock, built)
    };
    [local(), isolated(build)].map(|(ssc, clock, (stream, seen))| {
        let (sent, received) = std::sync::mpsc::channel();
        stream.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let running = ssc.start().unwrap();
        clock.advance(seconds(1));
        running.await_batches(1).unwrap();
        (received.recv().unwrap(), seen.value())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_task_that_fails_at_first_changes_nothing(
        before in pipeline(0..=3), after in pipeline(0..=3), input in input(), partitions in 1..4usize, failures in 1..TRIES
    ) {
        let program = |failures| move |stream: DStream<Pair>| after.of(&failing(&before.of(&stream), failures)).glom();
        let check = Check::new().input_partitions(partitions);
        let batches: Vec<_> = input.iter().cloned().map(Some).collect();
        let expected = check.output(batches.clone(), program(0)).unwrap();
        for got in check.threads(3).on_both_engines().outputs(batches, program(failures)) {
            prop_assert_eq!(got.unwrap(), expected.clone());
        }
    }

    /// What is persisted is kept by each process for itself, and so computed, and counted, by more than one.
    #[test]
    fn a_task_that_fails_at_first_counts_once(
        before in pipeline(0..=2), after in pipeline(0..=3), batch in batch(), failures in 1..TRIES
    ) {
        prop_assume!(!before.persists() && !after.persists());
        let program = |failures| move |stream: DStream<Pair>, seen: LongAccumulator| {
            let counted = before.of(&stream).map(move |pair| { seen.add(1); pair });
            after.of(&failing(&counted, failures))
        };
        let [expected, isolated] = counted(batch, program(0));
        prop_assert_eq!(&expected, &isolated);
        for got in counted(batch, program(failures)) {
            prop_assert_eq!(&got, &expected);
        }
    }

    #[test]
    fn a_task_that_always_fails_names_its_operator(
        before in pipeline(0..=2), after in pipeline(0..=2), broken in 0..BROKEN.len(), input in input(), partitions in 1..4usize
    ) {
        let (operator, broken) = BROKEN[broken];
        let check = Check::new().input_partitions(partitions);
        let batches: Vec<_> = input.into_iter().map(Some).collect();
        let reached = check.output(batches.clone(), move |stream: DStream<Pair>| before.of(&stream)).unwrap();
        let first = reached.iter().position(|batch| batch.as_ref().is_some_and(|records| !records.is_empty()));
        let program = move |stream: DStream<Pair>| after.of(&broken(&before.of(&stream)));
        for got in check.on_both_engines().outputs(batches, program) {
            let Some(first) = first else {
                prop_assert!(got.is_ok(), "there is no record to fail on: {got:?}");
                continue;
            };
            let error = got.unwrap_err().to_string();
            let batch = format!("batch {} ms, output operation 0", 1000 * (first + 1));
            for part in [&batch, "failed 4 times", &format!("{operator} at {}:", file!()), NO_RECORD] {
                prop_assert!(error.contains(part), "{part} is not in: {error}");
            }
        }
    }
}
