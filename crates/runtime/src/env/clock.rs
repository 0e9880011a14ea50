//! The wall clock, by which batches tick.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::Clock;
use headwater_core::time::Time;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest single wait: a wall clock that is set back or forward is noticed within it.
const WAIT_MAX: Duration = Duration::from_secs(1);

pub(super) struct SystemClock {
    lock: Mutex<()>,
    changed: Condvar,
}

impl SystemClock {
    pub(super) fn new() -> SystemClock {
        SystemClock { lock: Mutex::new(()), changed: Condvar::new() }
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from_millis(since_epoch().as_millis() as i64)
    }
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool {
        let deadline = deadline.map(|deadline| Duration::from_millis(deadline.milliseconds().max(0) as u64));
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if ready() {
                return true;
            }
            let left = match deadline.map(|deadline| deadline.saturating_sub(since_epoch())) {
                Some(Duration::ZERO) => return false,
                Some(left) => left.min(WAIT_MAX),
                None => WAIT_MAX,
            };
            guard = self.changed.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
    fn notify(&self) {
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_all();
    }
}
