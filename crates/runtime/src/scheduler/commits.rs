//! [`Commits`]: the part of the job generator that makes batches durable. The jobs of a batch are handed out when its inputs
//! are in the journal, and the batch is done when its commit is. A batch that fails ends the program: the next process
//! begins with it.

use super::job_generator::{BatchOutcome, JobGenerator, Phase};
use crate::durable::{Durable, Opened, Resumption};
use headwater_core::dstream::{BatchJob, DStreamGraph};
use headwater_core::time::Time;
use headwater_core::{ErrorKind, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How long a disk that does not take a commit is left alone: a tenth of the batch interval, within these.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

pub(crate) struct Commits {
    pub(crate) durable: Durable,
    /// The batches to begin with that are not one interval behind the one before.
    pub(crate) first: VecDeque<Time>,
    /// Batches up to this one are made however many wait.
    pub(crate) at_once_until: Option<Time>,
}

impl Commits {
    /// Goes on with what the process before has left; the first batch, too.
    pub(crate) fn begin(opened: Opened, graph: &Arc<DStreamGraph>) -> Result<(Option<Commits>, Time)> {
        let (durable, Resumption { again, next, at_once_until, .. }) = opened.restore(graph)?;
        let mut first: VecDeque<Time> = again.into_iter().chain([next]).collect();
        let begins = first.pop_front().unwrap_or(next);
        Ok((Some(Commits { durable, first, at_once_until }), begins))
    }
    /// The batch behind this one, unless it is the next in time.
    pub(super) fn next_of_first(&mut self) -> Option<Time> {
        self.first.pop_front()
    }
    pub(super) fn is_at_once(&self, time: Time) -> bool {
        self.at_once_until.is_some_and(|until| time <= until)
    }
}

impl JobGenerator {
    /// The inputs of batch `time` are fixed; whether its `jobs` may be handed out.
    pub(super) fn allocated(&mut self, time: Time, jobs: &[BatchJob]) -> bool {
        let Some(commits) = &mut self.commits else { return true };
        let sinks = jobs.iter().filter(|job| job.commits).filter_map(|job| job.operator).collect();
        let recorded = commits.durable.allocated(time, sinks);
        self.is_recorded(recorded) && self.sync()
    }
    /// The jobs of batch `time` have ended.
    pub(super) fn batch_ended(&mut self, time: Time, outcome: BatchOutcome) {
        let Some(commits) = &mut self.commits else { return };
        match outcome {
            BatchOutcome::Dropped => self.status.batch_dropped(),
            BatchOutcome::Failed => {
                // What had ended before is done.
                self.sync();
                self.status.batch_completed(time, true);
                self.give_up();
            }
            BatchOutcome::Done { set_aside } => commits.durable.ended(time, &set_aside),
        }
    }
    /// The generator is about to wait, or, where the next batch `is_due`, to make one, with which all is synced.
    pub(super) fn before_waiting(&mut self, is_due: bool) {
        let waits = !is_due && !self.events.has_some();
        if waits && self.commits.as_ref().is_some_and(|commits| commits.durable.needs_sync()) {
            self.sync();
        }
    }
    /// Makes durable what there is, as long as that takes; false if it cannot be any more, or a stop came.
    fn sync(&mut self) -> bool {
        let pause = (self.graph.batch_duration() / 10).clamp(RETRY_PAUSE.0, RETRY_PAUSE.1);
        let mut told = false;
        loop {
            let Some(commits) = &mut self.commits else { return true };
            match commits.durable.sync() {
                Ok(committed) => {
                    self.committed(committed);
                    return true;
                }
                Err(error) if matches!(error.kind(), ErrorKind::Resources | ErrorKind::Outside) => {
                    let until = self.env.clock.now() + pause;
                    self.status.commit_waits();
                    if !told {
                        told = true;
                        self.env.console.warn(&format!(
                            "nothing can be committed: {error}; batches wait, and it is tried again every {pause:?}"
                        ));
                    }
                    if self.events.pause(until) {
                        return false;
                    }
                }
                fatal => return self.is_recorded(fatal.map(drop)),
            }
        }
    }
    fn is_recorded(&mut self, recorded: Result<()>) -> bool {
        let Err(error) = recorded else { return true };
        self.status.report_error(error.within("nothing can be committed any more, and the program ends"));
        self.give_up();
        false
    }
    /// These batches are done: they count, and what they needed goes.
    fn committed(&mut self, batches: Vec<Time>) {
        for time in batches {
            self.status.batch_completed(time, false);
            self.clear_metadata(time);
        }
        let forgotten = self.commits.as_mut().map(|commits| commits.durable.forgotten()).unwrap_or_default();
        for time in forgotten {
            self.graph.inputs().for_each(|input| input.processed(time));
        }
        self.env.clock.notify();
    }
    /// Behind a stop that cuts off: batches that had ended need not run again. Tried once, since somebody waits for the stop.
    fn commit_what_has_ended(&mut self) {
        let Some(commits) = self.commits.as_mut().filter(|commits| commits.durable.first_has_ended()) else { return };
        if self.phase == Phase::GivenUp {
            return;
        }
        match commits.durable.sync() {
            Ok(committed) => self.committed(committed),
            Err(error) => self
                .env
                .console
                .warn(&format!("the stop leaves batches uncommitted, which run again at the next start: {error}")),
        }
    }
    /// No more batches; what has been told is all that is known.
    pub(super) fn give_up(&mut self) {
        self.phase = Phase::GivenUp;
        self.scheduler.cancel();
        self.graph.context().engine().cancel();
    }
    /// The generator ends.
    pub(super) fn close(&mut self) {
        self.commit_what_has_ended();
        let Some(commits) = &mut self.commits else { return };
        if self.phase == Phase::Draining
            && let Err(error) = commits.durable.close()
        {
            self.env.console.warn(&format!("the next start reads the journal's log, which has all: {error}"));
        }
    }
}
