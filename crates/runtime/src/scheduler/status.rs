//! [`Status`]: what happened so far, for those who wait for it: the batches that are done, the first error, the stop.

use headwater_core::env::Clock;
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::cell::Cell;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How far the batches are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// Batches whose jobs have all ended, well or not.
    pub completed: u64,
    /// Those of them that had an error.
    pub failed: u64,
    /// Batches that wait or run.
    pub pending: u64,
    /// The newest completed batch.
    pub last_completed: Option<Time>,
}

pub(crate) struct Status {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    warn: Box<dyn Fn(&str) + Send + Sync>,
}
#[derive(Default)]
struct State {
    progress: Progress,
    /// The first error that was reported and not yet returned to the user.
    error: Option<Error>,
    reported: u64,
    stop_requested: Option<StopMode>,
    stopped: bool,
}

/// How to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum StopMode {
    /// What is running is cut off.
    Now,
    /// What was received is processed first.
    Graceful,
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
        Status { clock, state: Mutex::default(), warn: Box::new(warn) }
    }
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.lock());
        self.clock.notify();
        result
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn batch_submitted(&self) {
        self.lock().progress.pending += 1;
    }
    pub(crate) fn batch_completed(&self, time: Time, failed: bool) {
        self.change(|state| {
            let progress = &mut state.progress;
            progress.pending -= 1;
            progress.completed += 1;
            progress.failed += u64::from(failed);
            progress.last_completed = progress.last_completed.max(Some(time));
        });
    }
    /// A failure in the background. The first reaches the user through `await_termination`; later ones are warnings.
    pub(crate) fn report_error(&self, error: Error) {
        let later = self.change(|state| {
            state.reported += 1;
            if state.reported == 1 {
                state.error = Some(error);
                None
            } else {
                Some(error)
            }
        });
        if let Some(error) = later {
            (self.warn)(&format!("{error:?}"));
        }
    }
    pub(crate) fn request_stop(&self, mode: StopMode) {
        self.change(|state| {
            state.stop_requested.get_or_insert(mode);
        });
    }
    pub(crate) fn stop_requested(&self) -> Option<StopMode> {
        self.lock().stop_requested
    }
    pub(crate) fn set_stopped(&self) {
        self.change(|state| state.stopped = true);
    }
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }
    pub(crate) fn progress(&self) -> Progress {
        self.lock().progress
    }

    /// Waits until `done`, a stop, a request to stop, the reported error, which it returns, or the deadline; whether
    /// it was not the deadline.
    pub(crate) fn wait(&self, deadline: Option<Time>, done: impl Fn(&Progress) -> bool) -> Result<bool> {
        let mut error = None;
        let in_time = self.clock.wait(deadline, &mut || {
            let mut state = self.lock();
            error = state.error.take();
            error.is_some() || state.stopped || state.stop_requested.is_some() || done(&state.progress)
        });
        error.map_or(Ok(in_time), Err)
    }
}
