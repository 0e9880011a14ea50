//! The same batches on workers that share no memory with the driver: they read the source themselves.

use super::{Noted, batches_of, context};
use headwater::Result;
use headwater::prelude::*;
use headwater::testkit::isolated;
use std::sync::LazyLock;

/// Outside of all processes.
static NUMBERS: LazyLock<Noted> = LazyLock::new(|| {
    let numbers = Noted::new(3);
    (0..3).for_each(|partition| numbers.source.append(partition, (0..3000).map(|n| n * 3)).unwrap());
    numbers
});

#[test]
fn workers_read_the_ranges_that_the_driver_fixed() {
    let program = |ssc: &StreamingContext| {
        let numbers = ssc.direct_stream(NUMBERS.clone());
        let by_remainder =
            numbers.map(|n| (n % 7, n)).reduce_by_key(|a, b| a + b).map(|(key, sum)| key * 100_000_000 + sum);
        (numbers.glom(), by_remainder)
    };
    let run = |ssc: StreamingContext, advance: &dyn Fn(), streams: (DStream<Vec<u64>>, DStream<u64>)| {
        let (numbers, sums) = (batches_of(&streams.0), batches_of(&streams.1));
        let running = ssc.start().unwrap();
        (1..=2).for_each(|batch| {
            advance();
            running.await_batches(batch).unwrap();
        });
        running.stop().unwrap();
        let sums = sums.try_iter().map(|mut sums| {
            sums.sort();
            sums
        });
        (numbers.try_iter().collect::<Vec<_>>(), sums.collect::<Vec<_>>())
    };
    let (ssc, env) = context(Conf::new());
    let streams = program(&ssc);
    let local = run(ssc, &|| env.clock.advance(seconds(1)), streams);
    assert_eq!(local.0[0].iter().map(Vec::len).collect::<Vec<_>>(), [3000; 3]);
    let before = NUMBERS.ranges_read().len();
    let (ssc, clock, streams) = isolated(program);
    assert_eq!(run(ssc, &|| clock.advance(seconds(1)), streams), local);
    let reads = NUMBERS.reads.lock().unwrap();
    assert!(reads.len() > before);
    for (range, thread) in &reads[before..] {
        assert_eq!((range.from, range.until), (0, 3000));
        assert!(thread.starts_with("worker-"), "{range} was read on {thread}");
    }
}

#[test]
fn an_error_of_a_workers_read_names_operator_and_range() {
    let (ssc, clock, stream) = isolated(|ssc| {
        // Each process has one of its own: the driver's has records, those of the workers have none.
        let source = headwater::testkit::MemorySource::new("private", 1);
        if !std::thread::current().name().unwrap_or_default().starts_with("worker-") {
            source.append(0, [1]).unwrap();
        }
        ssc.direct_stream(source).uid("private stream")
    });
    stream.foreach_rdd(|rdd: Rdd<u64>, _| -> Result<()> { rdd.count().map(drop) });
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    let error = running.await_termination().unwrap_err().to_string();
    for part in [
        "direct_stream at crates/headwater/tests/it/direct/engines.rs:",
        "(operator private stream) cannot read partition 0, offsets 0..1",
        "partition 0, offsets 0..1 of private are not there: the partition holds 0..0",
        "failed 4 times",
    ] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}
