//! [`Io`]: the thread on which clients and their sockets live, from the first look-up of a process on. Its owner is the
//! operator, which ends and joins it.

use headwater_core::env::{Env, Thread};
use headwater_core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

pub(super) struct Io {
    handle: Handle,
    /// Ends the thread when it is dropped.
    ends: Option<oneshot::Sender<()>>,
    thread: Option<Box<dyn Thread>>,
}

impl Io {
    pub(super) fn start(env: &Env) -> Result<Io> {
        let failed =
            |error| Error::new(ErrorKind::Resources, "the thread for look-ups cannot be started").because(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| failed(Box::new(error)))?;
        let (ends, ended) = oneshot::channel();
        let handle = runtime.handle().clone();
        let body = move || {
            // An error says that the owner is gone.
            let _ended = runtime.block_on(ended);
            // What is still on its way is dropped, and nobody waits for a name that is being resolved.
            runtime.shutdown_background();
        };
        let thread = env.spawner.spawn("headwater-look-up", Box::new(body))?;
        Ok(Io { handle, ends: Some(ends), thread: Some(thread) })
    }
    /// Where its tasks are started from.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        drop(self.ends.take());
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}
