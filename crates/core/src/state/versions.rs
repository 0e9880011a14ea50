//! [`Versions`]: what the batches have changed in a [`Table`], with what was there before, so that a task that fails leaves
//! nothing, and a version that is not the newest can still be read.

use super::table::Table;
use crate::time::Time;
use rapidhash::fast::RapidHashMap;
use std::collections::VecDeque;
use std::hash::Hash;
use std::mem;

pub(super) struct Versions<K, S> {
    /// What the running batch has changed.
    log: Log<K, S>,
    /// The memory of a log that is not needed any more.
    spare: Log<K, S>,
    /// What led to each version that is newer than the oldest one in use, oldest first.
    undo: VecDeque<(Time, Log<K, S>)>,
}

/// What a batch has changed, in order.
struct Log<K, S> {
    changes: Vec<(u32, Old<S>)>,
    /// Entries that were removed: apart, so that changes of plain states need not be looked at to be forgotten.
    removed: Vec<(K, S)>,
}
/// What a slot held before a change.
enum Old<S> {
    Nothing,
    /// Another state of the same key.
    State(S),
    /// A key that was removed, at that place among the removed.
    Entry(u32),
}
impl<K, S> Default for Log<K, S> {
    fn default() -> Self {
        Log { changes: Vec::new(), removed: Vec::new() }
    }
}
impl<K, S> Log<K, S> {
    /// The key of the entry that `change` removed.
    fn key(&self, change: usize) -> &K {
        match &self.changes[change].1 {
            Old::Entry(at) => &self.removed[*at as usize].0,
            Old::State(_) | Old::Nothing => unreachable!("only a removed entry has a key of its own"),
        }
    }
    /// The state before `change`.
    fn state(&self, change: usize) -> &S {
        match &self.changes[change].1 {
            Old::Entry(at) => &self.removed[*at as usize].1,
            Old::State(state) => state,
            Old::Nothing => unreachable!("what was not there has no state"),
        }
    }
    fn clear(&mut self) {
        self.changes.clear();
        self.removed.clear();
    }
    fn capacity(&self) -> usize {
        self.changes.capacity().max(self.removed.capacity())
    }
}

/// Where what slots held in a version stands in the logs of the batches that came later. It is right until the next
/// batch has ended, so that who reads page by page makes it once.
#[derive(Default)]
pub(crate) struct Then {
    /// How many came later.
    batches: usize,
    /// Slots that none of them has changed are as they are now.
    slots: RapidHashMap<u32, Held>,
}
/// The number of a later batch and that of its change.
type At = (usize, usize);
enum Held {
    Nothing,
    /// A state, and a key that was removed there, unless it is in the slot until now.
    Entry {
        removed: Option<At>,
        state: At,
    },
}
impl Then {
    fn of<'a, K: 'a, S: 'a>(newer: impl DoubleEndedIterator<Item = &'a Log<K, S>> + ExactSizeIterator) -> Then {
        let mut then = Then { batches: newer.len(), slots: RapidHashMap::default() };
        for (batch, log) in newer.enumerate().rev() {
            for (change, (slot, old)) in log.changes.iter().enumerate().rev() {
                let at = (batch, change);
                let removed = match (old, then.slots.get(slot)) {
                    (Old::Entry(_), _) => Some(at),
                    (_, Some(Held::Entry { removed, .. })) => *removed,
                    _ => None,
                };
                let held = if matches!(old, Old::Nothing) { Held::Nothing } else { Held::Entry { removed, state: at } };
                then.slots.insert(*slot, held);
            }
        }
        then
    }
}

#[cfg(test)]
impl Then {
    /// How many batches and how many slots it has looked at.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.batches, self.slots.len())
    }
    pub(super) fn forget_slots_before(&mut self, from: usize) {
        self.slots.retain(|slot, _| *slot as usize >= from);
    }
}

/// How much longer than the running batch's log the spare one may be.
const SPARE_MAX: usize = 8;

impl<K, S> Default for Versions<K, S> {
    fn default() -> Self {
        let (log, spare, undo) = Default::default();
        Versions { log, spare, undo }
    }
}
impl<K: Hash + Eq + 'static, S> Versions<K, S> {
    /// The running batch enters a key into `slot`, which held nothing.
    #[inline(always)]
    pub(super) fn note_inserted(&mut self, slot: u32) {
        self.log.changes.push((slot, Old::Nothing));
    }
    /// The running batch replaces the state of `slot`, which was `old`.
    #[inline(always)]
    pub(super) fn note_replaced(&mut self, slot: u32, old: S) {
        self.log.changes.push((slot, Old::State(old)));
    }
    /// The running batch removes what `slot` held.
    pub(super) fn note_removed(&mut self, slot: u32, entry: (K, S)) {
        let at = u32::try_from(self.log.removed.len()).expect("a batch removes fewer than 2^32 entries of a partition");
        self.log.changes.push((slot, Old::Entry(at)));
        self.log.removed.push(entry);
    }
    /// Whether there is one version, and no batch has changed it.
    pub(super) fn are_one(&self) -> bool {
        self.log.changes.is_empty() && self.undo.is_empty()
    }
    /// The keys that the running batch has removed; some may be there again.
    pub(super) fn removed(&self) -> impl Iterator<Item = &K> {
        self.log.removed.iter().map(|(key, _)| key)
    }
    /// How many changes the running batch has made.
    pub(super) fn num_changes(&self) -> usize {
        self.log.changes.len()
    }
    /// The slots of its changes from a number on, maybe more than once, in order; and the state that was replaced then.
    pub(super) fn changed(&self, from: usize) -> impl Iterator<Item = (u32, Option<&S>)> {
        self.log.changes.get(from..).unwrap_or_default().iter().map(|(slot, old)| match old {
            Old::State(state) => (*slot, Some(state)),
            Old::Nothing | Old::Entry(_) => (*slot, None),
        })
    }
    /// The slots from which the running batch has removed a key; another may be there now.
    pub(super) fn removed_slots(&self) -> impl Iterator<Item = u32> {
        let left = if self.log.removed.is_empty() { &[] } else { &self.log.changes[..] };
        left.iter().filter_map(|(slot, old)| matches!(old, Old::Entry(_)).then_some(*slot))
    }
    /// Takes back what the running batch has changed.
    pub(super) fn rollback(&mut self, table: &mut Table<K, S>) {
        while let Some((slot, old)) = self.log.changes.pop() {
            match old {
                Old::Nothing => drop(table.remove(slot)),
                Old::State(state) => drop(table.replace(slot, state)),
                Old::Entry(_) => {
                    let entry = self.log.removed.pop().expect("there is one for each removal");
                    table.restore(slot, entry);
                }
            }
        }
    }
    /// The batch has made `version`.
    pub(super) fn commit(&mut self, version: Time) {
        if !self.log.changes.is_empty() {
            let next = mem::take(&mut self.spare);
            self.undo.push_back((version, mem::replace(&mut self.log, next)));
        }
    }
    /// Nobody reads a version before `oldest` any more.
    pub(super) fn forget_before(&mut self, oldest: Time) {
        while let Some((_, mut log)) = self.undo.pop_front_if(|(version, _)| *version <= oldest) {
            log.clear();
            // One batch's log is about as long as the next one's; one that was much longer is given back.
            let fits = log.capacity() / SPARE_MAX <= self.log.changes.len();
            if fits && log.capacity() > self.spare.capacity() {
                self.spare = log;
            }
        }
    }

    /// The entries of `version` in slots from `from` on, as long as `take` wants more; the slot to go on at, or none at
    /// the end. `then` is what the call before found out about the version, if there was one.
    pub(super) fn scan(
        &self,
        table: &Table<K, S>,
        version: Time,
        from: usize,
        then: &mut Then,
        mut take: impl FnMut(&K, &S) -> bool,
    ) -> Option<usize> {
        let oldest_newer = self.undo.partition_point(|(changed, _)| *changed <= version);
        let newer = || self.undo.range(oldest_newer..).map(|(_, log)| log);
        if then.batches != newer().len() {
            *then = Then::of(newer());
        }
        for at in from..table.num_slots() {
            let slot = at as u32;
            let log = |batch: usize| &self.undo[oldest_newer + batch].1;
            let entry = match then.slots.get(&slot) {
                None => table.get(slot).map(|(key, state)| (key, state)),
                Some(Held::Nothing) => None,
                Some(Held::Entry { removed, state }) => {
                    let key = removed.map_or_else(|| &table.entry(slot).0, |(batch, change)| log(batch).key(change));
                    Some((key, log(state.0).state(state.1)))
                }
            };
            if let Some((key, state)) = entry
                && !take(key, state)
            {
                return Some(at + 1);
            }
        }
        None
    }
}
