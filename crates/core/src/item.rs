//! [`ItemId`]: the name of what one process of an application makes and another must find: a shuffle, a job's results,
//! a broadcast value, an accumulator. All processes run the same program, so counting what it makes names it.

use crate::origin::OperatorId;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where an item was made, and its number among those made there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ItemId {
    /// The part of the program that made it.
    pub scope: ItemScope,
    /// Counted from 0 in that part.
    pub number: u64,
}

/// A part of the program that makes items.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ItemScope {
    /// The code that builds the program: it runs in every process.
    Program,
    /// An operator, making the RDD of a batch: it runs again in every process that computes a task of the batch.
    Batch(OperatorId, Time),
    /// Code that runs in this process only, as an output's closure does on the driver.
    Process,
}

impl ItemId {
    /// The next item of an application that is one process.
    pub(crate) fn of_process() -> ItemId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        ItemId { scope: ItemScope::Process, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
    /// Whether what this thread makes now is its process's own.
    pub(crate) fn is_private() -> bool {
        PRIVATE.get()
    }
    /// The next item of the operator that makes its RDD on this thread now, if one does.
    pub(crate) fn of_batch() -> Option<ItemId> {
        let (scope, number) = MAKING.get()?;
        MAKING.set(Some((scope, number + 1)));
        Some(ItemId { scope, number })
    }
    /// Whether other processes of the application know it by the same name.
    pub fn is_shared(&self) -> bool {
        self.scope != ItemScope::Process
    }
}

/// Whether this thread makes the RDD of a batch, so that an action runs inside `transform`.
pub(crate) fn batch_is_being_made() -> bool {
    MAKING.get().is_some()
}

impl ItemScope {
    /// The same operator's, for the batch `time`; of no batch, it stays as it is.
    pub(crate) fn at(self, time: Time) -> ItemScope {
        match self {
            ItemScope::Batch(operator, _) => ItemScope::Batch(operator, time),
            other => other,
        }
    }
    /// Whether this thread makes it right now: an operator's closure that runs an action is not through yet, and another
    /// process cannot get further in it than this one.
    pub fn is_being_made(&self) -> bool {
        MAKING.get().is_some_and(|(scope, _)| scope == *self)
    }
}

thread_local! {
    /// The operator that makes the RDD of a batch on this thread, and its next number.
    static MAKING: Cell<Option<(ItemScope, u64)>> = const { Cell::new(None) };
    static PRIVATE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body`, whose items are this process's own: other processes do not run it.
pub(crate) fn privately<R>(body: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            PRIVATE.set(self.0);
        }
    }
    let _restore = Restore(PRIVATE.replace(true));
    body()
}

/// Runs `make`, in which items belong to `operator` and the batch `time`, counted from 0.
pub(crate) fn making_batch<R>(operator: OperatorId, time: Time, make: impl FnOnce() -> R) -> R {
    struct Restore(Option<(ItemScope, u64)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            MAKING.set(self.0);
        }
    }
    let _restore = Restore(MAKING.replace(Some((ItemScope::Batch(operator, time), 0))));
    make()
}
