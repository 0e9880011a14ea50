//! [`Process`]: what a durable context does with its input, without its threads; and what its journal has.

use crate::conf::Conf;
use crate::context::StreamingContext;
use crate::testkit::TestEnv;
use headwater_core::dstream::{DStream, DStreamGraph};
use headwater_core::env::{Clock, Env, Network, Storage};
use headwater_core::input::{InputDStream, InputFolder, InputHost};
use headwater_core::listener::{StreamId, StreamingEvent};
use headwater_core::receiver::WriteAheadLog;
use headwater_core::time::Time;
use headwater_core::{Data, Error, Result};
use headwater_storage::SegmentedWriteAheadLog;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BATCH: Duration = Duration::from_secs(1);
/// So that a short run has several.
pub(super) const SEGMENT_BYTES: u64 = 150;

/// What a durable context remembers, and what its outputs have written, by batch.
pub(super) struct Journal<T> {
    pub(super) allocations: BTreeMap<Time, Vec<u8>>,
    /// Batches up to this one are done.
    pub(super) done: Option<Time>,
    pub(super) epoch: u64,
    pub(super) written: Arc<Mutex<BTreeMap<Time, Vec<T>>>>,
}
impl<T> Default for Journal<T> {
    fn default() -> Self {
        Journal { allocations: BTreeMap::new(), done: None, epoch: 0, written: Arc::default() }
    }
}
impl<T: Clone> Journal<T> {
    /// The records that outputs have written, in the order of batches.
    pub(super) fn records(&self) -> Vec<T> {
        self.written.lock().unwrap().values().flatten().cloned().collect()
    }
    fn newest(&self) -> Option<Time> {
        self.allocations.last_key_value().map(|(time, _)| *time)
    }
    /// Forgets the batches that are done, but for the newest: it says what no batch has.
    fn forget(&mut self) {
        let (newest, done) = (self.newest(), self.done);
        self.allocations.retain(|time, _| Some(*time) > done || Some(*time) == newest);
    }
}

#[derive(Default)]
struct Host(Mutex<Vec<String>>, Option<Arc<dyn Clock>>);
impl InputHost for Host {
    fn post(&self, _event: StreamingEvent) {}
    fn report_error(&self, error: Error) {
        self.0.lock().unwrap().push(error.to_string());
        self.1.iter().for_each(|clock| clock.notify());
    }
    fn claim_thread(&self) {}
}

/// A started program of one input, whose output writes what it gets.
pub(super) struct Process {
    pub(super) env: TestEnv,
    graph: Arc<DStreamGraph>,
    host: Arc<Host>,
}

impl Process {
    /// The next process of the application, on this disk: tells the input what the journal has, and starts it. Segments
    /// are small.
    pub(super) fn start<T: Data>(
        storage: &(impl Storage + Clone + 'static),
        network: &Arc<dyn Network>,
        journal: &mut Journal<T>,
        program: impl Fn(&StreamingContext) -> DStream<T>,
    ) -> Result<Process> {
        let small = |folder: InputFolder| {
            let log = SegmentedWriteAheadLog::new(folder.storage, &folder.path, folder.epoch);
            Ok(Arc::new(log.segment_bytes(SEGMENT_BYTES)) as Arc<dyn WriteAheadLog>)
        };
        Process::start_with(Conf::new(), storage, network, journal, |ssc| {
            ssc.write_ahead_log(small);
            program(ssc)
        })
    }
    pub(super) fn start_with<T: Data>(
        conf: Conf,
        storage: &(impl Storage + Clone + 'static),
        network: &Arc<dyn Network>,
        journal: &mut Journal<T>,
        program: impl Fn(&StreamingContext) -> DStream<T>,
    ) -> Result<Process> {
        let env = TestEnv::new();
        let network = network.clone();
        let ssc = StreamingContext::with_env(conf.master("local[2]"), BATCH, Env { network, ..env.env() })?;
        let written = journal.written.clone();
        program(&ssc).foreach_rdd(move |rdd, time| {
            let records = rdd.collect()?;
            // A batch that runs again writes the same again.
            if let Some(before) = written.lock().unwrap().insert(time, records.clone()) {
                let bytes = |records: &Vec<T>| headwater_core::wire::encode(records);
                assert_eq!(bytes(&before)?, bytes(&records)?, "batch {time} has other records than before");
            }
            Ok::<(), Error>(())
        });
        let graph = ssc.graph.clone();
        graph.start(Time::from_millis(0), |error| panic!("{error}"))?;
        let host = Arc::new(Host(Mutex::default(), Some(env.clock.clone())));
        let process = Process { env, graph, host };
        journal.epoch += 1;
        let folder = InputFolder { storage: Arc::new(storage.clone()), path: "run/lines".into(), epoch: journal.epoch };
        process.input().keep_in(folder)?;
        for (time, allocation) in &journal.allocations {
            process.input().restore(*time, allocation)?;
        }
        process.input().start(StreamId::new(0), process.host.clone())?;
        Ok(process)
    }
    pub(super) fn input(&self) -> &dyn InputDStream {
        self.graph.inputs().next().expect("a program has one input")
    }
    pub(super) fn errors(&self) -> Vec<String> {
        self.host.0.lock().unwrap().clone()
    }
    /// Waits until something came in that no batch has, and is perhaps on its way into the log, or an error was reported.
    pub(super) fn await_received(&self) {
        self.env.clock.wait(None, &mut || self.input().has_unallocated() || !self.errors().is_empty());
    }
    pub(super) fn await_error(&self) {
        self.env.clock.wait(None, &mut || !self.errors().is_empty());
    }

    /// Runs the batches that the journal has and that are not done.
    pub(super) fn recover<T: Clone>(&self, journal: &mut Journal<T>) -> Result<()> {
        let open: Vec<Time> = journal.allocations.keys().copied().filter(|time| Some(*time) > journal.done).collect();
        for time in open {
            let jobs = self.graph.generate_jobs(time)?;
            let allocation = self.input().allocation(time);
            assert_eq!(allocation.as_ref(), journal.allocations.get(&time), "batch {time} was given something else");
            jobs.into_iter().try_for_each(|mut job| (job.run)().map(drop))?;
            self.end(time, journal);
        }
        Ok(())
    }
    /// A batch is made, journaled and run; its time.
    pub(super) fn batch<T: Clone>(&self, journal: &mut Journal<T>) -> Result<Time> {
        self.batch_until(journal, Step::Committed)
    }
    /// Goes through a batch up to this step and no further: the process is to end there.
    pub(super) fn batch_until<T: Clone>(&self, journal: &mut Journal<T>, step: Step) -> Result<Time> {
        let time = journal.newest().unwrap_or(Time::from_millis(0)) + BATCH;
        let jobs = self.graph.generate_jobs(time)?;
        let allocation = self.input().allocation(time).expect("the input is kept");
        if step >= Step::Journaled {
            journal.allocations.insert(time, allocation);
        }
        if step >= Step::Run {
            jobs.into_iter().try_for_each(|mut job| (job.run)().map(drop))?;
        }
        if step >= Step::Committed {
            self.end(time, journal);
        }
        Ok(time)
    }
    fn end<T: Clone>(&self, time: Time, journal: &mut Journal<T>) {
        journal.done = Some(time);
        journal.forget();
        self.graph.clear_metadata(time);
    }
}

/// How far a batch has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    Allocated,
    Journaled,
    Run,
    Committed,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.graph.inputs().for_each(|input| input.stop());
        self.graph.context().engine().stop();
    }
}
