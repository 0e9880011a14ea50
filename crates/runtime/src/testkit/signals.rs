//! [`TestSignals`]: signals that a test raises by hand.

use headwater_core::Result;
use headwater_core::env::{Signal, SignalSubscription, Signals};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Signals that a test raises by hand; none reaches the test's own process.
///
/// ```
/// use headwater::{env::Signal, prelude::*, testkit::TestEnv};
/// let env = TestEnv::new();
/// let ssc = StreamingContext::with_env(Conf::new().master("local[1]"), seconds(1), env.env())?;
/// ssc.queue_stream(&RddQueue::<u64>::new()).print();
/// assert!(!env.signals.raise(Signal::Terminate));
/// let running = ssc.start()?;
/// assert!(env.signals.raise(Signal::Terminate));
/// running.await_termination()?;
/// assert!(!env.signals.raise(Signal::Terminate));
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Default)]
pub struct TestSignals {
    subscriptions: Mutex<Vec<Arc<Subscription>>>,
}

impl TestSignals {
    /// Raises `signal`; whether anybody got it. If not, a real one would have ended the process.
    pub fn raise(&self, signal: Signal) -> bool {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.retain(|subscription| subscription.deliver(signal));
        !subscriptions.is_empty()
    }
}

impl Signals for TestSignals {
    fn subscribe(&self) -> Result<Arc<dyn SignalSubscription>> {
        let subscription = Arc::new(Subscription::default());
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner).push(subscription.clone());
        Ok(subscription)
    }
}

#[derive(Default)]
struct Subscription {
    state: Mutex<State>,
    changed: Condvar,
}
#[derive(Default)]
struct State {
    raised: VecDeque<Signal>,
    closed: bool,
}
impl Subscription {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Whether it is open.
    fn deliver(&self, signal: Signal) -> bool {
        let mut state = self.lock();
        state.raised.push_back(signal);
        self.changed.notify_all();
        !state.closed
    }
}
impl SignalSubscription for Subscription {
    fn next(&self) -> Option<Signal> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(signal) = state.raised.pop_front() {
                return Some(signal);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}
