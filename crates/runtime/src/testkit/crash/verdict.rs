//! [`Told`] and [`CrashReport`]: what a program told, and whether it told the same wherever it was crashed.

use headwater_core::Result;
use headwater_core::time::Time;
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// What a program told by the end: the records of each batch, sorted, and of each state the number of its keys and a
/// digest.
#[derive(Clone, PartialEq, Debug)]
pub struct Told<T> {
    /// By batch time.
    pub batches: BTreeMap<Time, Vec<T>>,
    /// By operator, and of all dead letters together; none where no process has both made the last batch and lived on.
    pub state: Option<BTreeMap<String, (u64, u64)>>,
}

/// What came of ending a program at its steps.
#[derive(Clone, Debug)]
pub struct CrashReport {
    /// Durable steps of a run in which nothing goes wrong.
    pub steps: u64,
    /// Runs, each with its crashes.
    pub runs: u64,
    /// Runs that did not tell the same, each as a sentence.
    pub unequal: Vec<String>,
}

impl CrashReport {
    pub(super) fn new(steps: u64) -> CrashReport {
        CrashReport { steps, runs: 0, unequal: Vec::new() }
    }
    /// Whether every run told the same as the one without a crash.
    pub fn all_equal(&self) -> bool {
        self.unequal.is_empty()
    }
    pub(super) fn compare<T: PartialEq + Debug>(&mut self, crash: String, truth: &Told<T>, told: Result<Told<T>>) {
        self.runs += 1;
        if let Some(difference) = difference(truth, told) {
            self.unequal.push(format!("crash at {crash}: {difference}"));
        }
    }
}

/// In what the two differ, if they do.
pub(super) fn difference<T: PartialEq + Debug>(truth: &Told<T>, told: Result<Told<T>>) -> Option<String> {
    let told = match told {
        Ok(told) => told,
        Err(error) => return Some(format!("{error:?}")),
    };
    let all = truth.batches.keys().chain(told.batches.keys());
    let batch = all.filter(|time| truth.batches.get(time) != told.batches.get(time)).min();
    let of_batch = batch.map(|time| {
        let (truth, told) = (truth.batches.get(time), told.batches.get(time));
        format!("batch {time} told {told:?} and not {truth:?}")
    });
    let of_state = told
        .state
        .filter(|told| Some(told) != truth.state.as_ref())
        .map(|told| format!("the state is {told:?} and not {:?}", truth.state));
    of_batch.or(of_state)
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let CrashReport { steps, runs, unequal } = self;
        write!(f, "{steps} steps, {runs} runs, {} of them not equal", unequal.len())?;
        unequal.iter().take(5).try_for_each(|run| write!(f, "\n{run}"))
    }
}
