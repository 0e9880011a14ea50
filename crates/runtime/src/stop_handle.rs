//! [`StopHandle`]: looks at a running context and asks it to stop, from anywhere. It does not keep the graph alive.

use crate::remaining::Remaining;
use crate::scheduler::{
    Deadline, Event, EventQueue, JobScheduler, ListenerBus, Progress, Status, StopMode, StreamingContextState,
};
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::Clock;
use headwater_core::rdd::RddContext;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Looks at a running context and asks it to stop, from anywhere: an output operation, a listener, another thread.
///
/// ```
/// use headwater::{prelude::*, testkit, StreamingContextState};
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.queue_stream(&RddQueue::<u64>::new()).print();
/// let running = ssc.start()?;
/// let handle = running.stop_handle();
/// std::thread::spawn(move || {
///     assert_eq!(handle.state(), StreamingContextState::Active);
///     assert_eq!(handle.progress().completed, 0);
///     handle.request_stop();
/// });
/// running.await_termination()?;
/// assert_eq!(running.state(), StreamingContextState::Stopped);
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone)]
pub struct StopHandle {
    pub(crate) status: Arc<Status>,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) scheduler: Arc<JobScheduler>,
    pub(crate) context: RddContext,
    /// The program may hold a handle, and would hold itself.
    pub(crate) graph: Weak<DStreamGraph>,
    pub(crate) listeners: Arc<ListenerBus>,
    /// How long a graceful stop may take, unless told otherwise.
    pub(crate) graceful_stop_timeout: Option<Duration>,
}

impl StopHandle {
    /// Asks for a stop that cuts off what is running, also a graceful stop that is under way. Returns at once: no
    /// more batches are made, and whoever awaits the termination carries the stop out.
    pub fn request_stop(&self) {
        self.hasten(StopMode::Now, None);
        self.status.request_stop(StopMode::Now);
    }
    /// Asks for a stop that processes first what was received. Returns at once. With
    /// [`Conf::graceful_stop_timeout`](crate::Conf::graceful_stop_timeout) the time runs from here on.
    pub fn request_graceful_stop(&self) {
        self.hasten(StopMode::Graceful, self.graceful_stop_timeout);
        self.status.request_stop(StopMode::Graceful);
    }
    /// Whether the context runs, as [`RunningContext::state`](crate::RunningContext::state).
    pub fn state(&self) -> StreamingContextState {
        self.status.state()
    }
    /// How far the batches are, as [`RunningContext::progress`](crate::RunningContext::progress).
    pub fn progress(&self) -> Progress {
        self.status.progress()
    }

    /// What is left to do, as [`RunningContext::remaining`](crate::RunningContext::remaining).
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// let queue = RddQueue::new();
    /// queue.push(ssc.context().parallelize(vec![1, 2, 3], 1))?;
    /// ssc.queue_stream(&queue).print();
    /// let running = ssc.start()?;
    /// let handle = running.stop_handle();
    /// assert!(handle.remaining().to_string().starts_with("1 dataset of queue_stream at "));
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn remaining(&self) -> Remaining {
        let (mut batches, outputs) = self.scheduler.remaining();
        let (progress, newest) = self.status.progress_and_newest();
        // The generator hands over one batch after the other: it has that in hand which nobody else knows.
        let generating =
            newest.filter(|time| progress.pending > batches.len() as u64 && progress.last_completed < Some(*time));
        let generating = generating.filter(|time| batches.insert(*time));
        let mut remaining =
            Remaining { batches: batches.into_iter().collect(), generating, outputs, ..Remaining::default() };
        if let Some(graph) = self.graph.upgrade() {
            for (place, input) in graph.placed_inputs() {
                let held = input.unprocessed().filter(|held| held.count > 0);
                remaining.unprocessed.extend(held.map(|held| (place.clone(), held)));
                remaining.receivers.extend(input.is_receiving().then_some(place));
            }
        }
        remaining.events = self.listeners.undelivered();
        remaining
    }

    /// The stop that is under way, or to come, ends within `timeout` from here on, and at once with `Now`.
    pub(crate) fn hasten(&self, mode: StopMode, timeout: Option<Duration>) {
        if self.status.is_stopped() {
            return;
        }
        let deadline = |within| Deadline { at: self.clock().now() + within, within };
        self.status.hasten_stop(mode, timeout.map(deadline));
        if mode == StopMode::Now {
            self.cut_off();
        }
    }
    /// Begins the end of everything without waiting for it.
    pub(crate) fn cut_off(&self) {
        self.scheduler.cancel();
        self.context.engine().cancel();
        self.events.post(Event::Stop);
    }
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.context.env().clock
    }
}
