//! What a running task has added to accumulators so far, on the task's thread.

use super::{Accumulation, Shared};
use crate::item::ItemId;
use crate::{Error, Result, panic_message, wire};
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What one task added to one accumulator, or another thing that counts once the task has succeeded.
pub(crate) trait Part: Send {
    fn id(&self) -> ItemId;
    fn as_any(&mut self) -> &mut dyn Any;
    fn commit(self: Box<Self>) -> Result<()>;
    fn encode(&self) -> Result<Vec<u8>>;
}
struct PartOf<A> {
    shared: Arc<Shared<A>>,
    value: A,
}
impl<A: Accumulation> Part for PartOf<A> {
    fn id(&self) -> ItemId {
        self.shared.id
    }
    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.value
    }
    fn commit(self: Box<Self>) -> Result<()> {
        self.shared.lock().merge(self.value);
        Ok(())
    }
    fn encode(&self) -> Result<Vec<u8>> {
        wire::encode(&self.value)
    }
}

thread_local! {
    /// `None` where no task runs on this thread.
    static PARTS: RefCell<Option<Vec<Box<dyn Part>>>> = const { RefCell::new(None) };
}

/// What a successful task added to accumulators.
#[derive(Default)]
pub struct AccumulatorUpdates(Vec<Box<dyn Part>>);

impl AccumulatorUpdates {
    /// Whether it added nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Adds it to the totals of this process. An error if the user's `merge` panics, or for records that were set aside there
    /// is no room.
    pub fn commit(self) -> Result<()> {
        let commit = || self.0.into_iter().try_for_each(|part| part.commit());
        catch_unwind(AssertUnwindSafe(commit)).unwrap_or_else(|panic| {
            // Another try would count twice what is merged already.
            Err(Error::program(format!("merging an accumulator panicked: {}", panic_message(&*panic))))
        })
    }
    /// Drops it: the attempt has failed. What panics in a value's `Drop` is no news then.
    pub(crate) fn discard(self) {
        let _dropped = catch_unwind(AssertUnwindSafe(|| drop(self)));
    }
    /// As bytes for [`super::AccumulatorRegistry::merge`] of the driver.
    pub fn encode(&self) -> Result<Vec<(ItemId, Vec<u8>)>> {
        let shared = self.0.iter().filter(|part| part.id().is_shared());
        shared.map(|part| Ok((part.id(), part.encode()?))).collect()
    }
}

/// Runs `task`, and returns with its result what it added to accumulators.
pub(crate) fn gathering<R>(task: impl FnOnce() -> R) -> (R, AccumulatorUpdates) {
    let before = PARTS.replace(Some(Vec::new()));
    let result = task();
    (result, AccumulatorUpdates(PARTS.replace(before).unwrap_or_default()))
}

/// Runs `body` as if no task ran on this thread.
pub(crate) fn outside<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Vec<Box<dyn Part>>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PARTS.replace(self.0.take());
        }
    }
    let _restore = Restore(PARTS.replace(None));
    body()
}

/// Adds a part of its own to what this thread's task hands over; given back where no task runs.
pub(crate) fn add_part(part: Box<dyn Part>) -> Option<Box<dyn Part>> {
    PARTS.with_borrow_mut(|parts| match parts {
        Some(parts) => {
            parts.push(part);
            None
        }
        None => Some(part),
    })
}

/// Runs `body` on what this thread's task added so far; not at all where none runs.
pub(super) fn of_this_task<A: Accumulation, R>(shared: &Arc<Shared<A>>, body: impl FnOnce(&mut A) -> R) -> Option<R> {
    // The part is taken out meanwhile: adding is the user's code, and may use another accumulator.
    let mut part = PARTS.with_borrow_mut(|parts| {
        let parts = parts.as_mut()?;
        let found = parts.iter().position(|part| part.id() == shared.id).map(|at| parts.swap_remove(at));
        Some(found.unwrap_or_else(|| Box::new(PartOf { shared: shared.clone(), value: shared.zero.clone() })))
    })?;
    let value = part.as_any().downcast_mut().expect("the id names an accumulator of this type");
    let result = body(value);
    PARTS.with_borrow_mut(|parts| parts.get_or_insert_default().push(part));
    Some(result)
}
