//! However batches, limits, gaps and restarts of the driver cut it: each record comes once, and in the order of its
//! partition.

use headwater::direct::DirectInput;
use headwater::dstream::DStreamGraph;
use headwater::prelude::*;
use headwater::testkit::{self, MemorySource};
use headwater::{DStream, Result};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What happens to the source and to the application.
#[derive(Clone, Debug)]
enum Step {
    Append {
        partition: prop::sample::Index,
        records: u64,
    },
    Skip {
        partition: prop::sample::Index,
        offsets: u64,
    },
    AddPartition,
    Batch,
    /// Another process goes on, with the newest so many batches stored: it runs them again.
    Restart {
        stored: usize,
    },
    /// What was taken may go.
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 0u64..2500).prop_map(|(partition, records)| Step::Append { partition, records }),
        1 => (at(), 1u64..50).prop_map(|(partition, offsets)| Step::Skip { partition, offsets }),
        1 => Just(Step::AddPartition),
        4 => Just(Step::Batch),
        1 => (1usize..4).prop_map(|stored| Step::Restart { stored }),
        1 => Just(Step::Drop),
    ]
}

/// The records of each batch, by its time.
type Batches = Arc<Mutex<BTreeMap<i64, Vec<(u32, u64)>>>>;

fn process(source: &MemorySource<(u32, u64)>, rate: Option<u64>, batches: &Batches) -> Arc<DStreamGraph> {
    let graph = Arc::new(DStreamGraph::new(testkit::context(), milliseconds(700)));
    let input = Arc::new(DirectInput::new(source.clone(), "the input", milliseconds(700), rate));
    let sink = batches.clone();
    DStream::from_direct(&graph, "direct_stream", input).foreach_rdd(move |rdd, time| -> Result<()> {
        let records = rdd.collect()?;
        let before = sink.lock().unwrap().insert(time.milliseconds(), records.clone());
        assert!(before.is_none_or(|before| before == records), "batch {time} differs when it runs again");
        Ok(())
    });
    graph.start(Time::from_millis(0), |error| panic!("{error}")).unwrap();
    graph
}
fn run(graph: &DStreamGraph, time: i64) -> Vec<u8> {
    let jobs = graph.generate_jobs(Time::from_millis(time)).unwrap();
    let allocation = graph.inputs().next().unwrap().allocation(Time::from_millis(time)).unwrap();
    jobs.into_iter().for_each(|mut job| drop((job.run)().unwrap()));
    graph.clear_metadata(Time::from_millis(time));
    allocation
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn each_record_comes_once_and_in_order(
        partitions in 1usize..4,
        rate in prop_oneof![Just(None), (500u64..5000).prop_map(Some)],
        steps in vec(step(), 1..30),
    ) {
        let source = MemorySource::new("numbers", partitions);
        let (mut appended, batches) = (vec![Vec::new(); partitions], Batches::default());
        let (mut graph, mut stored, mut time) = (process(&source, rate, &batches), BTreeMap::new(), 0);
        let (mut ends, mut may_drop) = (vec![0; partitions], vec![0; partitions]);
        for step in steps {
            match step {
                Step::Append { partition, records } => {
                    let at = partition.index(appended.len());
                    let next = appended[at].len() as u64;
                    let more: Vec<(u32, u64)> = (next..next + records).map(|number| (at as u32, number)).collect();
                    source.append(at as u32, more.clone()).unwrap();
                    appended[at].extend(more);
                    ends[at] += records;
                }
                Step::Skip { partition, offsets } => {
                    let at = partition.index(appended.len());
                    ends[at] += offsets;
                    source.skip_to(at as u32, ends[at]).unwrap();
                }
                Step::AddPartition => {
                    source.add_partition();
                    appended.push(Vec::new());
                    ends.push(0);
                    may_drop.push(0);
                }
                Step::Batch => {
                    time += 700;
                    stored.insert(time, run(&graph, time));
                }
                Step::Restart { stored: newest } => {
                    while stored.len() > newest {
                        stored.pop_first();
                    }
                    graph = process(&source, rate, &batches);
                    let input = graph.inputs().next().unwrap();
                    stored.iter().for_each(|(time, bytes)| input.restore(Time::from_millis(*time), bytes).unwrap());
                    stored.iter().for_each(|(time, bytes)| assert_eq!(&run(&graph, *time), bytes));
                }
                Step::Drop => {
                    // Batches that may run again keep theirs.
                    stored.retain(|newest, _| *newest == time);
                    for range in stored.values().flat_map(|bytes| ranges(bytes)) {
                        may_drop[range.partition as usize] = range.from;
                    }
                    (0..).zip(&may_drop).for_each(|(partition, offset)| source.drop_before(partition, *offset).unwrap());
                }
            }
        }
        // All that is left, a limited batch at a time.
        while batches.lock().unwrap().values().map(Vec::len).sum::<usize>() < appended.iter().map(Vec::len).sum() {
            time += 700;
            run(&graph, time);
            prop_assert!(time < 700 * 1000, "records are missing");
        }
        let came = batches.lock().unwrap().values().flatten().copied().collect::<Vec<_>>();
        for (partition, records) in (0..).zip(&appended) {
            let of_partition: Vec<(u32, u64)> = came.iter().copied().filter(|(of, _)| *of == partition).collect();
            prop_assert_eq!(&of_partition, records);
        }
    }
}

/// The ranges in an allocation: behind version and count, one after the other.
fn ranges(allocation: &[u8]) -> Vec<headwater::direct::OffsetRange> {
    let ranges = allocation[5..].chunks_exact(21);
    ranges.map(|bytes| headwater::direct::OffsetRange::from_bytes(bytes).unwrap()).collect()
}
