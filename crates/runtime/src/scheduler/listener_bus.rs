//! [`ListenerBus`]: carries events from whoever posts them to the listeners, on a thread of its own, in the order of
//! posting. It never holds up who posts: what a full queue cannot take is dropped, counted and reported. While nobody
//! listens, an event costs a look at one flag, and there is no thread.

mod registry;
mod shared;
mod thread;

pub use registry::ListenerHandle;
pub(crate) use registry::{Listeners, Registered};

use super::Status;
use crate::ending_thread::EndingThread;
use headwater_core::env::Env;
use headwater_core::input::InputHost;
use headwater_core::listener::StreamingEvent;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use shared::{Item, Shared, State};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Listeners that may wait to be added or removed, because another one does not come back; more are refused.
const CHANGES_MAX: usize = 1000;

pub(crate) struct ListenerBus {
    shared: Arc<Shared>,
}

impl ListenerBus {
    /// A bus whose thread is started by [`ListenerBus::start`] or, without a listener by then, with the first one.
    pub(crate) fn new(env: Env, queue_max: usize, status: Arc<Status>, listeners: Vec<Registered>) -> ListenerBus {
        ListenerBus { shared: Arc::new(Shared::new(env, queue_max, status, listeners)) }
    }
    pub(crate) fn start(&self) -> Result<()> {
        let mut state = self.shared.lock();
        if state.registered.is_empty() { Ok(()) } else { self.ensure_thread(&mut state) }
    }
    fn ensure_thread(&self, state: &mut State) -> Result<()> {
        if state.thread.is_none() {
            let shared = self.shared.clone();
            let body = move || thread::run(&shared);
            state.thread = Some(EndingThread::spawn(&self.shared.env, "streaming-listener-bus", body)?);
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

    /// Events that the listeners have not seen to the end.
    pub(crate) fn undelivered(&self) -> usize {
        let state = self.shared.lock();
        state.events + usize::from(state.delivering)
    }
    /// Takes no more events. The thread ends when those that were posted are delivered.
    pub(crate) fn close(&self) -> Option<EndingThread> {
        self.shared.close()
    }
    /// Warns of all that were dropped; behind the end.
    pub(crate) fn report_all_dropped(&self) {
        self.shared.report_dropped(true);
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
    fn report_error(&self, error: Error) {
        self.shared.status.report_error(error);
    }
    fn claim_thread(&self) {
        self.shared.status.claim_thread();
    }
}
