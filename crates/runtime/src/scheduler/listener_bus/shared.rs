//! What those who post and the thread of the listeners share: the bounded queue between them.

use super::{ListenerHandle, Registered};
use crate::ending_thread::EndingThread;
use crate::scheduler::Status;
use headwater_core::env::Env;
use headwater_core::listener::StreamingEvent;
use headwater_core::time::Time;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest time between two warnings of dropped events.
const DROP_WARNING_EVERY: Duration = Duration::from_secs(60);

/// What those who post and the thread share.
pub(super) struct Shared {
    pub(super) env: Env,
    pub(super) status: Arc<Status>,
    /// Events that may wait for the listeners.
    pub(super) queue_max: usize,
    /// Whether there is a listener and the bus is open.
    pub(super) listening: AtomicBool,
    pub(super) dropped: AtomicU64,
    pub(super) state: Mutex<State>,
    pub(super) added: Condvar,
}
#[derive(Default)]
pub(super) struct State {
    /// What the thread has not seen yet.
    pub(super) queue: VecDeque<Item>,
    /// The events in it, which the limit bounds. The others are bounded by [`CHANGES_MAX`](super::CHANGES_MAX).
    pub(super) events: usize,
    pub(super) registered: Vec<ListenerHandle>,
    pub(super) thread: Option<EndingThread>,
    /// Whether the thread gives an event to the listeners.
    pub(super) delivering: bool,
    /// Whether the thread sleeps and must be woken.
    pub(super) idle: bool,
    pub(super) closed: bool,
    /// How many of the dropped events were reported, and when that was.
    pub(super) reported: u64,
    pub(super) reported_at: Option<Time>,
}
pub(super) enum Item {
    /// From here on it hears of events.
    Add(Registered),
    /// One or more were removed.
    Removed,
    Event(StreamingEvent),
}

impl Shared {
    pub(super) fn new(env: Env, queue_max: usize, status: Arc<Status>, listeners: Vec<Registered>) -> Shared {
        let listening = AtomicBool::new(!listeners.is_empty());
        let registered = listeners.iter().map(Registered::handle).collect();
        let state = State { registered, queue: listeners.into_iter().map(Item::Add).collect(), ..State::default() };
        let (dropped, state, added) = (AtomicU64::new(0), Mutex::new(state), Condvar::new());
        Shared { env, status, queue_max, listening, dropped, state, added }
    }
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn push(&self, state: &mut State, item: Item) {
        state.queue.push_back(item);
        if std::mem::take(&mut state.idle) {
            self.added.notify_one();
        }
    }
    /// The next item, or `None` when the bus is closed and empty.
    pub(super) fn next(&self) -> Option<Item> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.queue.pop_front() {
                state.delivering = matches!(item, Item::Event(_));
                state.events -= usize::from(state.delivering);
                return Some(item);
            }
            state.delivering = false;
            if state.closed {
                return None;
            }
            state.idle = true;
            state = self.added.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
    pub(super) fn close(&self) -> Option<EndingThread> {
        self.listening.store(false, Ordering::Release);
        let mut state = self.lock();
        state.closed = true;
        self.added.notify_one();
        state.thread.take()
    }
    pub(super) fn report_dropped(&self, last: bool) {
        let now = self.env.clock.now();
        let (dropped, fresh) = {
            let mut state = self.lock();
            let dropped = self.dropped.load(Ordering::Relaxed);
            let early = state.reported_at.is_some_and(|at| now < at + DROP_WARNING_EVERY);
            if dropped == state.reported || (early && !last) {
                return;
            }
            state.reported_at = Some(now);
            (dropped, dropped - std::mem::replace(&mut state.reported, dropped))
        };
        self.warn(&format!(
            "events dropped for slow listeners: {fresh} since the last warning, {dropped} in all; {} wait, the limit \
             (Conf::listener_queue_max)",
            self.queue_max
        ));
    }
    /// A warning goes where the user has it go: what fails there must end no thread.
    pub(super) fn warn(&self, message: &str) {
        let _warned = catch_unwind(AssertUnwindSafe(|| self.env.console.warn(message)));
    }
}
