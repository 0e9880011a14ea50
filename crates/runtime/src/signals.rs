//! The thread that waits for signals, and makes stops of them.

use crate::stopping::Running;
use headwater_core::env::{SignalSubscription, Thread};
use headwater_core::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Subscribes to the signals and starts the thread, which ends with the subscription, closed by the stop.
pub(crate) fn watch(running: &Arc<Running>) -> Result<Box<dyn Thread>> {
    let signals = running.env.signals.subscribe()?;
    // It is started once.
    let _ = running.signals.set(signals.clone());
    let (spawner, running) = (running.env.spawner.clone(), running.clone());
    spawner.spawn("signals", Box::new(move || react(&running, &*signals)))
}

fn react(running: &Arc<Running>, signals: &dyn SignalSubscription) {
    let (console, handle) = (&running.env.console, &running.handle);
    let Some(first) = signals.next() else { return };
    console.warn(&format!("{first}: stops gracefully; one more signal cuts off what runs, a third ends the process"));
    handle.request_graceful_stop();
    // On a thread of its own: this one must hear of the next signal. Whoever awaits the termination waits for it.
    let stop = running.clone();
    let stopping = running.env.spawner.spawn("graceful-stop", Box::new(move || stop.stop()));
    if let Some(second) = signals.next() {
        // As of now: behind the cut nobody knows any more what would have been done.
        let remaining = handle.remaining();
        console.warn(&format!("{second}: cuts off what runs, with this left: {remaining}"));
        // Before the rest: from here on a signal ends a process that does not end by itself.
        signals.close();
        let message =
            format!("the graceful stop was cut short by a second signal, {second}, with this left: {remaining}");
        handle.status.report_error(Error::new(ErrorKind::Cancelled, message));
        handle.request_stop();
    }
    match stopping {
        Ok(stopping) => stopping.join(),
        // Then the stop is carried out by whoever awaits it.
        Err(error) => console.warn(&format!("{error}")),
    }
}
