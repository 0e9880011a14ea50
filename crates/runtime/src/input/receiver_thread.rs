//! [`ReceiverThread`]: a thread that a receiver has for itself, and the stop that reaches into its waiting.

use crate::ending_thread::EndingThread;
use headwater_core::env::Env;
use headwater_core::time::Time;
use headwater_core::{Result, panic_message};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{ThreadId, current};
use std::time::Duration;

/// The wait before a thread that panicked runs again.
const RESTART_PAUSE: Duration = Duration::from_secs(2);

/// What a receiving thread and its owner share.
pub(super) struct StopSignal {
    env: Env,
    state: Mutex<State>,
}
#[derive(Default)]
struct State {
    stopped: bool,
    /// The thread itself, which cannot wait for its own end.
    thread: Option<ThreadId>,
    /// Closes what the thread may be blocked on.
    close: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl StopSignal {
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }
    /// The thread will block on something that `close` closes; false if the stop came first.
    pub(super) fn closes_by(&self, close: Arc<dyn Fn() + Send + Sync>) -> bool {
        let mut state = self.lock();
        state.close = Some(close);
        !state.stopped
    }
    /// The thread blocks on it no more.
    pub(super) fn closed(&self) {
        self.lock().close = None;
    }
    /// Waits until `deadline` or the stop.
    pub(super) fn pause_until(&self, deadline: Time) {
        self.env.clock.wait(Some(deadline), &mut || self.is_stopped());
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn stop(&self) {
        let close = {
            let mut state = self.lock();
            state.stopped = true;
            state.close.take()
        };
        self.env.clock.notify();
        if let Some(close) = close {
            close();
        }
    }
}

/// The owner's side.
pub(super) struct ReceiverThread {
    signal: Arc<StopSignal>,
    thread: Mutex<Option<EndingThread>>,
}

impl ReceiverThread {
    pub(super) fn new(env: Env) -> ReceiverThread {
        ReceiverThread { signal: Arc::new(StopSignal { env, state: Mutex::default() }), thread: Mutex::default() }
    }
    /// `body` runs until the stop. If it panics, by a defect of ours, that is said and it runs again.
    pub(super) fn start(&self, name: &str, body: impl Fn(&StopSignal) + Send + 'static) -> Result<()> {
        let (signal, console, named) = (self.signal.clone(), self.signal.env.console.clone(), name.to_owned());
        let run = move || {
            signal.lock().thread = Some(current().id());
            while let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(&signal))) {
                console.warn(&format!("{named} panicked and starts again: {}", panic_message(&*panic)));
                signal.pause_until(signal.env.clock.now() + RESTART_PAUSE);
            }
        };
        let thread = EndingThread::spawn(&self.signal.env, name, run)?;
        *self.thread() = Some(thread);
        Ok(())
    }
    /// Begins its end.
    pub(super) fn request_stop(&self) {
        self.signal.stop();
    }
    /// Whether it has not ended.
    pub(super) fn runs(&self) -> bool {
        self.thread().as_ref().is_some_and(|thread| !thread.has_ended())
    }
    /// Stops the thread and waits for its end, unless it is the calling one. Again does nothing.
    pub(super) fn stop(&self) {
        self.signal.stop();
        let thread = self.thread().take();
        if let Some(thread) = thread
            && self.signal.lock().thread != Some(current().id())
        {
            thread.join();
        }
    }
    fn thread(&self) -> MutexGuard<'_, Option<EndingThread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
