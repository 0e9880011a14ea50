//! [`EndingThread`]: a thread whose end can be waited for on the clock, and so with a deadline. Joined it ends in order;
//! dropped it is left alone, and ends by itself.

use headwater_core::Result;
use headwater_core::env::{Clock, Env, Thread};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct EndingThread {
    thread: Box<dyn Thread>,
    ended: Arc<AtomicBool>,
}

impl EndingThread {
    pub(crate) fn spawn(env: &Env, name: &str, body: impl FnOnce() + Send + 'static) -> Result<EndingThread> {
        let ended = Arc::new(AtomicBool::new(false));
        let end = End { clock: env.clock.clone(), ended: ended.clone() };
        let run = move || {
            let _end = end;
            body();
        };
        Ok(EndingThread { thread: env.spawner.spawn(name, Box::new(run))?, ended })
    }
    /// The clock is notified behind the change.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
    pub(crate) fn join(self) {
        self.thread.join();
    }
}

/// Says so when it is dropped, however the body ended.
struct End {
    clock: Arc<dyn Clock>,
    ended: Arc<AtomicBool>,
}
impl Drop for End {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        self.clock.notify();
    }
}
