//! SIGTERM and SIGINT of the process. A process has one handler for a signal, and so this is the one thing that contexts
//! of a process share: while any of them is subscribed, all that are get each signal; while none is, a signal does what it
//! does by default, and ends the process. The handler stays behind for that: the one before it is called, but not put back.
//! Where there are no such signals (not on Unix) a subscription gets none.

#[cfg(not(unix))]
pub(super) use absent::SystemSignals;
#[cfg(unix)]
pub(super) use unix::SystemSignals;

#[cfg(unix)]
mod unix {
    use headwater_core::env::{Signal, SignalSubscription, Signals};
    use headwater_core::{Error, ErrorKind, Result};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag::register_conditional_default;
    use signal_hook::iterator::{Handle, Signals as Delivered};
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    /// Whether no subscription is open, so that a signal ends the process.
    static NOBODY_LISTENS: AtomicBool = AtomicBool::new(true);
    static SUBSCRIPTIONS: Mutex<Subscriptions> = Mutex::new(Subscriptions { handled: false, open: 0 });

    struct Subscriptions {
        /// Whether the handler is there; it is installed once and looks at [`NOBODY_LISTENS`].
        handled: bool,
        open: usize,
    }
    fn subscriptions() -> MutexGuard<'static, Subscriptions> {
        SUBSCRIPTIONS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::env) struct SystemSignals;

    impl Signals for SystemSignals {
        fn subscribe(&self) -> Result<Arc<dyn SignalSubscription>> {
            let refused =
                |error: io::Error| Error::new(ErrorKind::Resources, "cannot handle SIGTERM and SIGINT").because(error);
            let mut subscriptions = subscriptions();
            if !subscriptions.handled {
                for signal in [SIGTERM, SIGINT] {
                    register_conditional_default(signal, &NOBODY_LISTENS).map_err(refused)?;
                }
                subscriptions.handled = true;
            }
            let delivered = Delivered::new([SIGTERM, SIGINT]).map_err(refused)?;
            let (handle, open) = (delivered.handle(), AtomicBool::new(true));
            // Behind that: a signal ends the process, or it is delivered.
            subscriptions.open += 1;
            NOBODY_LISTENS.store(false, Ordering::SeqCst);
            Ok(Arc::new(Subscription { delivered: Mutex::new(delivered), handle, open }))
        }
    }

    struct Subscription {
        delivered: Mutex<Delivered>,
        handle: Handle,
        open: AtomicBool,
    }

    impl SignalSubscription for Subscription {
        fn next(&self) -> Option<Signal> {
            let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
            let signal = delivered.forever().next()?;
            Some(if signal == SIGTERM { Signal::Terminate } else { Signal::Interrupt })
        }
        fn close(&self) {
            if self.open.swap(false, Ordering::SeqCst) {
                let mut subscriptions = subscriptions();
                subscriptions.open -= 1;
                NOBODY_LISTENS.store(subscriptions.open == 0, Ordering::SeqCst);
                self.handle.close();
            }
        }
    }
    impl Drop for Subscription {
        fn drop(&mut self) {
            self.close();
        }
    }
}

#[cfg(not(unix))]
mod absent {
    use headwater_core::Result;
    use headwater_core::env::{Signal, SignalSubscription, Signals};
    use std::sync::Arc;

    pub(in crate::env) struct SystemSignals;

    impl Signals for SystemSignals {
        fn subscribe(&self) -> Result<Arc<dyn SignalSubscription>> {
            Ok(Arc::new(NoSignals))
        }
    }

    struct NoSignals;
    impl SignalSubscription for NoSignals {
        fn next(&self) -> Option<Signal> {
            None
        }
        fn close(&self) {}
    }
}
