//! [`DirectInput`]: the driver's side of a direct stream. It fixes the ranges of each batch, keeps them until the batch
//! is done, hands them out for a journal and takes them back after a restart.

use super::plan::Plan;
use super::rate::due;
use super::{BatchRequest, DirectSource, OffsetRange, allocation};
use crate::input::{InputDStream, InputHost};
use crate::listener::{StreamId, StreamInputInfo};
use crate::time::Time;
use crate::{Error, ErrorKind, Result, panic_message};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Ranges that listeners are told of a batch; of the others, how many they are.
const TOLD_MAX: usize = 1000;

/// The input of a direct stream.
pub struct DirectInput<S> {
    source: S,
    /// The operator and where it was created.
    place: String,
    batch_duration: Duration,
    /// Offsets a second that a batch takes of each partition.
    max_rate_per_partition: Option<u64>,
    host: OnceLock<Arc<dyn InputHost>>,
    state: Mutex<State>,
}
#[derive(Default)]
struct State {
    /// The batches that have their ranges and are not done.
    batches: BTreeMap<Time, Allocated>,
    /// Up to where the batches have taken each partition.
    positions: BTreeMap<u32, u64>,
    /// The newest batch that has its ranges.
    newest: Option<Time>,
    /// What was wrong with the last batch: it is told once for as long as it stays the same.
    told: Option<String>,
}
struct Allocated {
    ranges: Arc<[OffsetRange]>,
    /// Offsets that were left in the source; none where it was not asked, or did not answer.
    lag: Option<u64>,
}

impl<S: DirectSource> DirectInput<S> {
    /// An input that asks `source` every `batch_duration`, for the stream that was created at `place`. A batch takes of
    /// each partition what is due at `max_rate_per_partition` offsets a second, or without it all there is.
    ///
    /// ```
    /// use headwater::direct::{DirectInput, OffsetRange, RateSource};
    /// use headwater::{input::InputDStream, prelude::*};
    /// let numbers = RateSource::new(5, 1, |number| number)?;
    /// let input = DirectInput::new(numbers, "numbers", seconds(1), None);
    /// let (first, second) = (Time::from_millis(1000), Time::from_millis(2000));
    /// input.allocate(first)?;
    /// assert_eq!(*input.ranges(first).unwrap(), [OffsetRange { partition: 0, from: 0, until: 5 }]);
    ///
    /// let restarted = DirectInput::new(RateSource::new(5, 1, |number| number)?, "numbers", seconds(1), None);
    /// restarted.restore(first, &input.allocation(first).unwrap())?;
    /// restarted.allocate(second)?;
    /// assert_eq!(restarted.ranges(first), input.ranges(first));
    /// assert_eq!(*restarted.ranges(second).unwrap(), [OffsetRange { partition: 0, from: 5, until: 10 }]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn new(
        source: S,
        place: impl Into<String>,
        batch_duration: Duration,
        max_rate_per_partition: Option<u64>,
    ) -> DirectInput<S> {
        let (place, host, state) = (place.into(), OnceLock::new(), Mutex::default());
        DirectInput { source, place, batch_duration, max_rate_per_partition, host, state }
    }
    /// Where the records are.
    pub fn source(&self) -> &S {
        &self.source
    }
    /// The ranges of a batch that is not done, one for each known partition, in their order.
    pub fn ranges(&self, time: Time) -> Option<Arc<[OffsetRange]>> {
        self.lock().batches.get(&time).map(|allocated| allocated.ranges.clone())
    }

    /// What batch `time` takes, from `positions` on; the source's code runs here.
    fn plan(&self, time: Time, since: Time, positions: BTreeMap<u32, u64>) -> Result<Plan> {
        let ask = || {
            let held = self.source.available(&BatchRequest { time, since, positions: &positions })?;
            let limit =
                self.max_rate_per_partition.map_or(u64::MAX, |rate| due(rate, time - self.batch_duration, time));
            Plan::new(&self.source.name(), positions, &held, |held| self.source.begin(held), limit)
        };
        catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
            Err(Error::new(ErrorKind::Data, format!("the source panicked: {}", panic_message(&*panic))))
        })
    }

    /// Tells of what is wrong with batch `time`. No batch fails by it: there is none of these records in it, and other
    /// inputs and states go on.
    fn tell(&self, time: Time, problem: Option<Error>) -> Result<()> {
        let message = problem.as_ref().map(Error::to_string);
        let before = std::mem::replace(&mut self.lock().told, message.clone());
        match problem {
            Some(problem) if before != message => {
                let error = problem.within(format!("{}, batch {time}: nothing was taken", self.place));
                match self.host.get() {
                    Some(host) => host.report_error(error),
                    None => return Err(error),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Batch `time`, which is the newest, has these ranges.
    fn go_on(&mut self, time: Time, ranges: &[OffsetRange]) {
        self.newest = Some(time);
        self.positions.extend(ranges.iter().map(|range| (range.partition, range.until)));
    }
    fn keep(&mut self, time: Time, ranges: Vec<OffsetRange>, lag: Option<u64>) {
        self.batches.insert(time, Allocated { ranges: ranges.into(), lag });
    }
}

/// Takes nothing, and keeps the place in each partition.
fn nothing(positions: &BTreeMap<u32, u64>) -> Vec<OffsetRange> {
    let empty =
        |(partition, position): (&u32, &u64)| OffsetRange { partition: *partition, from: *position, until: *position };
    positions.iter().map(empty).collect()
}

impl<S: DirectSource> InputDStream for DirectInput<S> {
    fn start(&self, _stream: StreamId, host: Arc<dyn InputHost>) -> Result<()> {
        // An input is started once.
        let _ = self.host.set(host);
        Ok(())
    }

    fn allocate(&self, time: Time) -> Result<()> {
        let (newest, positions) = {
            let state = self.lock();
            if state.batches.contains_key(&time) {
                // Restored: it has its ranges already.
                return Ok(());
            }
            (state.newest, state.positions.clone())
        };
        if newest >= Some(time) {
            // Batches after it were restored, and it was not: what it might have had is theirs.
            self.lock().keep(time, nothing(&positions), None);
            return Ok(());
        }
        let since = newest.unwrap_or(time - self.batch_duration);
        let (ranges, lag, problem) = match self.plan(time, since, positions.clone()) {
            Ok(plan) => (plan.ranges, Some(plan.lag), plan.problem),
            Err(error) => (nothing(&positions), None, Some(error)),
        };
        {
            let mut state = self.lock();
            state.go_on(time, &ranges);
            state.keep(time, ranges, lag);
        }
        self.tell(time, problem)
    }

    fn allocation(&self, time: Time) -> Option<Vec<u8>> {
        self.ranges(time).map(|ranges| allocation::to_bytes(&ranges))
    }

    fn restore(&self, time: Time, allocation: &[u8]) -> Result<()> {
        let of_batch = |error: Error| error.within(format!("{}, batch {time}", self.place));
        let mut ranges = allocation::from_bytes(allocation).map_err(of_batch)?;
        let mut state = self.lock();
        if let Some(earlier) = state.batches.get(&time) {
            // The batch interval is a multiple of what it was: the ranges of one partition follow each other.
            let begin = |partition| earlier.ranges.iter().find(|range| range.partition == partition);
            for range in &mut ranges {
                range.from = begin(range.partition).map_or(range.from, |earlier| earlier.from);
            }
        }
        if state.newest < Some(time) {
            state.go_on(time, &ranges);
        }
        state.keep(time, ranges, None);
        Ok(())
    }

    fn info(&self, stream: StreamId, time: Time) -> Option<StreamInputInfo> {
        let (ranges, lag) = {
            let state = self.lock();
            let allocated = state.batches.get(&time)?;
            (allocated.ranges.clone(), allocated.lag)
        };
        let taken: Vec<&OffsetRange> = ranges.iter().filter(|range| !range.is_empty()).collect();
        let mut told: Vec<String> = taken.iter().take(TOLD_MAX).map(|range| range.to_string()).collect();
        if let Some(more @ 1..) = taken.len().checked_sub(TOLD_MAX) {
            told.push(format!("and of {more} more partitions"));
        }
        let records = taken.iter().fold(0u64, |sum, range| sum.saturating_add(range.len()));
        let info = StreamInputInfo::new(stream, records).with_description(told.join("\n"));
        Some(match lag {
            Some(lag) => info.with_lag(lag),
            None => info,
        })
    }

    fn processed(&self, time: Time) {
        self.lock().batches.remove(&time);
    }
}

#[cfg(test)]
mod tests;
