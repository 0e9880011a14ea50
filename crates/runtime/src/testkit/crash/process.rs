//! [`Run`]: a program's life over several processes, on one disk and by one clock.

use super::slow::SlowTasks;
use super::verdict::Told;
use super::{CrashTest, Refusal, Refuses};
use crate::conf::Conf;
use crate::context::StreamingContext;
use crate::running::RunningContext;
use crate::testkit::TestEnv;
use headwater_core::dead_letters::{DeadLetter, Letter};
use headwater_core::dstream::{DStream, DStreamGraph};
use headwater_core::env::Clock;
use headwater_core::rdd::PartitionRecords;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::state::StateItems;
use headwater_core::time::Time;
use headwater_core::{Data, Error, ErrorKind, Result, wire};
use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const FOLDER: &str = "app";

pub(super) struct Run<T> {
    program: Arc<dyn Fn(&StreamingContext) -> DStream<T> + Send + Sync>,
    conf: Conf,
    batch: Duration,
    pub(super) batches: u64,
    pub(super) env: TestEnv,
    disk: MemoryStorage,
    steps: u64,
    told: Arc<Mutex<Outputs<T>>>,
    sink: Option<(Refuses<T>, bool)>,
    pub(super) slow: Arc<SlowTasks>,
}

/// What outputs told of each batch, and batches that were told in two ways.
struct Outputs<T> {
    batches: BTreeMap<Time, Vec<T>>,
    changed: Vec<String>,
    /// Digests of the states behind the last batch.
    state: Option<BTreeMap<String, (u64, u64)>>,
}

/// How the clock moves while a process runs.
pub(super) trait Pace {
    /// Batches to move on by; the process is waited for unless this says otherwise.
    fn next(&mut self) -> (u64, bool);
}
/// One batch after the other.
pub(super) struct Steady;
impl Pace for Steady {
    fn next(&mut self) -> (u64, bool) {
        (1, true)
    }
}

impl<T: Data + Ord + Debug> Run<T> {
    pub(super) fn new(test: &CrashTest<T>) -> Run<T> {
        let CrashTest { program, conf, batches, batch, appends, sink } = test;
        let disk = if *appends { MemoryStorage::new() } else { MemoryStorage::new().without_append() };
        let told = Arc::new(Mutex::new(Outputs { batches: BTreeMap::new(), changed: Vec::new(), state: None }));
        let (program, conf, env) = (program.clone(), conf.clone(), TestEnv::new());
        let slow = Arc::new(SlowTasks::new(env.clock.clone()));
        let (batch, batches, sink) = (*batch, *batches, *sink);
        Run { program, conf, batch, batches, env, disk, steps: 0, told, sink, slow }
    }
    /// Durable steps of the last process.
    pub(super) fn steps(&self) -> u64 {
        self.steps
    }
    /// A process that meets `plan`; whether it was ended by it. Else all batches are done.
    pub(super) fn process(&mut self, plan: FaultPlan) -> Result<bool> {
        self.process_at(plan, &mut Steady)
    }
    pub(super) fn process_at(&mut self, plan: FaultPlan, pace: &mut dyn Pace) -> Result<bool> {
        let storage = FaultyStorage::new(self.disk.clone(), plan);
        let ended = self.live(&storage, pace);
        self.steps = storage.steps();
        let crashed = storage.has_crashed();
        if crashed {
            self.disk = storage.crash();
        }
        ended.map(|_| crashed).or_else(|error| if crashed { Ok(true) } else { Err(error) })
    }
    /// Whether a batch was told.
    pub(super) fn has_told(&self) -> bool {
        !self.told.lock().unwrap_or_else(PoisonError::into_inner).batches.is_empty()
    }
    /// A process to which nothing happens, to the last batch.
    pub(super) fn last_process(&mut self) -> Result<Told<T>> {
        self.process(FaultPlan::new(0))?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = told.changed.pop() {
            return Err(Error::new(ErrorKind::Internal, changed));
        }
        let in_time = told.batches.iter().filter(|(time, _)| **time <= self.last());
        Ok(Told {
            batches: in_time.map(|(time, records)| (*time, records.clone())).collect(),
            state: told.state.clone(),
        })
    }

    fn live(&self, storage: &FaultyStorage, pace: &mut dyn Pace) -> Result<()> {
        let env = self.env.clone().with_storage(Arc::new(storage.clone()));
        let ssc = StreamingContext::with_env(self.conf.clone(), self.batch, env.env())?;
        ssc.checkpoint(FOLDER);
        let (told, process, slow) = (self.told.clone(), storage.clone(), self.slow.clone());
        let stream = (self.program)(&ssc).map(move |record| {
            slow.pass();
            record
        });
        if let Some((refuses, sets_aside)) = self.sink {
            let sink = TellingSink(told, refuses);
            let output = if sets_aside { stream.set_aside().write_to(sink) } else { stream.write_to(sink) };
            output.uid("crash-test-sink");
        } else {
            stream.foreach_rdd(move |rdd, time| {
                // A job that the end of the process has cut off tells nothing.
                let Ok(mut records) = rdd.collect() else { return };
                records.sort();
                if !process.has_crashed() {
                    told.lock().unwrap_or_else(PoisonError::into_inner).tell(time, records);
                }
            });
        }
        let running = ssc.start()?;
        let ended = self.drive(&running, storage, pace);
        self.slow.set_off(true);
        if ended.is_ok() && !storage.has_crashed() {
            if running.first <= self.last() {
                let mut state = digest(running.graph())?;
                state.extend(letters(&running)?);
                self.told.lock().unwrap_or_else(PoisonError::into_inner).state = Some(state);
            }
            return self.stop(&running, storage);
        }
        running.stop().and(ended)
    }
    /// Stops gracefully, which a crash cuts off.
    fn stop(&self, running: &RunningContext, storage: &FaultyStorage) -> Result<()> {
        // A commit may stand since before.
        let (ended, mut retries) = (AtomicBool::new(false), 0);
        std::thread::scope(|scope| {
            let stopping = scope.spawn(|| {
                let stopped = running.stop_gracefully();
                ended.store(true, Ordering::SeqCst);
                self.env.clock.notify();
                stopped
            });
            while !ended.load(Ordering::SeqCst) {
                self.env.clock.wait(None, &mut || {
                    ended.load(Ordering::SeqCst) || storage.has_crashed() || running.commits_waited() > retries
                });
                if storage.has_crashed() {
                    running.stop_handle().request_stop();
                    break;
                }
                retries = running.commits_waited();
                self.env.clock.set(self.env.clock.now() + self.batch / 10 + Duration::from_millis(1));
            }
            stopping.join().expect("stopping does not panic")
        })
    }
    /// Moves the clock until all batches are committed, or the process has ended.
    fn drive(&self, running: &RunningContext, storage: &FaultyStorage, pace: &mut dyn Pace) -> Result<()> {
        let (last, handle) = (self.last(), running.stop_handle());
        let is_done = |time: Time| handle.progress().last_completed >= Some(time) || running.first > time;
        let has_failed = || handle.progress().failed > 0 || running.has_error();
        let mut retries = 0;
        while !is_done(last) && !storage.has_crashed() {
            let (batches, waits) = pace.next();
            let now = self.env.clock.now();
            let wanted = (now.floor(self.batch)? + self.batch * batches as u32).min(last).max(now.floor(self.batch)?);
            self.env.clock.set(wanted.max(now));
            if !waits && wanted < last {
                continue;
            }
            while !storage.has_crashed() && !is_done(wanted) {
                self.env.clock.wait(None, &mut || {
                    let stands = running.commits_waited() > retries || self.slow.stands();
                    storage.has_crashed() || has_failed() || is_done(wanted) || stands
                });
                if has_failed() && !storage.has_crashed() {
                    return running.await_termination_or_timeout(Duration::ZERO).map(drop);
                }
                if running.commits_waited() > retries {
                    // A disk that failed is tried again a tenth of a batch later.
                    retries = running.commits_waited();
                    let later = self.env.clock.now() + self.batch / 10 + Duration::from_millis(1);
                    self.env.clock.set(later);
                }
                self.slow.let_pass();
            }
        }
        Ok(())
    }
    /// The last batch that is waited for.
    fn last(&self) -> Time {
        Time::from_millis(0) + self.batch * self.batches as u32
    }
}

/// The number of keys and a hash of all entries, by operator.
fn digest(graph: &DStreamGraph) -> Result<BTreeMap<String, (u64, u64)>> {
    let mut digests = BTreeMap::new();
    for of in graph.stateful_operators() {
        let digest = digests.entry(of.operator.to_string()).or_insert((0, 0u64));
        graph.state_image(of.operator, &mut |_, piece| {
            let mut items = StateItems::new(&piece)?;
            while let Some(item) = items.next_encoded()? {
                digest.0 += 1;
                // A sum, since a table has no order.
                digest.1 = digest.1.wrapping_add(fnv1a(format!("{item:?}").as_bytes()));
            }
            Ok(())
        })?;
    }
    Ok(digests)
}
/// The number of dead letters and a hash of them, as an operator's of its own; none without letters. In which batch one was
/// driven once more depends on when that was asked.
fn letters(running: &RunningContext) -> Result<Option<(String, (u64, u64))>> {
    let letters = running.dead_letters()?;
    let hash = |DeadLetter { operator, batch, letter, .. }: &DeadLetter| {
        let Letter { index, attempt, error, source, payload } = letter;
        let place = (*attempt == 1).then_some((batch, index));
        fnv1a(format!("{operator:?} {place:?} {attempt} {error:?} {source:?} {payload:?}").as_bytes())
    };
    let digest = letters.iter().map(hash).fold(0u64, u64::wrapping_add);
    Ok((!letters.is_empty()).then(|| ("dead letters".to_owned(), (letters.len() as u64, digest))))
}
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A sink beside the processes. Its ledger is what was told last.
struct TellingSink<T>(Arc<Mutex<Outputs<T>>>, Refuses<T>);
impl<T: Data + Ord + Debug> Sink<T> for TellingSink<T> {
    fn recover(&self, _: &SinkOutput<'_>) -> Result<()> {
        Ok(())
    }
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>> {
        let mut taken = Vec::new();
        for (index, record) in records.enumerate() {
            match self.1(&record) {
                Refusal::Record => part.refuse(index, Error::new(ErrorKind::Data, "the record is refused"))?,
                _ => taken.push(record),
            }
        }
        wire::encode(&taken)
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let parts: Vec<Vec<T>> = parts.iter().map(|part| wire::decode(part)).collect::<Result<_>>()?;
        let mut records: Vec<T> = parts.into_iter().flatten().collect();
        if records.iter().any(|record| self.1(record) == Refusal::Batch) {
            return Err(Error::new(ErrorKind::Data, "the batch is refused"));
        }
        records.sort();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = told.batches.last_key_value().map(|(newest, _)| *newest);
        if newest < Some(batch.time) || told.batches.contains_key(&batch.time) {
            told.tell(batch.time, records);
            return Ok(());
        }
        let message = format!("batch {} comes behind {newest:?} for the first time", batch.time);
        Err(Error::new(ErrorKind::Internal, message))
    }
}

impl<T: PartialEq + Debug> Outputs<T> {
    fn tell(&mut self, time: Time, records: Vec<T>) {
        if let Some(before) = self.batches.get(&time).filter(|before| **before != records) {
            self.changed.push(format!("batch {time} told {before:?}, and {records:?} when it ran again"));
        }
        self.batches.insert(time, records);
    }
}
