//! [`Interval`]: the stretch of time whose data a batch holds.

use super::Time;
use crate::Result;
use crate::env::Clock;
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// From `begin` to `end`. Compared by value: by end, then by begin (Spark's `<=` and `>` contradict each other).
///
/// ```
/// use headwater_core::time::{seconds, Interval, Time};
/// let interval = Interval::new(Time::from_millis(1000), Time::from_millis(3000));
/// assert_eq!(interval.duration(), seconds(2));
/// assert_eq!((interval + seconds(1)).to_string(), "[2000 ms, 4000 ms]");
/// assert!(interval <= interval && interval < interval + seconds(1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Interval {
    /// Where it starts.
    pub begin: Time,
    /// Where it ends.
    pub end: Time,
}

impl Interval {
    /// From `begin` to `end`.
    pub const fn new(begin: Time, end: Time) -> Interval {
        Interval { begin, end }
    }

    /// The piece of the grid of `step` that the clock is in now.
    pub fn current(step: Duration, clock: &dyn Clock) -> Result<Interval> {
        let begin = clock.now().floor(step)?;
        Ok(Interval { begin, end: begin + step })
    }

    /// From begin to end.
    pub fn duration(&self) -> Duration {
        self.end - self.begin
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{}, {}]", self.begin, self.end)
    }
}
impl PartialOrd for Interval {
    fn partial_cmp(&self, other: &Interval) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Interval {
    fn cmp(&self, other: &Interval) -> std::cmp::Ordering {
        (self.end, self.begin).cmp(&(other.end, other.begin))
    }
}
impl Add<Duration> for Interval {
    type Output = Interval;
    fn add(self, duration: Duration) -> Interval {
        Interval { begin: self.begin + duration, end: self.end + duration }
    }
}
impl Sub<Duration> for Interval {
    type Output = Interval;
    fn sub(self, duration: Duration) -> Interval {
        Interval { begin: self.begin - duration, end: self.end - duration }
    }
}
