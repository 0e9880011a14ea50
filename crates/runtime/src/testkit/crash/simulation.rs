//! Simulated lives of a program, each made by a seed: processes that end anywhere, disks that are full or fail for a while,
//! clocks that jump forwards and back, batches that pile up, tasks that stand still.

use super::CrashTest;
use super::process::{Pace, Run};
use super::verdict::{Told, difference};
use headwater_core::env::Clock;
use headwater_core::{Data, ErrorKind, Result};
use headwater_storage::{Failure, FaultPlan};
use std::fmt::{self, Debug};
use std::ops::Range;
use std::time::Duration;

/// Processes of a life that something happens to, at most.
const PROCESSES_MAX: u64 = 6;

/// What came of the simulated lives.
#[derive(Clone, Debug, Default)]
pub struct SimulationReport {
    /// How many there were.
    pub seeds: u64,
    /// Processes that a fault has ended.
    pub crashes: u64,
    /// Steps that failed, on a disk that was full or broken for a while.
    pub failures: u64,
    /// Seeds whose life did not tell the same as one in which nothing happens, and in what.
    pub unequal: Vec<(u64, String)>,
}

impl SimulationReport {
    /// Whether every life told the same as one in which nothing happens.
    pub fn all_equal(&self) -> bool {
        self.unequal.is_empty()
    }
}
impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let SimulationReport { seeds, crashes, failures, unequal } = self;
        write!(f, "{seeds} seeds, {crashes} crashes, {failures} failed steps, {} not equal", unequal.len())?;
        unequal.iter().take(5).try_for_each(|(seed, difference)| write!(f, "\nseed {seed}: {difference}"))
    }
}

pub(super) fn simulate<T: Data + Ord + Debug>(test: &CrashTest<T>, seeds: Range<u64>) -> SimulationReport {
    let (truth, steps) = test.truth();
    let mut report = SimulationReport { seeds: seeds.end.saturating_sub(seeds.start), ..SimulationReport::default() };
    for seed in seeds {
        let told = life(test, steps, &mut Chance(seed), &mut report);
        if let Some(difference) = difference(&truth, told) {
            report.unequal.push((seed, difference));
        }
    }
    report
}

fn life<T: Data + Ord + Debug>(
    test: &CrashTest<T>,
    steps: u64,
    chance: &mut Chance,
    report: &mut SimulationReport,
) -> Result<Told<T>> {
    let mut run = Run::new(test);
    for _ in 0..1 + chance.below(PROCESSES_MAX) {
        let mut plan = FaultPlan::new(chance.next());
        for _ in 0..chance.below(3) {
            let failure = if chance.below(2) == 0 { Failure::DiskFull } else { Failure::Io };
            let step = 8 + chance.below(steps);
            plan = if chance.below(2) == 0 { plan.fail(step, failure) } else { plan.fail_after(step, failure) };
            report.failures += 1;
        }
        let step = 1 + chance.below(steps);
        plan = if chance.below(2) == 0 { plan.crash_before(step) } else { plan.crash_after(step) };
        run.slow.wait_at(if chance.below(3) == 0 { 5 + chance.below(40) } else { 0 });
        match run.process_at(plan, &mut Hasty(chance)) {
            Ok(false) => break,
            Ok(true) => report.crashes += 1,
            // A process that cannot start on such a disk says so.
            Err(error) if matches!(error.kind(), ErrorKind::Resources | ErrorKind::Outside) => {}
            Err(error) => return Err(error),
        }
        let (now, millis) = (run.env.clock.now(), chance.below(2 * test.batch.as_millis() as u64));
        let jump = Duration::from_millis(millis);
        let end = headwater_core::time::Time::from_millis(0) + test.batch * test.batches as u32;
        if !run.has_told() {
            // Of a program that has not begun no batch is missed.
            continue;
        }
        run.env.clock.set(if chance.below(3) == 0 { now - jump } else { (now + jump).min(end.max(now)) });
    }
    run.slow.wait_at(0);
    run.last_process()
}

/// Moves on by up to three batches, and does not always wait.
struct Hasty<'a>(&'a mut Chance);
impl Pace for Hasty<'_> {
    fn next(&mut self) -> (u64, bool) {
        (1 + self.0.below(3), self.0.below(4) > 0)
    }
}

/// A sequence of numbers that follows from a seed. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators" (2014).
struct Chance(u64);
impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}
