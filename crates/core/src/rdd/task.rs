//! [`Task`]: one attempt at one partition, as the nodes of the chain see it.

use super::{Outcome, Stop};
use crate::origin::Origin;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// One attempt at one partition.
pub struct Task<'a> {
    partition: usize,
    attempt: usize,
    state: &'a TaskState<'a>,
}

/// What all views of one task share.
pub struct TaskState<'a> {
    /// The operator whose user code runs now: what a caught panic is blamed on.
    operator: Cell<Option<Origin>>,
    cancelled: &'a AtomicBool,
}

impl<'a> TaskState<'a> {
    /// For a task that ends early once `cancelled` is set.
    pub fn new(cancelled: &'a AtomicBool) -> TaskState<'a> {
        TaskState { operator: Cell::new(None), cancelled }
    }
    /// The operator whose user code ran last.
    pub fn operator(&self) -> Option<Origin> {
        self.operator.get()
    }
}

impl<'a> Task<'a> {
    /// Attempt number `attempt`, from 0, at `partition`.
    pub fn new(partition: usize, attempt: usize, state: &'a TaskState<'a>) -> Task<'a> {
        Task { partition, attempt, state }
    }
    /// The partition to compute.
    pub fn partition(&self) -> usize {
        self.partition
    }
    /// 0 for the first try.
    pub fn attempt(&self) -> usize {
        self.attempt
    }
    /// The same task at a parent's `partition`.
    pub fn at(&self, partition: usize) -> Task<'a> {
        Task { partition, ..*self }
    }
    /// Notes that the user's code of `operator` runs from here on; once per chunk.
    #[inline(always)]
    pub fn enter(&self, operator: Origin) {
        self.state.operator.set(Some(operator));
    }
    /// Ends the task when its job is given up. Sources ask once per chunk.
    #[inline(always)]
    pub fn check(&self) -> Outcome {
        if self.state.cancelled.load(Ordering::Relaxed) { Err(Stop::Cancelled) } else { Ok(()) }
    }
}
