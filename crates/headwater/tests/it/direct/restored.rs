//! A second process that is told the ranges of the first one's batches: a replay has the same records, and what comes
//! behind goes on behind them.

use headwater::direct::{DirectInput, DirectSource, RateSource};
use headwater::dstream::DStreamGraph;
use headwater::prelude::*;
use headwater::testkit::{self, MemorySource};
use headwater::{DStream, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What each batch had, partition by partition.
type Batches = BTreeMap<i64, Vec<Vec<u64>>>;

/// One process of an application, without threads and clock: the test asks for its batches.
struct Process {
    graph: Arc<DStreamGraph>,
    batches: Arc<Mutex<Batches>>,
}
impl Process {
    /// Begins with batches that an earlier process stored.
    fn new(source: impl DirectSource<Record = u64>, rate: Option<u64>, stored: &BTreeMap<i64, Vec<u8>>) -> Process {
        let graph = Arc::new(DStreamGraph::new(testkit::context(), seconds(1)));
        let input = Arc::new(DirectInput::new(source, "the input", seconds(1), rate));
        let stream = DStream::from_direct(&graph, "direct_stream", input);
        let batches = Arc::<Mutex<Batches>>::default();
        let sink = batches.clone();
        stream.foreach_rdd(move |rdd, time| -> Result<()> {
            sink.lock().unwrap().insert(time.milliseconds(), rdd.glom().collect()?);
            Ok(())
        });
        graph.start(Time::from_millis(0), |error| panic!("{error}")).unwrap();
        for (time, allocation) in stored {
            graph.inputs().next().unwrap().restore(Time::from_millis(*time), allocation).unwrap();
        }
        Process { graph, batches }
    }
    /// Runs a batch; what a journal keeps of it.
    fn run(&self, time: i64) -> Vec<u8> {
        let time = Time::from_millis(time);
        let jobs = self.graph.generate_jobs(time).unwrap();
        let allocation = self.graph.inputs().next().unwrap().allocation(time).unwrap();
        jobs.into_iter().for_each(|mut job| drop((job.run)().unwrap()));
        self.graph.clear_metadata(time);
        assert_eq!(self.graph.inputs().next().unwrap().allocation(time), None);
        allocation
    }
    fn batches(&self) -> Batches {
        self.batches.lock().unwrap().clone()
    }
}

#[test]
fn a_replay_has_the_same_records_and_the_next_batch_goes_on_behind_it() {
    let numbers = MemorySource::new("numbers", 2);
    numbers.append(0, 0..9).unwrap();
    numbers.append(1, [100]).unwrap();
    let first = Process::new(numbers.clone(), Some(2), &BTreeMap::new());
    let stored: BTreeMap<i64, Vec<u8>> = [1000, 2000, 3000].map(|time| (time, first.run(time))).into();
    // Meanwhile there is more, and it is still there.
    numbers.append(1, 101..105).unwrap();
    let appeared = numbers.add_partition();
    numbers.append(appeared, [200]).unwrap();
    // The newest two were not done.
    let unfinished: BTreeMap<_, _> = stored.clone().into_iter().filter(|(time, _)| *time > 1000).collect();
    let second = Process::new(numbers.clone(), Some(2), &unfinished);
    for (time, allocation) in &unfinished {
        assert_eq!(&second.run(*time), allocation);
        assert_eq!(second.batches()[time], first.batches()[time]);
    }
    second.run(4000);
    assert_eq!(second.batches()[&4000], [vec![6, 7], vec![101, 102], vec![200]]);
    // A second restart, which replays in another order.
    let third = Process::new(numbers, Some(2), &unfinished);
    for time in [3000, 2000] {
        assert_eq!(third.run(time), unfinished[&time]);
    }
    assert_eq!(third.batches()[&2000], first.batches()[&2000]);
}

#[test]
fn a_replay_of_what_is_gone_fails_and_gives_no_record() {
    let numbers = MemorySource::new("numbers", 1);
    numbers.append(0, 0..4).unwrap();
    let stored = [(1000, Process::new(numbers.clone(), None, &BTreeMap::new()).run(1000))].into();
    numbers.drop_before(0, 1).unwrap();
    let again = Process::new(numbers, None, &stored);
    let jobs = again.graph.generate_jobs(Time::from_millis(1000)).unwrap();
    let error = jobs.into_iter().next().map(|mut job| (job.run)().err().unwrap().to_string()).unwrap();
    assert!(error.contains("partition 0, offsets 0..4 of numbers are no longer retained"), "{error}");
    assert_eq!(again.batches(), Batches::new());
}

#[test]
fn a_rate_goes_on_with_its_numbers_and_has_those_of_the_time_between() {
    let rate = |partitions| RateSource::new(3, partitions, |n| n).unwrap();
    let first = Process::new(rate(2), None, &BTreeMap::new());
    let stored = [(1000, first.run(1000))].into();
    let second = Process::new(rate(2), None, &stored);
    assert_eq!(second.run(1000), stored[&1000]);
    assert_eq!(second.batches(), first.batches());
    second.run(3000);
    assert_eq!(second.batches()[&3000], [[4, 6, 8], [3, 5, 7]]);
    let other = Process::new(rate(3), None, &stored);
    let error = other.graph.generate_jobs(Time::from_millis(2000)).err().unwrap().to_string();
    assert!(error.contains("another number of partitions than 3"), "{error}");
}

#[test]
fn inputs_that_store_nothing_say_so() {
    let graph = Arc::new(DStreamGraph::new(testkit::context(), seconds(1)));
    struct Nothing;
    impl headwater::input::InputDStream for Nothing {}
    let stream = DStream::<u64>::from_input(&graph, "nothing", Arc::new(Nothing), |_| Ok(None));
    stream.print();
    graph.start(Time::from_millis(0), |error| panic!("{error}")).unwrap();
    let input = graph.inputs().next().unwrap();
    assert_eq!(input.allocation(Time::from_millis(1000)), None);
    let error = input.restore(Time::from_millis(1000), &[]).unwrap_err().to_string();
    assert!(error.contains("batch 1000 ms was stored that this program's input cannot read"), "{error}");
}
