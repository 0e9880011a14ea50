//! [`CommitLane`]: the batches of a sink on their way from prepared to committed, in the order in which they were submitted,
//! behind whatever order their jobs end in. Between the job scheduler's threads and a thread of its own.

use crate::remaining::RunningOutput;
use headwater_core::env::Clock;
use headwater_core::time::Time;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Prepared batches that wait for a commit; whoever has one more waits with it, since they are held in memory.
const PREPARED_MAX: usize = 2;

/// `P` is what is known of a prepared batch.
pub(super) struct CommitLane<P> {
    /// The output's position among all of the program, and what it is called.
    output: usize,
    name: Arc<str>,
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue<P>>,
    changed: Condvar,
}
/// Bounded by the generator's limit of pending batches.
struct Queue<P> {
    slots: VecDeque<(Time, Slot<P>)>,
    /// When the commit of the batch in front began, if it has.
    committing_since: Option<Time>,
    /// No batch comes any more.
    closed: bool,
    /// Whoever is prepared need not wait for room.
    cancelled: bool,
}
enum Slot<P> {
    /// Its job waits or runs.
    Awaited,
    Prepared(P),
    /// Its job has failed, or was dropped; or it is in front, and being committed.
    Nothing,
}

impl<P> CommitLane<P> {
    pub(super) fn new((output, name): (usize, Arc<str>), clock: Arc<dyn Clock>) -> CommitLane<P> {
        let queue = Queue { slots: VecDeque::new(), committing_since: None, closed: false, cancelled: false };
        CommitLane { output, name, clock, queue: Mutex::new(queue), changed: Condvar::new() }
    }
    pub(super) fn output(&self) -> usize {
        self.output
    }
    /// A batch will come behind those before it.
    pub(super) fn expect(&self, time: Time) {
        self.lock().slots.push_back((time, Slot::Awaited));
    }
    /// The batch is prepared. Waits for room, unless it is the next.
    pub(super) fn prepared(&self, time: Time, prepared: P) {
        let mut queue = self.lock();
        let is_prepared = |(_, slot): &&(Time, Slot<P>)| matches!(slot, Slot::Prepared(_));
        while !queue.cancelled
            && queue.slots.front().is_some_and(|(front, _)| *front != time)
            && queue.slots.iter().filter(is_prepared).count() >= PREPARED_MAX
        {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        self.fill(queue, time, Slot::Prepared(prepared));
    }
    /// The batch does not come.
    pub(super) fn gone(&self, time: Time) {
        self.fill(self.lock(), time, Slot::Nothing);
    }
    fn fill(&self, mut queue: MutexGuard<'_, Queue<P>>, time: Time, with: Slot<P>) {
        let known = queue.slots.iter_mut().find(|(of, slot)| *of == time && matches!(slot, Slot::Awaited));
        if let Some((_, slot)) = known {
            *slot = with;
        }
        drop(queue);
        self.changed.notify_all();
    }
    /// The next batch to commit, once it is prepared; it stays in the queue until this is called again. None behind the last.
    pub(super) fn next(&self) -> Option<P> {
        let mut queue = self.lock();
        queue.committing_since = None;
        loop {
            match queue.slots.front_mut().map(|(_, slot)| std::mem::replace(slot, Slot::Nothing)) {
                Some(Slot::Prepared(prepared)) => {
                    queue.committing_since = Some(self.clock.now());
                    // There is room for one more.
                    self.changed.notify_all();
                    return Some(prepared);
                }
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
    /// The batches that are prepared, and the one that is being committed.
    pub(super) fn remaining(&self) -> (Vec<Time>, Option<RunningOutput>) {
        let queue = self.lock();
        let prepared = queue.slots.iter().filter(|(_, slot)| matches!(slot, Slot::Prepared(_))).map(|(time, _)| *time);
        let committing = queue.committing_since.zip(queue.slots.front());
        let committing = committing.map(|(since, (batch_time, _))| RunningOutput {
            batch_time: *batch_time,
            id: self.output,
            name: format!("the commit of {}", self.name),
            duration: self.clock.now() - since,
        });
        (prepared.chain(committing.iter().map(|committing| committing.batch_time)).collect(), committing)
    }
    fn lock(&self) -> MutexGuard<'_, Queue<P>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::TestEnv;
    use std::thread;

    #[test]
    fn a_commit_that_begins_makes_room() {
        let times: Vec<Time> = (1..=3).map(Time::from_millis).collect();
        for _ in 0..100 {
            let lane = CommitLane::new((0, "sink".into()), TestEnv::new().env().clock);
            times.iter().for_each(|time| lane.expect(*time));
            times[..2].iter().for_each(|time| lane.prepared(*time, *time));
            thread::scope(|scope| {
                let third = scope.spawn(|| lane.prepared(times[2], times[2]));
                // Most likely it waits by then.
                (0..1000).for_each(|_| thread::yield_now());
                assert_eq!(lane.next(), Some(times[0]));
                let ended = (0..1_000_000).any(|_| (thread::yield_now(), third.is_finished()).1);
                lane.cancel();
                assert!(ended, "the third batch waits for room that is there");
            });
        }
    }
}
