//! [`DriverState`]: what the events of the journal come to. It changes by [`DriverState::apply`] alone, while a process runs
//! and when the next one recovers.

use super::event::{
    Blob, DriverEvent, LettersEnd, Millis, Started, StateSnapshot, StoredOperator, from_bytes, to_bytes,
};
use super::numbers::Numbers;
use headwater_core::Result;
use headwater_core::time::Time;
use headwater_storage::JournalState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is known of an application between two processes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct DriverState {
    /// None before the first process has begun.
    pub(super) grid: Option<Grid>,
    /// The processes that there were and the newest batch that was committed when each began, as far as something of
    /// them is still in the logs.
    pub(super) epochs: Vec<(u64, Millis)>,
    pub(super) operators: Vec<StoredOperator>,
    /// What the inputs had for batches that are not committed, and for those that later ones look back to; at least for
    /// the newest, which says where the next one goes on.
    pub(super) batches: BTreeMap<Millis, Vec<(String, Blob)>>,
    /// Times without batches, as far as somebody looks back to them.
    pub(super) gaps: Vec<(Millis, Millis)>,
    pub(super) snapshots: Vec<StateSnapshot>,
    /// The snapshot that is being written, or that was when a process ended.
    pub(super) begun: Option<u64>,
    /// Up to where the logs of states must reach: segment and offset of the newest record of each.
    pub(super) log_ends: [Option<(u64, u64)>; 2],
    /// The first segments of the logs of states that matter.
    pub(super) first_changes: u64,
    pub(super) first_windows: u64,
    /// See [`Started::lineage`].
    #[serde(default)]
    pub(super) lineage: Option<u64>,
    /// The newest batch that each output with a sink has committed.
    #[serde(default)]
    pub(super) sinks: BTreeMap<String, Millis>,
    /// What was set aside.
    #[serde(default, skip_serializing_if = "LetterState::is_new")]
    pub(super) letters: LetterState,
}

/// What is known of dead letters besides those that are in their log.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct LetterState {
    /// The number of the next letter: what the log has from it on was not committed.
    pub(super) next: u64,
    /// Up to where the log must reach.
    pub(super) end: Option<(u64, u64)>,
    /// The first segment that matters.
    pub(super) first: u64,
    /// Numbers in the log whose letters have gone.
    pub(super) removed: Numbers,
    /// Numbers in the log that count for nothing: their batch was not committed, and brought its letters once more.
    pub(super) void: Numbers,
    /// Those that go through their operators once more, with one of the next batches.
    pub(super) asked: Numbers,
}

impl LetterState {
    fn is_new(&self) -> bool {
        *self == LetterState::default()
    }
    /// Whether the letter of that number is there, if the log has it.
    pub(super) fn has(&self, number: u64) -> bool {
        number < self.next && !self.removed.contains(number) && !self.void.contains(number)
    }
    fn gone(&mut self, numbers: &Numbers) {
        self.removed.insert_all(numbers);
        self.asked.remove_all(numbers);
    }
}

/// When there are batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Grid {
    pub(super) zero: Millis,
    pub(super) batch_millis: u64,
    /// The newest batch that is committed; `zero` before the first.
    pub(super) committed: Millis,
    /// The newest batch whose inputs are fixed; `zero` before the first.
    pub(super) allocated: Millis,
}

/// Processes whose beginnings are remembered, at most: of older ones nothing can be in the logs that is still needed.
const EPOCHS_MAX: usize = 10_000;

impl DriverState {
    /// The batches that are fixed and not committed.
    pub(super) fn open_batches(&self) -> impl Iterator<Item = Time> {
        let committed = self.grid.map(|grid| grid.committed);
        self.batches.keys().filter(move |time| Some(**time) > committed).map(|time| (*time).into())
    }
    /// The newest batch that is committed; `zero` before there is anything.
    pub(super) fn committed_or(&self, zero: Time) -> Time {
        self.grid.map_or(zero, |grid| grid.committed.into())
    }
    /// Up to which batch what the process `epoch` wrote of states counts: the next one began there.
    pub(super) fn valid_times(&self, epoch: u64) -> Option<(Time, Time)> {
        let at = self.epochs.iter().position(|(known, _)| *known == epoch)?;
        let until = self.epochs.get(at + 1).map_or(Millis(i64::MAX), |(_, began)| *began);
        Some((self.epochs[at].1.into(), until.into()))
    }

    fn started(&mut self, Started { epoch, zero, batch_millis, operators, gaps, lineage }: &Started) {
        self.lineage = self.lineage.or(*lineage);
        let (committed, allocated) = self.grid.map_or((*zero, *zero), |grid| (grid.committed, grid.allocated));
        self.grid = Some(Grid { zero: *zero, batch_millis: *batch_millis, committed, allocated });
        self.epochs.push((*epoch, committed));
        let more = self.epochs.len().saturating_sub(EPOCHS_MAX);
        self.epochs.drain(..more);
        self.operators.clone_from(operators);
        self.gaps.extend(gaps);
    }
    fn committed(&mut self, time: Millis, forget: Millis) {
        let Some(grid) = &mut self.grid else { return };
        grid.committed = grid.committed.max(time);
        let newest = grid.allocated;
        self.batches.retain(|time, _| *time > forget || *time == newest);
        self.gaps.retain(|(_, before)| *before > forget);
        if self.operators.iter().all(|of| of.state.is_none()) {
            self.forget_epochs(time);
        }
    }
    /// What processes wrote for batches up to `done` is not needed any more.
    fn forget_epochs(&mut self, done: Millis) {
        let useless = self.epochs.iter().skip(1).take_while(|(_, began)| *began <= done).count();
        self.epochs.drain(..useless);
    }
}

impl JournalState for DriverState {
    type Event = DriverEvent;
    fn apply(&mut self, event: &DriverEvent) {
        match event {
            DriverEvent::Started(started) => self.started(started),
            DriverEvent::Allocated { time, inputs, letters } => {
                self.letters.gone(letters);
                self.batches.insert(*time, inputs.clone());
                self.grid.iter_mut().for_each(|grid| grid.allocated = grid.allocated.max(*time));
            }
            DriverEvent::Committed { time, forget, logs, sinks, letters } => {
                self.log_ends = *logs;
                self.sinks.extend(sinks.iter().map(|operator| (operator.clone(), *time)));
                if let Some(LettersEnd { next, segment, offset }) = *letters {
                    self.letters.next = next;
                    self.letters.end = Some((segment, offset));
                }
                self.committed(*time, *forget);
            }
            DriverEvent::SnapshotBegun { number } => self.begun = Some(*number),
            DriverEvent::SnapshotTaken(snapshot) => {
                self.begun = None;
                self.snapshots.push(snapshot.clone());
            }
            DriverEvent::SnapshotForgotten { number } => {
                self.begun = self.begun.filter(|begun| begun != number);
                self.snapshots.retain(|known| known.number != *number);
            }
            DriverEvent::LogsTrimmed { changes, windows, done } => {
                (self.first_changes, self.first_windows) = (*changes, *windows);
                self.forget_epochs(*done);
            }
            DriverEvent::LettersAsked { redrive, drop } => {
                self.letters.asked.insert_all(redrive);
                self.letters.gone(drop);
            }
            DriverEvent::LettersVoided { numbers, next } => {
                self.letters.void.insert_all(numbers);
                self.letters.next = *next;
            }
            DriverEvent::LettersTrimmed { segment, lowest } => {
                self.letters.first = *segment;
                self.letters.removed.remove(0, *lowest);
                self.letters.void.remove(0, *lowest);
            }
        }
    }
    fn snapshot(&self) -> Vec<u8> {
        to_bytes(self)
    }
    fn restore(bytes: &[u8]) -> Result<DriverState> {
        from_bytes(bytes, "state of the driver")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::event::StoredTypes;
    use headwater_storage::JournalEvent;

    fn started(epoch: u64) -> DriverEvent {
        let state = Some(StoredTypes { key: "u64".into(), value: "u64".into(), version: 0 });
        let (id, kind, place, since) = ("sums".into(), "map_with_state".into(), "here".into(), Millis(0));
        let operators = vec![StoredOperator { id, kind, place, since, state, partitions: Some(4), window: None }];
        let (zero, gaps) = (Millis(0), Vec::new());
        DriverEvent::Started(Started { epoch, zero, batch_millis: 10, operators, gaps, lineage: None })
    }
    fn allocated(time: i64) -> DriverEvent {
        let inputs = vec![("a".into(), Blob(vec![time as u8]))];
        DriverEvent::Allocated { time: Millis(time), inputs, letters: Numbers::default() }
    }
    fn committed(time: i64, forget: i64) -> DriverEvent {
        let (logs, sinks, letters) = ([None; 2], Vec::new(), None);
        DriverEvent::Committed { time: Millis(time), forget: Millis(forget), logs, sinks, letters }
    }
    fn after(events: &[DriverEvent]) -> DriverState {
        let mut state = DriverState::default();
        for event in events {
            state.apply(&DriverEvent::decode(&event.encode()).unwrap());
        }
        assert_eq!(DriverState::restore(&state.snapshot()).unwrap(), state);
        state
    }
    fn times(state: &DriverState) -> Vec<i64> {
        state.batches.keys().map(|time| time.0).collect()
    }

    #[test]
    fn what_is_committed_is_forgotten_but_for_the_newest_batch() {
        let state = after(&[started(1), allocated(10), allocated(20), committed(10, 10)]);
        assert_eq!((times(&state), state.open_batches().count()), (vec![20], 1));
        let state = after(&[started(1), allocated(10), allocated(20), committed(10, 10), committed(20, 20)]);
        assert_eq!((times(&state), state.open_batches().count()), (vec![20], 0));
        let state =
            after(&[started(1), allocated(10), allocated(20), allocated(30), committed(10, 0), committed(20, 10)]);
        assert_eq!(times(&state), [20, 30]);
    }

    #[test]
    fn what_a_process_wrote_behind_the_last_commit_does_not_count() {
        let state = after(&[started(1), allocated(10), committed(10, 10), allocated(20), started(2)]);
        let at = Time::from_millis;
        assert_eq!(state.valid_times(1), Some((at(0), at(10))));
        assert_eq!(state.valid_times(2), Some((at(10), at(i64::MAX))));
        assert_eq!(state.valid_times(3), None);
    }

    #[test]
    fn processes_of_which_nothing_is_left_are_forgotten() {
        let snapshot = |number, at| {
            let (since, until) = (Millis(at), Millis(at));
            DriverEvent::SnapshotTaken(StateSnapshot { number, since, until, records: 0, bytes: 0 })
        };
        let mut events = vec![started(1)];
        for epoch in 2..50 {
            let time = epoch as i64 * 10;
            events.extend([allocated(time), committed(time, time), started(epoch), snapshot(epoch, time)]);
            events.push(DriverEvent::LogsTrimmed { changes: epoch, windows: epoch, done: Millis(time - 10) });
            if epoch > 2 {
                events.push(DriverEvent::SnapshotForgotten { number: epoch - 1 });
            }
        }
        assert_eq!(after(&events).epochs, [(48, Millis(480)), (49, Millis(490))]);
    }

    #[test]
    fn letters_go_when_they_are_driven_again_or_dropped() {
        let numbers = |from, until| (from..until).collect::<Numbers>();
        let with_letters = |time, letters| DriverEvent::Allocated { time: Millis(time), inputs: Vec::new(), letters };
        let end = LettersEnd { next: 8, segment: 1, offset: 60 };
        let logs = [None; 2];
        let committed = DriverEvent::Committed {
            time: Millis(10),
            forget: Millis(10),
            logs,
            sinks: Vec::new(),
            letters: Some(end),
        };
        let mut events = vec![started(1), allocated(10), committed];
        events.push(DriverEvent::LettersAsked { redrive: numbers(1, 4), drop: numbers(3, 5) });
        events.push(with_letters(20, numbers(1, 2)));
        events.push(DriverEvent::LettersVoided { numbers: numbers(8, 10), next: 10 });
        let LetterState { next, end, removed, void, asked, .. } = after(&events).letters;
        assert_eq!((next, end, asked), (10, Some((1, 60)), numbers(2, 3)));
        assert_eq!((removed, void), ([1, 3, 4].into_iter().collect(), numbers(8, 10)));
        events.push(DriverEvent::LettersTrimmed { segment: 2, lowest: 4 });
        let letters = after(&events).letters;
        assert_eq!((letters.first, &letters.removed, &letters.void), (2, &numbers(4, 5), &numbers(8, 10)));
        assert!(letters.has(7) && !letters.has(8) && !letters.has(10));
    }

    #[test]
    fn a_state_without_letters_is_written_as_before_there_were_any() {
        let text =
            String::from_utf8_lossy(&after(&[started(1), allocated(10), committed(10, 10)]).snapshot()).into_owned();
        assert!(text.contains("first_windows") && !text.contains("letters"), "{text}");
    }

    #[test]
    fn a_newer_release_is_named() {
        let error = DriverEvent::decode(&[9, 0]).unwrap_err().to_string();
        assert!(error.contains("version 9"), "{error}");
    }
}
