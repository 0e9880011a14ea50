//! [`Resumption`]: which batches a process begins with, from what the one before it left and what time it is. Data in, data
//! out.

use super::driver_state::DriverState;
use headwater_core::time::{DurationExt, Time};
use headwater_core::{Error, Result};
use std::time::Duration;

/// What becomes of the batches whose time came while no process ran.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DownTime {
    /// Each is made, in order, as fast as they are done.
    InOrder,
    /// One batch, the newest of them, stands for all.
    Merge,
    /// There are none; the next one in time goes on.
    Skip,
    /// All are made at once, however many wait then: what Spark does.
    AllAtOnce,
}

/// Where a process begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resumption {
    /// The time before the first batch there ever was, or one that is on the same grid.
    pub(crate) zero: Time,
    /// Batches whose inputs are fixed and that were not committed, oldest first.
    pub(crate) again: Vec<Time>,
    /// The batch behind those.
    pub(crate) next: Time,
    /// Times without a batch, new ones: both ends are outside.
    pub(crate) gaps: Vec<(Time, Time)>,
    /// Up to here batches are made without regard to how many wait.
    pub(crate) at_once_until: Option<Time>,
}

impl Resumption {
    /// From `state`, with a batch every `batch` from now on.
    pub(super) fn of(state: &DriverState, batch: Duration, now: Time, policy: DownTime) -> Result<Resumption> {
        let Some(grid) = state.grid else {
            let zero = now.floor(batch)?;
            let (again, next, gaps) = (Vec::new(), zero + batch, Vec::new());
            return Ok(Resumption { zero, again, next, gaps, at_once_until: None });
        };
        let (zero, newest): (Time, Time) = (grid.zero.into(), grid.allocated.into());
        let again: Vec<Time> = state.open_batches().collect();
        let (zero, mut gaps) = match Duration::from_millis(grid.batch_millis) {
            old if old == batch => (zero, Vec::new()),
            old if old.is_multiple_of_duration(batch) => (zero, between(state, zero, old)),
            old if batch.is_multiple_of_duration(old) && again.is_empty() => {
                let batches = (newest - zero).milliseconds() / batch.milliseconds();
                (newest - batch * batches as u32, Vec::new())
            }
            old => return Err(refused(old, batch, &again)),
        };
        let due = now.floor_from(batch, zero)?;
        let (first, mut at_once_until) = (newest + batch, None);
        let next = match policy {
            DownTime::InOrder => first,
            DownTime::AllAtOnce => {
                at_once_until = Some(due);
                first
            }
            DownTime::Merge => first.max(due),
            DownTime::Skip => first.max(due + batch),
        };
        if next > first {
            gaps.push((newest, next));
        }
        Ok(Resumption { zero, again, next, gaps, at_once_until })
    }
}

/// On a finer grid, the times between the batches of the coarser one.
fn between(state: &DriverState, zero: Time, old: Duration) -> Vec<(Time, Time)> {
    let batches = state.batches.keys().map(|time| Time::from(*time)).filter(|time| *time > zero);
    batches.map(|time| (time - old, time)).collect()
}

fn refused(old: Duration, new: Duration, again: &[Time]) -> Error {
    match again {
        [first, .., last] | [first @ last] if new.is_multiple_of_duration(old) => Error::program(format!(
            "the batch interval was {old:?} and is {new:?}, and the batches from {first} to {last} are not done: they have \
             their records by the old interval; start once with {old:?} and stop gracefully, then change it"
        )),
        _ => Error::program(format!(
            "the batch interval was {old:?} and is {new:?}: it may become a divisor or a multiple of what it was"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{DriverEvent, Millis, Started};
    use super::*;
    use headwater_storage::JournalState;

    /// An application with a batch every 10 ms from 100 on, of which so many are fixed and so many committed.
    fn state(allocated: i64, committed: i64) -> DriverState {
        let mut state = DriverState::default();
        let (operators, gaps) = (Vec::new(), Vec::new());
        state.apply(&DriverEvent::Started(Started {
            epoch: 1,
            zero: Millis(100),
            batch_millis: 10,
            operators,
            gaps,
            lineage: None,
        }));
        let time = |n: i64| Millis(100 + 10 * n);
        (1..=allocated).for_each(|n| {
            state.apply(&DriverEvent::Allocated { time: time(n), inputs: Vec::new(), letters: Default::default() })
        });
        let (forget, logs) = (Millis(0), [None; 2]);
        (1..=committed)
            .map(|n| DriverEvent::Committed { time: time(n), forget, logs, sinks: Vec::new(), letters: None })
            .for_each(|event| state.apply(&event));
        state
    }
    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }
    /// (zero, again, next, gaps)
    type Is = (i64, Vec<i64>, i64, Vec<(i64, i64)>);
    fn resumed(state: &DriverState, batch: u64, now: i64, policy: DownTime) -> Result<Is, String> {
        let of =
            Resumption::of(state, Duration::from_millis(batch), at(now), policy).map_err(|error| error.to_string())?;
        let millis = |time: &Time| time.milliseconds();
        let gaps = of.gaps.iter().map(|(after, before)| (millis(after), millis(before))).collect();
        Ok((millis(&of.zero), of.again.iter().map(millis).collect(), millis(&of.next), gaps))
    }

    #[test]
    fn down_time_goes_by_the_policy() {
        let left = state(4, 2);
        let again = vec![130, 140];
        assert_eq!(resumed(&DriverState::default(), 10, 1234, DownTime::InOrder), Ok((1230, vec![], 1240, vec![])));
        assert_eq!(resumed(&left, 10, 1234, DownTime::InOrder), Ok((100, again.clone(), 150, vec![])));
        assert_eq!(resumed(&left, 10, 1234, DownTime::AllAtOnce), Ok((100, again.clone(), 150, vec![])));
        assert_eq!(resumed(&left, 10, 1234, DownTime::Merge), Ok((100, again.clone(), 1230, vec![(140, 1230)])));
        assert_eq!(resumed(&left, 10, 1234, DownTime::Skip), Ok((100, again.clone(), 1240, vec![(140, 1240)])));
        // A restart within a batch, and one with a clock that was moved back.
        for policy in [DownTime::InOrder, DownTime::Merge, DownTime::Skip, DownTime::AllAtOnce] {
            assert_eq!(resumed(&left, 10, 144, policy), Ok((100, again.clone(), 150, vec![])));
            assert_eq!(resumed(&left, 10, 7, policy), Ok((100, again.clone(), 150, vec![])));
        }
    }

    #[test]
    fn the_interval_may_become_a_divisor_or_a_multiple() {
        let gaps = vec![(100, 110), (110, 120)];
        assert_eq!(resumed(&state(2, 1), 5, 121, DownTime::InOrder), Ok((100, vec![120], 125, gaps)));
        assert_eq!(resumed(&state(3, 3), 20, 131, DownTime::InOrder), Ok((110, vec![], 150, vec![])));
        let error = resumed(&state(3, 1), 20, 131, DownTime::InOrder).unwrap_err();
        assert!(error.contains("from 120 ms to 130 ms are not done"), "{error}");
        let error = resumed(&state(3, 3), 15, 131, DownTime::InOrder).unwrap_err();
        assert!(error.contains("was 10ms and is 15ms: it may become a divisor or a multiple"), "{error}");
    }
}
