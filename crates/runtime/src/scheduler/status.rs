//! [`Status`]: what happened so far, for those who wait for it: the batches that are done, the first error, the stop.

use headwater_core::env::Clock;
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::cell::Cell;
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far the batches are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Batches whose jobs have all ended, well or not.
    pub completed: u64,
    /// Those of them that had an error.
    pub failed: u64,
    /// Batches that a stop cut off: not all of their outputs have run. They are not among the completed.
    pub dropped: u64,
    /// Batches that wait or run.
    pub pending: u64,
    /// The newest completed batch.
    pub last_completed: Option<Time>,
}

/// Where a context is in its life. Source: Spark's `StreamingContextState`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamingContextState {
    /// It is being built.
    Initialized,
    /// It generates batches.
    Active,
    /// It has stopped for good.
    Stopped,
}

pub(crate) struct Status {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// For those who wait without a deadline. They wake when what they wait for is there, not with every batch.
    changed: Condvar,
    warn: Box<dyn Fn(&str) + Send + Sync>,
}
struct State {
    progress: Progress,
    /// An error that was reported and not yet returned to the user.
    error: Option<Error>,
    stop_requested: Option<StopMode>,
    commits_waited: u64,
    /// How the stop goes that is under way or was asked for.
    stop: StopTerms,
    stopped: bool,
    /// The newest batch whose jobs were, or are being, made.
    newest: Option<Time>,
    /// The lowest number of completed batches that someone waits for on `changed`.
    awaited: u64,
    /// How many wait on the clock, for a deadline.
    clock_waiters: usize,
}

/// No number of batches: who waits for an end or an error.
pub(crate) const NO_BATCHES: u64 = u64::MAX;

/// How to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StopMode {
    /// What is running is cut off.
    Now,
    /// What was received is processed first.
    Graceful,
}

/// When a stop must be over, and in how long that was when it was asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Time,
    pub(crate) within: Duration,
}

/// What those who ask for stops have agreed on: the earliest deadline, and whether anybody wants no more to be done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct StopTerms {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) cut_off: bool,
}

thread_local! {
    /// The status of the context that this thread works for, by address.
    static WORKS_FOR: Cell<*const Status> = const { Cell::new(ptr::null()) };
}

impl Status {
    /// This thread is one of the context's: a stop would wait for it.
    pub(crate) fn claim_thread(&self) {
        WORKS_FOR.set(self);
    }
    pub(crate) fn owns_this_thread(&self) -> bool {
        ptr::eq(WORKS_FOR.get(), self)
    }
    pub(crate) fn new(clock: Arc<dyn Clock>, warn: impl Fn(&str) + Send + Sync + 'static) -> Status {
        let (progress, error, stop_requested, commits_waited, stop, newest) = Default::default();
        let (stopped, awaited, clock_waiters) = (false, NO_BATCHES, 0);
        let state =
            State { progress, error, stop_requested, commits_waited, stop, stopped, newest, awaited, clock_waiters };
        Status { clock, state: Mutex::new(state), changed: Condvar::new(), warn: Box::new(warn) }
    }
    /// A change that ends every wait.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let (result, clock_waiters) = {
            let mut state = self.lock();
            (change(&mut state), state.clock_waiters)
        };
        self.changed.notify_all();
        if clock_waiters > 0 {
            self.clock.notify();
        }
        result
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn batch_submitted(&self, time: Time) {
        let mut state = self.lock();
        state.progress.pending += 1;
        state.newest = Some(time);
    }
    /// Does not notify the clock: the caller does, together with the batch's event.
    pub(crate) fn batch_completed(&self, time: Time, failed: bool) {
        let mut state = self.lock();
        let progress = &mut state.progress;
        progress.pending -= 1;
        progress.completed += 1;
        progress.failed += u64::from(failed);
        progress.last_completed = progress.last_completed.max(Some(time));
        if progress.completed >= state.awaited {
            state.awaited = NO_BATCHES;
            self.changed.notify_all();
        }
    }
    /// The stop has cut a batch off.
    pub(crate) fn batch_dropped(&self) {
        let mut state = self.lock();
        state.progress.pending -= 1;
        state.progress.dropped += 1;
    }
    /// A failure in the background. It reaches the user through the next call that waits or stops; those that come
    /// while one is on its way are warnings.
    pub(crate) fn report_error(&self, error: Error) {
        let later = self.change(|state| match state.error {
            None => {
                state.error = Some(error);
                None
            }
            Some(_) => Some(error),
        });
        if let Some(error) = later {
            (self.warn)(&format!("{error:?}"));
        }
    }
    /// A commit could not be written and is tried again later.
    pub(crate) fn commit_waits(&self) {
        self.lock().commits_waited += 1;
        self.clock.notify();
    }
    /// How often that was so.
    pub(crate) fn commits_waited(&self) -> u64 {
        self.lock().commits_waited
    }
    /// Whether there is an error that nobody has been given yet.
    pub(crate) fn has_error(&self) -> bool {
        self.lock().error.is_some()
    }
    /// The error that nobody has been given yet.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.lock().error.take()
    }
    /// Nobody is left to be given an error.
    pub(crate) fn warn_of_error(&self) {
        if let Some(error) = self.take_error() {
            (self.warn)(&format!("{error:?}"));
        }
    }
    pub(crate) fn request_stop(&self, mode: StopMode) {
        self.change(|state| {
            // A request to cut off is the last word.
            if state.stop_requested != Some(StopMode::Now) {
                state.stop_requested = Some(mode);
            }
        });
    }
    pub(crate) fn stop_requested(&self) -> Option<StopMode> {
        self.lock().stop_requested
    }
    /// A stop, under way or to come, goes no slower than this. Those who wait in one look again.
    pub(crate) fn hasten_stop(&self, mode: StopMode, deadline: Option<Deadline>) {
        {
            let stop = &mut self.lock().stop;
            stop.cut_off |= mode == StopMode::Now;
            stop.deadline = stop.deadline.into_iter().chain(deadline).min();
        }
        self.clock.notify();
    }
    pub(crate) fn stop_terms(&self) -> StopTerms {
        self.lock().stop
    }
    pub(crate) fn set_stopped(&self) {
        self.change(|state| state.stopped = true);
    }
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }
    pub(crate) fn state(&self) -> StreamingContextState {
        if self.is_stopped() { StreamingContextState::Stopped } else { StreamingContextState::Active }
    }
    pub(crate) fn progress(&self) -> Progress {
        self.lock().progress
    }
    /// How far the batches are, and the newest one whose jobs were, or are being, made.
    pub(crate) fn progress_and_newest(&self) -> (Progress, Option<Time>) {
        let state = self.lock();
        (state.progress, state.newest)
    }

    /// Waits until `batches` are completed, a stop, a request to stop, the reported error, which it returns, or the
    /// deadline; whether it was not the deadline.
    pub(crate) fn wait(&self, deadline: Option<Time>, batches: u64) -> Result<bool> {
        if deadline.is_none() {
            let mut state = self.lock();
            while !state.ends_wait(batches) {
                state.awaited = state.awaited.min(batches);
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            return state.error.take().map_or(Ok(true), Err);
        }
        self.lock().clock_waiters += 1;
        loop {
            let in_time = self.clock.wait(deadline, &mut || self.lock().ends_wait(batches));
            let mut state = self.lock();
            // Another waiter may have been given the error that ended this wait.
            if !in_time || state.ends_wait(batches) {
                state.clock_waiters -= 1;
                return state.error.take().map_or(Ok(in_time), Err);
            }
        }
    }
}

impl State {
    fn ends_wait(&self, batches: u64) -> bool {
        let ended = self.error.is_some() || self.stopped || self.stop_requested.is_some();
        ended || self.progress.completed >= batches
    }
}
