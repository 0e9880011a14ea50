//! [`Clock`]: what time it is, and waiting until a time or an event; [`ManualClock`] moves by hand.

use crate::time::Time;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The driver's clock. Whoever waits for a time also waits for events, so both go through here: a thread that changes
/// what a `ready` looks at calls [`Clock::notify`] behind the change.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
    /// Blocks until `ready()` is true or, with a deadline, until `now() >= deadline`; whether `ready()` was true.
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool;
    /// Lets every waiter look at its `ready` again.
    fn notify(&self);
}

/// A clock that stands still until it is moved: for tests.
///
/// ```
/// use headwater_core::env::{Clock, ManualClock};
/// use headwater_core::time::{seconds, Time};
/// let clock = ManualClock::new(Time::from_millis(0));
/// clock.advance(seconds(2));
/// assert_eq!(clock.now(), Time::from_millis(2000));
/// ```
pub struct ManualClock {
    now: Mutex<Time>,
    moved: Condvar,
}

impl ManualClock {
    /// A clock that shows `start`.
    pub fn new(start: Time) -> ManualClock {
        ManualClock { now: Mutex::new(start), moved: Condvar::new() }
    }
    /// Moves on by `duration` and wakes who waits for it.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.lock();
        *now += duration;
        self.moved.notify_all();
    }
    /// Jumps to `time`, which may lie in the past, as a wall clock's may.
    pub fn set(&self, time: Time) {
        *self.lock() = time;
        self.moved.notify_all();
    }
    /// The time is a number: a panic of another holder cannot leave it half-changed.
    fn lock(&self) -> MutexGuard<'_, Time> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        *self.lock()
    }
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool {
        let mut now = self.lock();
        loop {
            if ready() {
                return true;
            }
            if deadline.is_some_and(|deadline| *now >= deadline) {
                return false;
            }
            now = self.moved.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
    }
    fn notify(&self) {
        let _now = self.lock();
        self.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::seconds;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_waiter_wakes_at_its_time_or_at_its_event() {
        let clock = ManualClock::new(Time::from_millis(0));
        let event = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let by_time = scope.spawn(|| clock.wait(Some(Time::from_millis(1000)), &mut || false));
            let by_event = scope.spawn(|| clock.wait(None, &mut || event.load(Ordering::SeqCst)));
            clock.advance(seconds(1));
            assert!(!by_time.join().unwrap());
            event.store(true, Ordering::SeqCst);
            clock.notify();
            assert!(by_event.join().unwrap());
        });
    }
}
