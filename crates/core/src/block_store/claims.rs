//! [`Claims`]: who computes what now, so that no other thread computes the same.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Things that are being computed. A thread may wait for a claim while it has one of a dataset further down the
/// lineage, never of one further up: so nobody waits in a circle. It must not call a sink while it has one, for what
/// is behind a sink may ask for the same thing.
pub(crate) struct Claims<I> {
    held: Mutex<HashSet<I>>,
    freed: Condvar,
}

impl<I> Default for Claims<I> {
    fn default() -> Self {
        Claims { held: Mutex::default(), freed: Condvar::new() }
    }
}

impl<I: Copy + Eq + Hash> Claims<I> {
    /// Waits until nobody computes `id`, and then lets the caller. Who held it before may have left it computed.
    pub(crate) fn claim(&self, id: I) -> Claim<'_, I> {
        let mut held = self.lock();
        while !held.insert(id) {
            held = self.freed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        Claim { claims: self, id }
    }
    fn lock(&self) -> MutexGuard<'_, HashSet<I>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to compute a thing. Ends when it is dropped, however the computing ended.
pub(crate) struct Claim<'a, I: Copy + Eq + Hash> {
    claims: &'a Claims<I>,
    id: I,
}
impl<I: Copy + Eq + Hash> Drop for Claim<'_, I> {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.id);
        self.claims.freed.notify_all();
    }
}
