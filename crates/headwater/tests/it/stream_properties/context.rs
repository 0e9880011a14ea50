//! What is made of several streams by their context, and what the driver sees when it looks back.

use super::case::{numbers, partitions};
use headwater::prelude::*;
use headwater::testkit::{IsolatedProgram, isolated, streaming_context};
use proptest::collection::vec;
use proptest::prelude::*;

/// The batches of several streams, equally many of each.
fn streams() -> impl Strategy<Value = Vec<Vec<Vec<i32>>>> {
    (1..4usize, 1..5usize).prop_flat_map(|(streams, batches)| vec(vec(vec(numbers(), 0..12), batches), streams))
}

/// What each batch of `program` holds, on each engine; its input is queued, one dataset for each batch. Then `after`
/// looks at the stream.
fn outputs<R: std::fmt::Debug>(
    input: &[Vec<Vec<i32>>],
    partitions: usize,
    program: impl Fn(&StreamingContext, &[DStream<i32>]) -> DStream<i32> + IsolatedProgram,
    after: impl Fn(&DStream<i32>) -> R,
) -> [(Vec<Vec<i32>>, R); 2] {
    let streams = input.len();
    let build = move |ssc: &StreamingContext| {
        let queues: Vec<RddQueue<i32>> = (0..streams).map(|_| RddQueue::new()).collect();
        let inputs: Vec<_> = queues.iter().map(|queue| ssc.queue_stream(queue)).collect();
        ssc.remember(minutes(1));
        (queues, program(ssc, &inputs))
    };
    let local = || {
        let (ssc, clock) = streaming_context();
        let built = build(&ssc);
        (ssc, clock, built)
    };
    [local(), isolated(build)].map(|(ssc, clock, (queues, stream))| {
        for (queue, batches) in queues.iter().zip(input) {
            for batch in batches {
                queue.push(ssc.context().parallelize(batch.clone(), partitions)).unwrap();
            }
        }
        let (sent, received) = std::sync::mpsc::channel();
        stream.foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
        let running = ssc.start().unwrap();
        for batch in 1..=input[0].len() as u64 {
            clock.advance(seconds(1));
            running.await_batches(batch).unwrap();
        }
        let result = after(&stream);
        running.stop().unwrap();
        (received.try_iter().collect(), result)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn unions_and_transforms_of_many(input in streams(), n in partitions()) {
        let batches = 0..input[0].len();
        let union = batches.clone().map(|at| input.iter().flat_map(|stream| stream[at].clone()).collect::<Vec<_>>());
        let union: Vec<_> = union.collect();
        for (got, ()) in outputs(&input, n, |ssc, streams| ssc.union(streams), |_| ()) {
            prop_assert_eq!(&got, &union);
        }
        let reversed = |ssc: &StreamingContext, streams: &[DStream<i32>]| {
            ssc.transform(streams, |rdds, time| {
                let number = time.milliseconds() as i32 / 1000;
                rdds[0].context().union(rdds.iter().rev().map(|rdd| rdd.map(move |x| x + 100 * number)))
            })
        };
        let expected = batches.clone().map(|at| {
            let records = input.iter().rev().flat_map(|stream| stream[at].clone());
            records.map(|x| x + 100 * (at as i32 + 1)).collect::<Vec<_>>()
        });
        let expected: Vec<_> = expected.collect();
        for (got, ()) in outputs(&input, n, reversed, |_| ()) {
            prop_assert_eq!(&got, &expected);
        }
    }

    #[test]
    fn a_slice_is_the_batches_of_its_time(
        input in vec(vec(vec(numbers(), 0..12), 1..6), 1), n in partitions(), from in -1..7i64, to in -1..7i64
    ) {
        let (start, end) = (Time::from_millis(1000 * from), Time::from_millis(1000 * to));
        let look_back = |stream: &DStream<i32>| -> Vec<Vec<i32>> {
            stream.slice(start, end).unwrap().iter().map(|rdd| rdd.collect().unwrap()).collect()
        };
        let mapped = |_: &StreamingContext, streams: &[DStream<i32>]| streams[0].map(|x| x + 1);
        let shuffled = |_: &StreamingContext, streams: &[DStream<i32>]| streams[0].map(|x| x + 1).repartition(1);
        let all: Vec<Vec<i32>> = input[0].iter().map(|batch| batch.iter().map(|x| x + 1).collect()).collect();
        let expected: Vec<_> = all.iter().zip(1..).filter(|(_, at)| (from..=to).contains(at)).map(|(b, _)| b.clone()).collect();
        for (got, slice) in outputs(&input, n, mapped, look_back) {
            prop_assert_eq!((&got, slice), (&all, expected.clone()));
        }
        for (got, slice) in outputs(&input, 1, shuffled, look_back) {
            prop_assert_eq!((&got, slice), (&all, expected.clone()));
        }
    }
}
