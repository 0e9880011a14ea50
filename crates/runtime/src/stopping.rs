//! [`Running`]: the parts of a started application, and the stop that ends them: receivers, generator, job executors, task
//! threads, the listeners' thread, in this order. It waits for all of them on the clock, so that it can say what it waits
//! for, and leave behind at its deadline what does not end.

use crate::ending_thread::EndingThread;
use crate::remaining::Remaining;
use crate::scheduler::Event;
use crate::stop_handle::StopHandle;
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::{Env, SignalSubscription};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How often a stop says what it waits for.
const WARN_EVERY: Duration = Duration::from_secs(10);
/// What is cut off at the deadline has this much longer to end: a task looks up between two chunks of records.
const CUT_OFF_WITHIN: Duration = Duration::from_secs(1);

/// The parts of a started application.
pub(crate) struct Running {
    pub(crate) env: Env,
    pub(crate) graph: Arc<DStreamGraph>,
    /// For those parts that may be asked from elsewhere.
    pub(crate) handle: StopHandle,
    /// Taken by the stop; the lock is that of stopping.
    pub(crate) generator: Mutex<Option<EndingThread>>,
    /// Closed by the stop. None where signals are left alone.
    pub(crate) signals: OnceLock<Arc<dyn SignalSubscription>>,
}

impl Running {
    /// Carries out the stop that was asked for, or waits for whoever does.
    pub(crate) fn stop(&self) {
        let mut generator = self.generator.lock().unwrap_or_else(PoisonError::into_inner);
        if self.handle.status.is_stopped() {
            return;
        }
        let mut wait = StopWait::new(&self.handle);
        let receiving = || self.graph.inputs().any(|input| input.is_receiving());
        self.graph.inputs().for_each(|input| input.request_stop());
        if wait.until(|| !receiving()) {
            self.graph.inputs().for_each(|input| input.stop());
        }
        // Behind a `Stop` it is not looked at.
        self.handle.events.post(Event::Drain);
        let mut all_ended = wait.end(generator.take().into_iter().collect());
        all_ended &= wait.end(self.handle.scheduler.close());
        match all_ended {
            true => self.handle.context.engine().stop(),
            // Its threads may be part of what is left behind.
            false => self.handle.context.engine().cancel(),
        }
        self.graph.stop();
        wait.end(self.handle.listeners.close().into_iter().collect());
        self.handle.listeners.report_all_dropped();
        self.close_signals();
        if let Some(error) = wait.error() {
            self.handle.status.report_error(error);
        }
        self.handle.status.set_stopped();
    }
    /// From here on a signal does what it does without the context.
    pub(crate) fn close_signals(&self) {
        if let Some(signals) = self.signals.get() {
            signals.close();
        }
    }
}

/// The waiting of a stop.
struct StopWait<'a> {
    handle: &'a StopHandle,
    begun: Time,
    next_warning: Time,
    /// What was left at the deadline, and how long that was.
    missed: Option<(Remaining, Duration)>,
    /// Whether something did not end by being cut off.
    left_behind: bool,
}

impl StopWait<'_> {
    fn new(handle: &StopHandle) -> StopWait<'_> {
        let begun = handle.clock().now();
        StopWait { handle, begun, next_warning: begun + WARN_EVERY, missed: None, left_behind: false }
    }

    /// Waits for the ends of `threads`; whether all have ended. If not, they are left alone.
    fn end(&mut self, threads: Vec<EndingThread>) -> bool {
        let ended = self.until(|| threads.iter().all(EndingThread::has_ended));
        if ended {
            threads.into_iter().for_each(EndingThread::join);
        }
        ended
    }

    /// Waits until `ended`; whether it is, and not given up at the deadline.
    fn until(&mut self, ended: impl Fn() -> bool) -> bool {
        let (clock, since) = (self.handle.clock(), self.handle.clock().now());
        loop {
            let terms = self.handle.status.stop_terms();
            let end = terms.deadline.map(|deadline| match self.missed {
                None => deadline.at,
                Some(_) => deadline.at.max(since) + CUT_OFF_WITHIN,
            });
            let wake = end.map_or(self.next_warning, |end| end.min(self.next_warning));
            clock.wait(Some(wake), &mut || ended() || self.handle.status.stop_terms() != terms);
            if ended() {
                return true;
            }
            let now = clock.now();
            match (terms.deadline, &self.missed) {
                (Some(deadline), None) if now >= deadline.at => {
                    self.missed = Some((self.handle.remaining(), deadline.within));
                    self.handle.cut_off();
                }
                (Some(_), Some(_)) if end.is_some_and(|end| now >= end) => {
                    self.left_behind = true;
                    return false;
                }
                _ if now >= self.next_warning => self.warn(now),
                _ => {}
            }
        }
    }

    fn warn(&mut self, now: Time) {
        let cut_off = self.missed.is_some() || self.handle.status.stop_terms().cut_off;
        let how = if cut_off { "a stop" } else { "a graceful stop" };
        let (waited, remaining) = (now - self.begun, self.handle.remaining());
        self.handle.context.env().console.warn(&format!("{how} has waited {waited:?} so far, for: {remaining}"));
        self.next_warning = now + WARN_EVERY;
    }

    /// That the deadline has passed before the end.
    fn error(self) -> Option<Error> {
        let (remaining, within) = self.missed?;
        let behind = match self.left_behind {
            false => "",
            true => "; what did not end by that was left behind, and ends by itself",
        };
        let message = format!(
            "the graceful stop was not over within {within:?} (Conf::graceful_stop_timeout or stop_gracefully_within) and \
             was cut off, with this left: {remaining}{behind}"
        );
        Some(Error::new(ErrorKind::Resources, message))
    }
}
