//! Runs contenders in turns and keeps the best of each: on a shared machine the best round is the least disturbed one.

use crate::process;
use std::time::Instant;

/// One way to do the work.
pub(crate) struct Contender<'a> {
    name: &'static str,
    /// Does all of the work once and returns a checksum of the result. What is prepared outside is not measured.
    run: Box<dyn FnMut() -> u64 + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> u64 + 'a) -> Contender<'a> {
        Contender { name, run: Box::new(run) }
    }
}

/// What a contender's best rounds took; the three may come from different rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) wall_seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// Memory above what was resident before the first round; `None` where the system does not tell. The allocator keeps
    /// up to 64 MB of what was freed before, and more of it in small pieces: peaks tell apart by factors, not by a fifth.
    pub(crate) peak_bytes: Option<u64>,
}

impl Cost {
    /// The time that counts: CPU time on one thread; with more, wall time, which alone shows threads that wait.
    pub(crate) fn seconds(&self, local: usize) -> f64 {
        if local == 1 { self.cpu_seconds } else { self.wall_seconds }
    }

    fn best(self, other: Cost) -> Cost {
        Cost {
            wall_seconds: self.wall_seconds.min(other.wall_seconds),
            cpu_seconds: self.cpu_seconds.min(other.cpu_seconds),
            peak_bytes: self.peak_bytes.min(other.peak_bytes),
        }
    }
}

/// Runs the contenders in turns; their costs come in their order. It is an error if two differ in their results of a
/// round; a stream goes on from round to round, and so may its results. Each round begins with the next contender, so that none always runs in the wake of the same other.
pub(crate) fn beside<const N: usize>(mut contenders: [Contender<'_>; N], rounds: usize) -> Result<[Cost; N], String> {
    let resident = process::resident_bytes();
    let mut costs: [Option<Cost>; N] = [None; N];
    let mut first: Option<(&'static str, u64)> = None;
    for turn in 0..rounds * N {
        let at = (turn / N + turn) % N;
        let (cost, checksum) = once(&mut contenders[at], resident);
        let name = contenders[at].name;
        if turn % N == 0 {
            first = None;
        }
        let (other, expected) = *first.get_or_insert((name, checksum));
        if checksum != expected {
            return Err(format!("{name} and {other} differ in their results: {checksum:#x} and {expected:#x}"));
        }
        costs[at] = Some(costs[at].map_or(cost, |best| best.best(cost)));
    }
    Ok(costs.map(|cost| cost.expect("all contenders run in the first round")))
}

fn once(contender: &mut Contender<'_>, resident: Option<u64>) -> (Cost, u64) {
    process::reset_peak();
    let (cpu, start) = (process::cpu(), Instant::now());
    let checksum = std::hint::black_box((contender.run)());
    let wall_seconds = start.elapsed().as_secs_f64();
    let cpu = cpu.zip(process::cpu()).map(|(before, after)| process::cpu_between(before, after));
    let peak_bytes = process::peak_bytes().zip(resident).map(|(peak, resident)| peak.saturating_sub(resident));
    (Cost { wall_seconds, cpu_seconds: cpu.unwrap_or(wall_seconds), peak_bytes }, checksum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn rounds_rotate_and_all_contenders_run_in_each() {
        let order = RefCell::new(String::new());
        let named = |name: &'static str| {
            let order = &order;
            Contender::new(name, move || {
                order.borrow_mut().push_str(name);
                7
            })
        };
        beside([named("a"), named("b"), named("c")], 3).unwrap();
        assert_eq!(order.borrow().as_str(), "abcbcacab");
    }

    #[test]
    fn results_may_change_from_round_to_round() {
        let counter = |name: &'static str, step: u64| {
            let mut count = 0;
            Contender::new(name, move || {
                count += step;
                count
            })
        };
        beside([counter("a", 1), counter("b", 1)], 3).unwrap();
        let mut calls = 0;
        let late = Contender::new("late", || {
            calls += 1;
            if calls < 3 { calls } else { 0 }
        });
        assert_eq!(beside([counter("a", 1), late], 3).unwrap_err(), "late and a differ in their results: 0x0 and 0x3");
    }

    #[test]
    fn different_results_are_an_error() {
        let contenders = [Contender::new("one", || 1), Contender::new("two", || 2)];
        assert_eq!(beside(contenders, 1).unwrap_err(), "two and one differ in their results: 0x2 and 0x1");
    }

    #[test]
    fn work_and_memory_show() {
        let hungry = Contender::new("hungry", || {
            let bytes = vec![1u8; 64 << 20];
            std::hint::black_box(&bytes).iter().map(|byte| u64::from(*byte)).sum()
        });
        let costs = beside([hungry], 2).unwrap();
        assert!(costs[0].wall_seconds > 0.0 && costs[0].cpu_seconds > 0.0, "{costs:?}");
        assert!(costs[0].peak_bytes.is_none_or(|peak| peak > 60 << 20), "{costs:?}");
    }

    #[test]
    fn threads_that_wait_are_seen_with_more_than_one() {
        let cost = Cost { wall_seconds: 2.0, cpu_seconds: 1.0, peak_bytes: None };
        assert_eq!((cost.seconds(1), cost.seconds(2)), (1.0, 2.0));
    }
}
