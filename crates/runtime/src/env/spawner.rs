//! Threads of the operating system.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::{Spawner, Thread};
use headwater_core::{Error, ErrorKind, Result};
use std::thread::{Builder, JoinHandle};

pub(crate) struct SystemSpawner;

impl Spawner for SystemSpawner {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Thread>> {
        let thread = Builder::new().name(name.to_owned()).spawn(body);
        let thread =
            thread.map_err(|e| Error::new(ErrorKind::Resources, format!("cannot start thread {name}")).because(e))?;
        Ok(Box::new(SystemThread(thread)))
    }
}

struct SystemThread(JoinHandle<()>);
impl Thread for SystemThread {
    fn join(self: Box<Self>) {
        // Bodies catch the panics of user code and report them; one of our own was printed by the panic hook.
        let _panicked = self.0.join();
    }
}
