//! `queue_stream` in all its forms: what each batch takes.

use headwater::prelude::*;
use headwater::testkit::streaming_context;
use std::sync::mpsc::channel;

/// What three batches take from a queue that holds `[1], [2, 3]` at the start and gets `[4]` behind the second batch.
fn batches(queue: impl FnOnce(&RddContext) -> RddQueue<i32>) -> Vec<(usize, Vec<i32>)> {
    let (ssc, clock) = streaming_context();
    let queue = queue(ssc.context());
    let rdd = |records| ssc.context().parallelize(records, 1);
    let late = rdd(vec![4]);
    [vec![1], vec![2, 3]].map(rdd).into_iter().for_each(|rdd| queue.push(rdd).unwrap());
    let (sent, received) = channel();
    ssc.queue_stream(&queue).foreach_rdd(move |rdd, _| {
        sent.send((rdd.num_partitions(), rdd.collect().unwrap())).unwrap();
    });
    let running = ssc.start().unwrap();
    for batch in 1..=4 {
        clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
        if batch == 2 {
            queue.push(late.clone()).unwrap();
        }
    }
    running.stop().unwrap();
    received.try_iter().collect()
}

#[test]
fn each_form_takes_what_it_says() {
    let one = |context: &RddContext| RddQueue::new().default_rdd(context.parallelize(vec![0], 3));
    let all = |context: &RddContext| one(context).all_at_once();
    let cases = [
        ("one at a time", batches(|_| RddQueue::new()), vec![(1, vec![1]), (1, vec![2, 3]), (1, vec![4]), (1, vec![])]),
        (
            "all at once",
            batches(|_| RddQueue::new().all_at_once()),
            vec![(2, vec![1, 2, 3]), (1, vec![]), (1, vec![4]), (1, vec![])],
        ),
        (
            "one at a time, with a default",
            batches(one),
            vec![(1, vec![1]), (1, vec![2, 3]), (1, vec![4]), (3, vec![0])],
        ),
        (
            "all at once, with a default",
            batches(all),
            vec![(2, vec![1, 2, 3]), (3, vec![0]), (1, vec![4]), (3, vec![0])],
        ),
        (
            "with a default of no partition, which is Spark's null",
            batches(|context| RddQueue::new().default_rdd(context.empty_rdd())),
            vec![(1, vec![1]), (1, vec![2, 3]), (1, vec![4]), (0, vec![])],
        ),
    ];
    for (form, got, expected) in cases {
        assert_eq!(got, expected, "{form}");
    }
}

#[test]
fn streams_over_one_queue_share_what_is_in_it() {
    let (ssc, clock) = streaming_context();
    let queue = RddQueue::new();
    for n in 0..4 {
        queue.push(ssc.context().parallelize(vec![n], 1)).unwrap();
    }
    let (first, second) = (ssc.queue_stream(&queue), ssc.queue_stream(&queue));
    let (sent, received) = channel();
    first.union(&second).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    clock.advance(seconds(2));
    running.await_batches(2).unwrap();
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [[0, 1], [2, 3]]);
}

#[test]
fn a_full_queue_refuses_and_takes_again() {
    let (ssc, clock) = streaming_context();
    let queue = RddQueue::new();
    let rdd = ssc.context().parallelize(vec![1], 1);
    while queue.push(rdd.clone()).is_ok() {}
    let error = queue.push(rdd.clone()).unwrap_err();
    assert_eq!(error.kind(), headwater::ErrorKind::Resources);
    assert_eq!(error.to_string(), "the RDD queue is full: 10000 wait for a batch");
    ssc.queue_stream(&queue).foreach_rdd(|_, _| ());
    let running = ssc.start().unwrap();
    clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    queue.push(rdd).unwrap();
}
