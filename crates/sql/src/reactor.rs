//! [`Reactor`]: the thread that drives a sink's connections, and a way to wait for what they do from any thread, also from one
//! that belongs to another asynchronous runtime.

use headwater_core::{Error, Result};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use tokio::runtime::{Builder, Runtime};

/// One thread for sockets and timers. The calls of a sink wait for it; when it is dropped its thread ends by itself.
pub(crate) struct Reactor {
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Reactor {
    pub(crate) fn start() -> Result<Reactor> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("headwater-sql").enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::outside("cannot start the thread of a database's connections", error))?;
        Ok(Reactor { runtime: Some(runtime) })
    }
    /// Waits for a future on this thread. Tokio's own `block_on` panics on a thread that drives another runtime, and a program
    /// may well stop a context there.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.runtime.as_ref().expect("it is there until it is dropped");
        let _timers_and_sockets = runtime.enter();
        let waker = Waker::from(Arc::new(Unparks(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(output) => return output,
                Poll::Pending => std::thread::park(),
            }
        }
    }
}
impl Drop for Reactor {
    fn drop(&mut self) {
        // Waiting for the thread's end, as dropping a runtime does, is forbidden on a thread of another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Unparks(Thread);
impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_reactor_serves_and_ends_on_a_thread_of_another_runtime() {
        let outer = Builder::new_current_thread().build().unwrap();
        let answer = outer.block_on(async {
            let reactor = Reactor::start().unwrap();
            reactor.block_on(async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                tokio::spawn(async { 42 }).await.unwrap()
            })
        });
        assert_eq!(answer, 42);
    }
}
