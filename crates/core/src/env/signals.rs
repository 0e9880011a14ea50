//! [`Signals`]: the system's and the user's request that the process end.

use crate::Result;
use std::fmt;
use std::sync::Arc;

/// A request that the process end.
///
/// ```
/// use headwater_core::env::Signal;
/// assert_eq!([Signal::Terminate, Signal::Interrupt].map(|signal| signal.to_string()), ["SIGTERM", "SIGINT"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Signal {
    /// SIGTERM: by a supervisor, a container or `kill`.
    Terminate,
    /// SIGINT: by Ctrl-C.
    Interrupt,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Signal::Terminate => "SIGTERM",
            Signal::Interrupt => "SIGINT",
        })
    }
}

/// Where signals come from. What a signal does without a subscription, to end the process, it does again as soon as the
/// last one is closed.
pub trait Signals: Send + Sync {
    /// From here on a signal goes to this and all other subscriptions, and does not end the process.
    fn subscribe(&self) -> Result<Arc<dyn SignalSubscription>>;
}

/// The signals of a process as one of its contexts gets them.
pub trait SignalSubscription: Send + Sync {
    /// Blocks until there is a signal; `None` once it is closed. Signals that come close together may be one.
    fn next(&self) -> Option<Signal>;
    /// Gives no more signals. Again does nothing.
    fn close(&self);
}
