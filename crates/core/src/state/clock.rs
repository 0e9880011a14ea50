//! [`Clock`]: when something is due for a key, and [`Timers`], which finds the keys that are due without looking at the
//! others.

use crate::time::Time;
use std::collections::BTreeMap;

/// The deadlines of one key, as batch times: they have come in the first batch that is not before them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clock {
    /// When the key times out.
    pub(super) timeout: Time,
    /// When the timer that the user set fires.
    pub(super) timer: Time,
    /// The deadline under which the timers hold the key: not after the next of the two.
    pub(super) armed: Time,
}

impl Clock {
    pub(super) const NEVER: Time = Time::from_millis(i64::MAX);
    pub(super) const NONE: Clock = Clock { timeout: Self::NEVER, timer: Self::NEVER, armed: Self::NEVER };

    pub(super) fn deadline(&self) -> Time {
        self.timeout.min(self.timer)
    }
}

/// Slots by deadline. A slot is held under one deadline; one that has moved to a later one is put there when the
/// earlier has come, so that a key costs nothing when it is touched. What is held of slots that were removed is dropped
/// when it comes up, or when it is the larger part.
#[derive(Default)]
pub(super) struct Timers {
    by_deadline: BTreeMap<Time, Vec<u32>>,
    held: usize,
    /// What the running batch took, and where it added.
    taken: Vec<(Time, Vec<u32>)>,
    added: Vec<Time>,
}

/// Slots that may be held in vain before all is sorted anew.
const STALE_MAX: usize = 1024;

impl Timers {
    pub(super) fn bytes(&self) -> usize {
        // Lists that grow are three quarters full on average.
        self.by_deadline.len() * size_of::<(Time, Vec<u32>)>() + self.held * size_of::<u32>() * 4 / 3
    }
    /// The clock of `slot`, once the slot is held under a deadline that is early enough.
    pub(super) fn arm(&mut self, slot: u32, clock: Clock) -> Clock {
        let deadline = clock.deadline();
        if clock.armed <= deadline {
            return clock;
        }
        self.by_deadline.entry(deadline).or_default().push(slot);
        self.held += 1;
        self.added.push(deadline);
        Clock { armed: deadline, ..clock }
    }
    /// The slots that are held under deadlines not after `time`, earliest first. [`Timers::was_taken`] follows.
    pub(super) fn take(&mut self, time: Time) -> Vec<(Time, Vec<u32>)> {
        let mut taken = Vec::new();
        while let Some(first) = self.by_deadline.first_entry().filter(|first| *first.key() <= time) {
            taken.push(first.remove_entry());
        }
        self.held -= taken.iter().map(|(_, slots)| slots.len()).sum::<usize>();
        taken
    }
    pub(super) fn was_taken(&mut self, taken: Vec<(Time, Vec<u32>)>) {
        self.taken.extend(taken);
    }
    pub(super) fn rollback(&mut self) {
        while let Some(deadline) = self.added.pop() {
            let Some(slots) = self.by_deadline.get_mut(&deadline) else { continue };
            slots.pop();
            self.held -= 1;
            if slots.is_empty() {
                self.by_deadline.remove(&deadline);
            }
        }
        self.held += self.taken.iter().map(|(_, slots)| slots.len()).sum::<usize>();
        self.by_deadline.extend(self.taken.drain(..));
    }
    /// `armed` says for each slot under which deadline it is held; `live` slots are in use.
    pub(super) fn commit<I: Iterator<Item = Time>>(&mut self, live: usize, armed: impl FnOnce() -> I) {
        self.taken.clear();
        self.added.clear();
        if self.held > 2 * live + STALE_MAX {
            self.hold(armed());
        }
    }
    /// Holds the slots by these deadlines, of each slot, and no others.
    pub(super) fn hold(&mut self, armed: impl Iterator<Item = Time>) {
        (self.by_deadline, self.held) = Default::default();
        for (slot, deadline) in armed.enumerate().filter(|(_, deadline)| *deadline != Clock::NEVER) {
            self.by_deadline.entry(deadline).or_default().push(slot as u32);
            self.held += 1;
        }
    }
}
