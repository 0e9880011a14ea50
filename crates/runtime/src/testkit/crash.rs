//! [`crash_anywhere`]: a durable program is ended at every step it takes on its disk, goes on as a new process, and must tell
//! the same as without. Everything is in memory and the clock moves by hand: a thousand crashes take seconds.

mod process;
mod simulation;
mod slow;
mod verdict;

use crate::conf::Conf;
use crate::context::StreamingContext;
use headwater_core::Data;
use headwater_core::dstream::DStream;
use headwater_storage::FaultPlan;
use process::Run;
pub use simulation::SimulationReport;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
pub use verdict::{CrashReport, Told};

/// A program under crashes. `program` builds a stream in the context that it is given; its batches are what is compared. It
/// must tell the same for the same input, and its inputs must be able to deliver again: `rate_stream`, direct streams of a
/// [`MemorySource`](super::MemorySource) that outlives the processes, ....
///
/// ```
/// use headwater::{prelude::*, testkit::crash_anywhere};
/// let counts = |ssc: &StreamingContext| {
///     ssc.rate_stream(20, 2, |n| (n % 3, 1u64)).reduce_by_key_and_window(|a, b| a + b, seconds(2))
/// };
/// let report = crash_anywhere(counts).batches(3).at_every_step();
/// assert!(report.runs > 20 && report.all_equal(), "{report}");
/// ```
pub fn crash_anywhere<T: Data + Ord + std::fmt::Debug>(
    program: impl Fn(&StreamingContext) -> DStream<T> + Send + Sync + 'static,
) -> CrashTest<T> {
    let conf = Conf::new().master("local[2]").app_name("crash-test");
    let (program, batch) = (Arc::new(program), Duration::from_secs(1));
    CrashTest { program, conf, batches: 6, batch, appends: true, sink: None }
}

/// What a sink does not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It takes the record.
    Nothing,
    /// It refuses the record when it prepares its partition.
    Record,
    /// It refuses the commit of a batch with this record in it.
    Batch,
}
type Refuses<T> = fn(&T) -> Refusal;

/// See [`crash_anywhere`].
#[must_use = "say where it shall crash: at_every_step(), at_pairs_of_steps(), seeds()"]
pub struct CrashTest<T> {
    program: Arc<dyn Fn(&StreamingContext) -> DStream<T> + Send + Sync>,
    conf: Conf,
    batches: u64,
    batch: Duration,
    appends: bool,
    /// What it refuses, and whether the output sets that aside.
    sink: Option<(Refuses<T>, bool)>,
}

impl<T: Data + Ord + std::fmt::Debug> CrashTest<T> {
    /// So many batches, from 1; default 6. All of them must be told in the end.
    pub fn batches(self, batches: u64) -> Self {
        CrashTest { batches: batches.max(1), ..self }
    }
    /// The batch interval; default 1 s.
    pub fn batch_duration(self, batch: Duration) -> Self {
        CrashTest { batch, ..self }
    }
    /// Other settings; default two task threads.
    pub fn conf(self, conf: Conf) -> Self {
        CrashTest { conf, ..self }
    }
    /// On a store that cannot append, as most object stores cannot.
    pub fn without_append(self) -> Self {
        CrashTest { appends: false, ..self }
    }

    /// Its batches are taken from a sink, [`DStream::write_to`], which has each of them once, and not from an output that may
    /// run again. The sink outlives the processes.
    pub fn into_sink(self) -> Self {
        CrashTest { sink: Some((|_| Refusal::Nothing, false)), ..self }
    }
    /// As [`into_sink`](CrashTest::into_sink), with a sink that refuses what `refuses` says, behind
    /// [`set_aside`](DStream::set_aside): the dead letters are compared too.
    pub fn into_sink_that_refuses(self, refuses: fn(&T) -> Refusal) -> Self {
        CrashTest { sink: Some((refuses, true)), ..self }
    }

    /// Ends the program once before and once after each of its durable steps, each time in a run of its own.
    pub fn at_every_step(self) -> CrashReport {
        let (truth, steps) = self.truth();
        let mut report = CrashReport::new(steps);
        for step in 1..=steps {
            for plan in [FaultPlan::new(step).crash_before(step), FaultPlan::new(step).crash_after(step)] {
                let mut run = Run::new(&self);
                let told = run.process(plan).and_then(|_| run.last_process());
                report.compare(format!("step {step}"), &truth, told);
            }
        }
        report
    }
    /// Ends the program at each of its durable steps, and the process behind that at each of its own, `stride` apart: 1
    /// for all pairs.
    pub fn at_pairs_of_steps(self, stride: u64) -> CrashReport {
        let (truth, steps) = self.truth();
        let mut report = CrashReport::new(steps);
        for first in (1..=steps).step_by(stride.max(1) as usize) {
            for second in (1..).step_by(stride.max(1) as usize) {
                let mut run = Run::new(&self);
                // Behind the last step of the second process there is nothing to crash at.
                let crashed = run
                    .process(FaultPlan::new(first).crash_after(first))
                    .and_then(|_| run.process(FaultPlan::new(second).crash_before(second)));
                let ended = matches!(crashed, Ok(false));
                let told = crashed.and_then(|_| run.last_process());
                report.compare(format!("steps {first} and {second}"), &truth, told);
                if ended || second > 4 * steps {
                    break;
                }
            }
        }
        report
    }
    /// Simulates a run for each seed: processes that crash anywhere, disks that are full or fail for a while, clocks that
    /// jump, batches that pile up behind slow tasks. What happens follows from the seed.
    pub fn seeds(self, seeds: Range<u64>) -> SimulationReport {
        simulation::simulate(&self, seeds)
    }

    /// What is told where nothing goes wrong, and how many durable steps that takes.
    fn truth(&self) -> (Told<T>, u64) {
        let mut run = Run::new(self);
        let told = run.last_process().expect("the program runs where nothing goes wrong");
        (told, run.steps())
    }
}
