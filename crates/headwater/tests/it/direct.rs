//! `direct_stream` and `rate_stream`: which records a batch has, in which process and at which try whatever.

mod engines;
mod gone;
mod properties;
mod rate;
mod restored;

use headwater::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
use headwater::prelude::*;
use headwater::testkit::{MemorySource, TestEnv};
use headwater::{Data, Result, StreamingContextState, TaskContext};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// A source that notes what is read of it, and on which thread.
#[derive(Clone)]
struct Noted {
    source: MemorySource<u64>,
    reads: Arc<Mutex<Vec<(OffsetRange, String)>>>,
}
impl Noted {
    fn new(partitions: usize) -> Noted {
        Noted { source: MemorySource::new("numbers", partitions), reads: Arc::default() }
    }
    fn ranges_read(&self) -> Vec<String> {
        self.reads.lock().unwrap().iter().map(|(range, _)| range.to_string()).collect()
    }
}
impl DirectSource for Noted {
    type Record = u64;
    fn name(&self) -> String {
        self.source.name()
    }
    fn available(&self, batch: &BatchRequest) -> Result<Vec<PartitionOffsets>> {
        self.source.available(batch)
    }
    fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<u64>>> {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        self.reads.lock().unwrap().push((*range, thread));
        self.source.read(range)
    }
}

/// What each batch has.
fn batches_of<T: Data>(stream: &DStream<T>) -> Receiver<Vec<T>> {
    let (sent, received) = channel();
    stream.foreach_rdd(move |rdd, _| -> Result<()> {
        sent.send(rdd.collect()?).unwrap();
        Ok(())
    });
    received
}
/// What each batch has, partition by partition.
fn partitions_of(stream: &DStream<u64>) -> Receiver<Vec<Vec<u64>>> {
    batches_of(&stream.glom())
}

fn context(conf: Conf) -> (StreamingContext, TestEnv) {
    let env = TestEnv::new();
    (StreamingContext::with_env(conf.master("local[2]"), seconds(1), env.env()).unwrap(), env)
}

#[test]
fn a_task_that_is_tried_again_and_a_second_job_read_the_same_range() {
    let (ssc, env) = context(Conf::new());
    let numbers = Noted::new(1);
    numbers.source.append(0, 0..3).unwrap();
    let more = numbers.source.clone();
    let stream = ssc.direct_stream(numbers.clone()).map(move |n| {
        // The source goes on while the batch runs.
        more.append(0, [100 + n]).unwrap();
        assert!(n != 2 || TaskContext::get().unwrap().attempt_number() > 1, "the first two tries fail");
        n
    });
    let (first, second) = (partitions_of(&stream), partitions_of(&stream));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    running.await_batches(1).unwrap();
    assert_eq!([first.recv().unwrap(), second.recv().unwrap()], [[[0, 1, 2]], [[0, 1, 2]]]);
    // Three tries for each output.
    assert_eq!(numbers.ranges_read(), ["partition 0, offsets 0..3"; 6]);
}

#[test]
fn batches_without_records_run_their_outputs_and_read_nothing() {
    let (ssc, env) = context(Conf::new());
    let numbers = Noted::new(0);
    let received = partitions_of(&ssc.direct_stream(numbers.clone()));
    let running = ssc.start().unwrap();
    let batch = || {
        env.clock.advance(seconds(1));
        received.recv().unwrap()
    };
    assert_eq!(batch(), Vec::<Vec<u64>>::new());
    numbers.source.add_partition();
    assert_eq!(batch(), [vec![]]);
    numbers.source.append(0, [7]).unwrap();
    numbers.source.add_partition();
    assert_eq!(batch(), [vec![7], vec![]]);
    assert_eq!(batch(), [vec![], vec![]]);
    assert_eq!(numbers.ranges_read(), ["partition 0, offsets 0..1"]);
    running.stop().unwrap();
}

#[test]
fn a_partition_that_appears_is_read_from_its_oldest_record() {
    struct FromTheEnd(MemorySource<u64>);
    impl DirectSource for FromTheEnd {
        type Record = u64;
        fn name(&self) -> String {
            self.0.name()
        }
        fn available(&self, batch: &BatchRequest) -> Result<Vec<PartitionOffsets>> {
            self.0.available(batch)
        }
        fn begin(&self, held: &PartitionOffsets) -> Result<u64> {
            Ok(held.end)
        }
        fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<u64>>> {
            self.0.read(range)
        }
    }
    let (ssc, env) = context(Conf::new());
    let numbers = MemorySource::new("numbers", 1);
    numbers.append(0, [1, 2]).unwrap();
    let received = partitions_of(&ssc.direct_stream(FromTheEnd(numbers.clone())));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(1));
    assert_eq!(received.recv().unwrap(), [[]]);
    numbers.append(0, [3]).unwrap();
    let appeared = numbers.add_partition();
    numbers.append(appeared, [10, 11]).unwrap();
    env.clock.advance(seconds(1));
    assert_eq!(received.recv().unwrap(), [vec![3], vec![10, 11]]);
    running.stop().unwrap();
}

#[test]
fn a_limit_holds_from_the_first_batch_on_and_listeners_hear_of_the_rest() {
    let (ssc, env) = context(Conf::new().max_rate_per_partition(3));
    let numbers = MemorySource::new("numbers", 2);
    numbers.append(0, 0..7).unwrap();
    numbers.append(1, [50]).unwrap();
    let received = partitions_of(&ssc.direct_stream(numbers));
    let (sent, told) = channel();
    ssc.add_streaming_listener(move |event: &StreamingEvent| {
        if let StreamingEvent::BatchSubmitted(batch) = event {
            let input = batch.stream_id_to_input_info.values().next().unwrap();
            let description = input.metadata_description().unwrap().to_owned();
            sent.send((input.num_records, input.lag, description)).unwrap();
        }
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(4));
    running.await_batches(4).unwrap();
    running.stop_gracefully().unwrap();
    let expected = [[vec![0, 1, 2], vec![50]], [vec![3, 4, 5], vec![]], [vec![6], vec![]], [vec![], vec![]]];
    assert_eq!(received.try_iter().collect::<Vec<_>>(), expected);
    let expected = [
        (4, Some(4), "partition 0, offsets 0..3\npartition 1, offsets 0..1"),
        (3, Some(1), "partition 0, offsets 3..6"),
        (1, Some(0), "partition 0, offsets 6..7"),
        (0, Some(0), ""),
    ];
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told.iter().map(|(n, lag, text)| (*n, *lag, text.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn a_graceful_stop_leaves_in_the_source_what_no_batch_has() {
    let (ssc, env) = context(Conf::new().max_rate_per_partition(1));
    let numbers = MemorySource::new("numbers", 1);
    numbers.append(0, 0..1000).unwrap();
    let received = partitions_of(&ssc.direct_stream(numbers));
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(2));
    running.await_batches(2).unwrap();
    running.stop_gracefully().unwrap();
    assert_eq!(running.state(), StreamingContextState::Stopped);
    assert_eq!(received.try_iter().collect::<Vec<_>>(), [[[0]], [[1]]]);
}
