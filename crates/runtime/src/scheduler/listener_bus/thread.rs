//! The thread of the listener bus: it owns the listeners and gives each of them one event after another.

use super::ListenerHandle;
use super::shared::{Item, Shared};
use headwater_core::listener::{StreamingEvent, StreamingListener};
use headwater_core::panic_message;
use std::panic::{AssertUnwindSafe, catch_unwind};

struct Owned {
    handle: ListenerHandle,
    listener: Box<dyn StreamingListener>,
    panics: u64,
}

/// Until the bus is closed and all that was posted is delivered; then the listeners are dropped.
pub(super) fn run(shared: &Shared) {
    shared.status.claim_thread();
    let mut listeners: Vec<Owned> = Vec::new();
    while let Some(item) = shared.next() {
        match item {
            Item::Add(registered) => {
                let (handle, listener) = registered.into_parts();
                listeners.push(Owned { handle, listener, panics: 0 });
            }
            Item::Removed => drop_removed(&mut listeners, shared),
            Item::Event(event) => listeners.iter_mut().for_each(|owned| deliver(owned, &event, shared)),
        }
    }
    listeners.into_iter().for_each(|owned| drop_listener(owned, shared));
}

/// A listener that panics misses nothing else by it, and holds up no other.
fn deliver(owned: &mut Owned, event: &StreamingEvent, shared: &Shared) {
    if owned.handle.is_removed() {
        return;
    }
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| owned.listener.on_event(event))) else { return };
    owned.panics += 1;
    // One that panics on every event says so ever more rarely.
    if owned.panics.is_power_of_two() {
        let (name, event, message) = (owned.handle.name(), event.name(), panic_message(&*panic));
        let times = if owned.panics == 1 { String::new() } else { format!(", {} times so far", owned.panics) };
        shared.warn(&format!("{name} panicked on {event}{times}: {message}; it stays and gets the next events"));
    }
}

fn drop_removed(listeners: &mut Vec<Owned>, shared: &Shared) {
    let (removed, kept): (Vec<Owned>, Vec<Owned>) =
        std::mem::take(listeners).into_iter().partition(|owned| owned.handle.is_removed());
    *listeners = kept;
    removed.into_iter().for_each(|owned| drop_listener(owned, shared));
}

/// Dropping a listener is the user's code too.
fn drop_listener(Owned { handle, listener, .. }: Owned, shared: &Shared) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(listener))) {
        shared.warn(&format!("{} panicked when it was dropped: {}", handle.name(), panic_message(&*panic)));
    }
}
