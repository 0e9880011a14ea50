//! [`CommitLane`]: the batches of a sink on their way from prepared to committed, in the order in which they were submitted,
//! behind whatever order their jobs end in. Between the job scheduler's threads and a thread of its own.

use super::job_scheduler::Unfinished;
use headwater_core::sink::Commit;
use headwater_core::time::Time;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Prepared batches that wait for a commit; whoever has one more waits with it, since they are held in memory.
const PREPARED_MAX: usize = 2;

/// A batch that is prepared.
pub(super) struct Prepared {
    pub(super) commit: Commit,
    pub(super) job: Unfinished,
}

#[derive(Default)]
pub(super) struct CommitLane {
    queue: Mutex<Queue>,
    changed: Condvar,
}
/// Bounded by the generator's limit of pending batches.
#[derive(Default)]
struct Queue {
    slots: VecDeque<(Time, Slot)>,
    /// No batch comes any more.
    closed: bool,
    /// Whoever is prepared need not wait for room.
    cancelled: bool,
}
enum Slot {
    /// Its job waits or runs.
    Awaited,
    Prepared(Box<Prepared>),
    /// Its job has failed, or was dropped; or it is in front, and being committed.
    Nothing,
}

impl CommitLane {
    /// A batch will come behind those before it.
    pub(super) fn expect(&self, time: Time) {
        self.lock().slots.push_back((time, Slot::Awaited));
    }
    /// The batch is prepared. Waits for room, unless it is the next.
    pub(super) fn prepared(&self, time: Time, prepared: Prepared) {
        let mut queue = self.lock();
        let is_prepared = |(_, slot): &&(Time, Slot)| matches!(slot, Slot::Prepared(_));
        while !queue.cancelled
            && queue.slots.front().is_some_and(|(front, _)| *front != time)
            && queue.slots.iter().filter(is_prepared).count() >= PREPARED_MAX
        {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        self.fill(queue, time, Slot::Prepared(Box::new(prepared)));
    }
    /// The batch does not come.
    pub(super) fn gone(&self, time: Time) {
        self.fill(self.lock(), time, Slot::Nothing);
    }
    fn fill(&self, mut queue: MutexGuard<'_, Queue>, time: Time, with: Slot) {
        let known = queue.slots.iter_mut().find(|(of, slot)| *of == time && matches!(slot, Slot::Awaited));
        if let Some((_, slot)) = known {
            *slot = with;
        }
        drop(queue);
        self.changed.notify_all();
    }
    /// The next batch to commit, once it is prepared; it stays in the queue until this is called again. None behind the last.
    pub(super) fn next(&self) -> Option<Prepared> {
        let mut queue = self.lock();
        loop {
            match queue.slots.front_mut().map(|(_, slot)| std::mem::replace(slot, Slot::Nothing)) {
                Some(Slot::Prepared(prepared)) => return Some(*prepared),
                Some(Slot::Nothing) => {
                    queue.slots.pop_front();
                    self.changed.notify_all();
                    continue;
                }
                Some(awaited) => queue.slots[0].1 = awaited,
                None if queue.closed => return None,
                None => {}
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
    /// No batch is expected any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
    pub(super) fn cancel(&self) {
        self.lock().cancelled = true;
        self.changed.notify_all();
    }
    /// The batches that are prepared or being committed.
    pub(super) fn waiting(&self) -> Vec<Time> {
        let queue = self.lock();
        let waits = |(number, (time, slot)): (usize, &(Time, Slot))| {
            (matches!(slot, Slot::Prepared(_)) || (number == 0 && matches!(slot, Slot::Nothing))).then_some(*time)
        };
        queue.slots.iter().enumerate().filter_map(waits).collect()
    }
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
