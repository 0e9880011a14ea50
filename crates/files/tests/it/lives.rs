//! [`Life`]: what a process of an application does with its sink, batch by batch, as the driver would have it; and what is
//! checked of the batches that readers see.

use crate::simulated_disk::{Fault, ProcessFiles, SimulatedDisk};
use headwater::env::{Env, FileSystem};
use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::testkit::TestEnv;
use headwater::time::Time;
use headwater::{Error, ErrorKind, Result};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many batches an application makes.
pub(crate) const BATCHES: u64 = 4;

/// The numbers of a batch: what it has, whoever computes it.
pub(crate) fn numbers_of(batch: u64) -> Vec<u64> {
    // Of the second batch one partition is empty.
    if batch == 2 { vec![20] } else { (batch * 10..batch * 10 + 5).collect() }
}

/// An application on a disk: its journal, and how its processes make their sink.
#[derive(Clone)]
pub(crate) struct Application {
    /// Its name, and that of its output.
    pub(crate) names: (&'static str, &'static str),
    pub(crate) disk: SimulatedDisk,
    pub(crate) sink: fn() -> Box<dyn Sink<u64>>,
    /// The last batch of which it is noted that it is committed.
    pub(crate) journal: Arc<AtomicU64>,
}

impl Application {
    pub(crate) fn new(sink: fn() -> Box<dyn Sink<u64>>) -> Application {
        Application { names: ("app", "out"), disk: SimulatedDisk::new(), sink, journal: Arc::default() }
    }
    /// Another one on the same disk, which has not run yet.
    pub(crate) fn another(&self, application: &'static str, operator: &'static str) -> Application {
        Application { names: (application, operator), journal: Arc::default(), ..self.clone() }
    }
    /// A process from its start to its end; what it tries again, `tries` times, as a failure policy has it.
    pub(crate) fn live(&self, fault: Option<(u64, Fault)>, tries: u32) -> (ProcessFiles, Result<()>) {
        let files = self.disk.process(fault);
        let env = Env { files: Arc::new(files.clone()), ..TestEnv::in_memory().env() };
        let ended = self.run(&env, &files, tries);
        (files, ended)
    }
    fn run(&self, env: &Env, files: &ProcessFiles, tries: u32) -> Result<()> {
        let (sink, journal) = ((self.sink)(), self.journal.load(Ordering::SeqCst));
        let committed = (journal > 0).then(|| batch_time(journal));
        let (application, operator) = self.names;
        let output = SinkOutput { application, operator, committed, env };
        again(tries, |_| sink.recover(&output))?;
        for batch in journal + 1..=BATCHES {
            let numbers = numbers_of(batch);
            let (batch, time) = (SinkBatch { output, time: batch_time(batch) }, batch);
            let mut parts = Vec::new();
            for (partition, numbers) in [&numbers[..1], &numbers[1..]].into_iter().enumerate() {
                let part = |attempt| SinkPart::new(operator, batch.time, (partition, attempt), env);
                // An attempt that nobody asks for.
                drop(sink.prepare(&part(0), Vec::from(numbers).into_iter()));
                parts.push(again(tries, |attempt| sink.prepare(&part(attempt + 1), Vec::from(numbers).into_iter()))?);
            }
            again(tries, |_| sink.commit(&batch, &parts))?;
            if files.has_ended() {
                return Err(Error::new(ErrorKind::Cancelled, "the process has ended"));
            }
            // A batch is noted with the allocation of the next one, which may be committed before.
            self.journal.fetch_max(time - 1, Ordering::SeqCst);
        }
        self.journal.fetch_max(BATCHES, Ordering::SeqCst);
        Ok(())
    }
}

/// The disk fails at each of the `steps` of an application. What is tried again succeeds; otherwise the error is told as what
/// it is, where it matters, and the next process does the rest. A reader has `seen` what is tried again, and finds all
/// `settled` behind the next process.
pub(crate) fn disk_fails_at_any_step(
    steps: u64,
    application: fn() -> Application,
    seen: fn(&SimulatedDisk, &str),
    settled: fn(&SimulatedDisk, &str),
) {
    let kinds = [(io::ErrorKind::StorageFull, ErrorKind::Resources), (io::ErrorKind::Other, ErrorKind::Outside)];
    for (step, (cause, kind)) in (1..=steps).flat_map(|step| kinds.map(|kinds| (step, kinds))) {
        let context = format!("{cause:?} at {step}");
        for fault in [Fault::Fail(cause), Fault::FailAfter(cause)] {
            let application = application();
            application.live(Some((step, fault)), 2).1.unwrap();
            seen(&application.disk, &context);
            application.live(None, 1).1.unwrap();
            settled(&application.disk, &context);
        }
        let application = application();
        let error = application.live(Some((step, Fault::Fail(cause))), 1).1.err();
        assert!(error.as_ref().is_none_or(|error| error.kind() == kind), "{context}: {error:?}");
        application.live(None, 1).1.unwrap();
        settled(&application.disk, &format!("{context}, restarted"));
    }
}

fn again<R>(tries: u32, body: impl Fn(usize) -> Result<R>) -> Result<R> {
    let mut tried = 1;
    loop {
        match body(tried as usize) {
            Err(_) if tried < tries => tried += 1,
            result => return result,
        }
    }
}
fn batch_time(batch: u64) -> Time {
    Time::from_millis(1000 * batch as i64)
}

/// The whole content of a file.
pub(crate) fn bytes_of(files: &dyn FileSystem, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    files.open(path, 0).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
