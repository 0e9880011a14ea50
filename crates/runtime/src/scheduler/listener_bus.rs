//! [`ListenerBus`]: carries events from whoever posts them to the listeners, on a thread of its own, in the order of
//! posting. It never holds up who posts: what a full queue cannot take is dropped, counted and reported. While nobody
//! listens, an event costs a look at one flag, and there is no thread.

mod registry;
mod thread;

pub use registry::ListenerHandle;
pub(crate) use registry::{Listeners, Registered};

use super::Status;
use headwater_core::env::{Env, Thread};
use headwater_core::input::InputHost;
use headwater_core::listener::StreamingEvent;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The shortest time between two warnings of dropped events.
const DROP_WARNING_EVERY: Duration = Duration::from_secs(60);

/// Listeners that may wait to be added or removed, because another one does not come back; more are refused.
const CHANGES_MAX: usize = 1000;

pub(crate) struct ListenerBus {
    shared: Arc<Shared>,
}

/// What those who post and the thread share.
struct Shared {
    env: Env,
    status: Arc<Status>,
    /// Events that may wait for the listeners.
    queue_max: usize,
    /// Whether there is a listener and the bus is open.
    listening: AtomicBool,
    dropped: AtomicU64,
    state: Mutex<State>,
    added: Condvar,
}
#[derive(Default)]
struct State {
    /// What the thread has not seen yet.
    queue: VecDeque<Item>,
    /// The events in it, which the limit bounds. The others are bounded by [`CHANGES_MAX`].
    events: usize,
    registered: Vec<ListenerHandle>,
    thread: Option<Box<dyn Thread>>,
    /// Whether the thread sleeps and must be woken.
    idle: bool,
    closed: bool,
    /// How many of the dropped events were reported, and when that was.
    reported: u64,
    reported_at: Option<Time>,
}
enum Item {
    /// From here on it hears of events.
    Add(Registered),
    /// One or more were removed.
    Removed,
    Event(StreamingEvent),
}

impl ListenerBus {
    /// A bus whose thread is started by [`ListenerBus::start`] or, without a listener by then, with the first one.
    pub(crate) fn new(env: Env, queue_max: usize, status: Arc<Status>, listeners: Vec<Registered>) -> ListenerBus {
        let listening = AtomicBool::new(!listeners.is_empty());
        let registered = listeners.iter().map(Registered::handle).collect();
        let state = State { registered, queue: listeners.into_iter().map(Item::Add).collect(), ..State::default() };
        let (dropped, added) = (AtomicU64::new(0), Condvar::new());
        let state = Mutex::new(state);
        ListenerBus { shared: Arc::new(Shared { env, status, queue_max, listening, dropped, state, added }) }
    }
    pub(crate) fn start(&self) -> Result<()> {
        let mut state = self.shared.lock();
        if state.registered.is_empty() { Ok(()) } else { self.ensure_thread(&mut state) }
    }
    fn ensure_thread(&self, state: &mut State) -> Result<()> {
        if state.thread.is_none() {
            let shared = self.shared.clone();
            let body = Box::new(move || thread::run(&shared));
            state.thread = Some(self.shared.env.spawner.spawn("streaming-listener-bus", body)?);
        }
        Ok(())
    }

    /// Adds a listener, which hears of what is posted from here on.
    pub(crate) fn add(&self, registered: Registered) -> Result<ListenerHandle> {
        let handle = registered.handle();
        let mut state = self.shared.lock();
        if state.closed {
            return Err(Error::program(format!(
                "{}: the context has stopped, and posts no more events",
                handle.name()
            )));
        }
        if state.queue.len() - state.events >= CHANGES_MAX {
            let message = format!("{}: {CHANGES_MAX} listeners wait to be added or removed already", handle.name());
            return Err(Error::new(ErrorKind::Resources, message));
        }
        self.ensure_thread(&mut state)?;
        state.registered.push(handle.clone());
        self.shared.listening.store(true, Ordering::Release);
        self.shared.push(&mut state, Item::Add(registered));
        Ok(handle)
    }
    /// Whether it was there.
    pub(crate) fn remove(&self, handle: &ListenerHandle) -> bool {
        let mut state = self.shared.lock();
        let found = handle.remove_from(&mut state.registered);
        if found {
            self.shared.listening.store(!state.closed && !state.registered.is_empty(), Ordering::Release);
            // One tells of all that are removed by then.
            if !matches!(state.queue.back(), Some(Item::Removed)) {
                self.shared.push(&mut state, Item::Removed);
            }
        }
        found
    }

    /// What time it is, for what is posted.
    pub(crate) fn now(&self) -> Time {
        self.shared.env.clock.now()
    }
    /// Whether an event would reach anyone: who makes one asks first.
    pub(crate) fn is_listening(&self) -> bool {
        self.shared.listening.load(Ordering::Acquire)
    }
    /// Posts what `make` makes, if anyone listens. May be called under a lock of ours: it runs no code of the user's,
    /// and leaves the warning to [`ListenerBus::report_dropped`].
    pub(crate) fn post(&self, make: impl FnOnce() -> StreamingEvent) {
        if !self.is_listening() {
            return;
        }
        let event = make();
        let mut state = self.shared.lock();
        if state.closed {
            return;
        }
        if state.events >= self.shared.queue_max {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        state.events += 1;
        self.shared.push(&mut state, Item::Event(event));
    }
    /// Events that were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
    /// Warns of dropped events, but not too often. Who posts calls it where no lock is held.
    pub(crate) fn report_dropped(&self) {
        if self.dropped() > 0 {
            self.shared.report_dropped(false);
        }
    }

    /// Takes no more events, and waits until those that were posted are delivered.
    pub(crate) fn stop(&self) {
        if let Some(thread) = self.shared.close() {
            thread.join();
        }
        self.shared.report_dropped(true);
    }
    /// As `stop`, without waiting.
    pub(crate) fn close(&self) {
        drop(self.shared.close());
    }
}
impl Drop for ListenerBus {
    /// The start has failed, or the context was dropped by a listener.
    fn drop(&mut self) {
        self.close();
    }
}

impl InputHost for ListenerBus {
    fn post(&self, event: StreamingEvent) {
        ListenerBus::post(self, || event);
        self.report_dropped();
    }
    fn claim_thread(&self) {
        self.shared.status.claim_thread();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn push(&self, state: &mut State, item: Item) {
        state.queue.push_back(item);
        if std::mem::take(&mut state.idle) {
            self.added.notify_one();
        }
    }
    /// The next item, or `None` when the bus is closed and empty.
    fn next(&self) -> Option<Item> {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.queue.pop_front() {
                state.events -= usize::from(matches!(item, Item::Event(_)));
                return Some(item);
            }
            if state.closed {
                return None;
            }
            state.idle = true;
            state = self.added.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
    fn close(&self) -> Option<Box<dyn Thread>> {
        self.listening.store(false, Ordering::Release);
        let mut state = self.lock();
        state.closed = true;
        self.added.notify_one();
        state.thread.take()
    }
    fn report_dropped(&self, last: bool) {
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
        self.env.console.warn(&format!(
            "events dropped for slow listeners: {fresh} since the last warning, {dropped} in all; {} wait, the limit \
             (Conf::listener_queue_max)",
            self.queue_max
        ));
    }
}
