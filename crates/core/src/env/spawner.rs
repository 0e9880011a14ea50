//! [`Spawner`]: threads, each with an owner that joins it.

use crate::Result;

/// A running thread. Its owner joins it; the order of joins is written on the owner.
pub trait Thread: Send + Sync {
    /// Waits until the thread's body has returned. A body that panicked counts as returned.
    fn join(self: Box<Self>);
}

/// Starts threads.
pub trait Spawner: Send + Sync {
    /// Runs `body` on a thread named `name`; an error names the thread when the system has no more of them.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> Result<Box<dyn Thread>>;
}
