//! [`ListenerHandle`]: what a listener is known by. [`Listeners`]: those of a context that has not started.

use headwater_core::listener::StreamingListener;
use std::any::type_name;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A listener that was added to a context, for removing it. Cloning copies the handle.
#[derive(Clone)]
pub struct ListenerHandle(Arc<Registration>);

struct Registration {
    /// What warnings call the listener: its type and where it was added.
    name: String,
    /// It is given no more events.
    removed: AtomicBool,
}

impl ListenerHandle {
    pub(super) fn name(&self) -> &str {
        &self.0.name
    }
    pub(super) fn is_removed(&self) -> bool {
        self.0.removed.load(Ordering::Acquire)
    }
    /// Whether it was among them.
    pub(super) fn remove_from(&self, handles: &mut Vec<ListenerHandle>) -> bool {
        let at = handles.iter().position(|handle| handle.is(self));
        if let Some(at) = at {
            handles.remove(at);
            self.0.removed.store(true, Ordering::Release);
        }
        at.is_some()
    }
    fn is(&self, other: &ListenerHandle) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A listener on its way to the thread that will own it.
pub(crate) struct Registered {
    handle: ListenerHandle,
    listener: Box<dyn StreamingListener>,
}

impl Registered {
    pub(crate) fn new<L: StreamingListener>(listener: L, place: &Location<'_>) -> Registered {
        let name = format!("listener {} added at {place}", type_name::<L>());
        let handle = ListenerHandle(Arc::new(Registration { name, removed: AtomicBool::new(false) }));
        Registered { handle, listener: Box::new(listener) }
    }
    pub(super) fn handle(&self) -> ListenerHandle {
        self.handle.clone()
    }
    pub(super) fn into_parts(self) -> (ListenerHandle, Box<dyn StreamingListener>) {
        (self.handle, self.listener)
    }
}

/// The listeners that were added before the start, in that order.
#[derive(Default)]
pub(crate) struct Listeners(Mutex<Vec<Registered>>);

impl Listeners {
    pub(crate) fn add(&self, registered: Registered) -> ListenerHandle {
        let handle = registered.handle();
        self.lock().push(registered);
        handle
    }
    /// Whether it was there.
    pub(crate) fn remove(&self, handle: &ListenerHandle) -> bool {
        let removed = {
            let mut listeners = self.lock();
            let at = listeners.iter().position(|registered| registered.handle.is(handle));
            at.map(|at| listeners.remove(at))
        };
        // Dropping a listener is the user's code: not under the lock.
        removed.is_some()
    }
    pub(crate) fn into_vec(self) -> Vec<Registered> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
    fn lock(&self) -> MutexGuard<'_, Vec<Registered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
