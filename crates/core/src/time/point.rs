//! [`Time`]: a point on the driver's clock, and the arithmetic of the batch grid.

use super::DurationExt;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// Milliseconds since the epoch; the name of a batch. Source: Spark's `Time`.
///
/// ```
/// use headwater_core::time::{seconds, Time};
/// let batch = Time::from_millis(5000);
/// assert_eq!(batch + seconds(1), Time::from_millis(6000));
/// assert_eq!(batch - Time::from_millis(2000), seconds(3));
/// assert_eq!(batch.to_string(), "5000 ms");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Time(i64);

impl Time {
    /// The point `milliseconds` after (or, if negative, before) the epoch.
    pub const fn from_millis(milliseconds: i64) -> Time {
        Time(milliseconds)
    }

    /// Milliseconds since the epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// The last point of the grid `0, step, 2 * step, ...` that is not after this one. Rounds down, also before the
    /// epoch (Spark rounds towards zero there). A step below 1 ms is an error.
    ///
    /// ```
    /// use headwater_core::time::{milliseconds, Time};
    /// let step = milliseconds(200);
    /// assert_eq!(Time::from_millis(1350).floor(step)?, Time::from_millis(1200));
    /// assert_eq!(Time::from_millis(-1).floor(step)?, Time::from_millis(-200));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn floor(self, step: Duration) -> Result<Time> {
        self.floor_from(step, Time(0))
    }

    /// As [`Time::floor`], on the grid that starts at `zero`.
    ///
    /// ```
    /// use headwater_core::time::{milliseconds, Time};
    /// let floored = Time::from_millis(1350).floor_from(milliseconds(200), Time::from_millis(50))?;
    /// assert_eq!(floored, Time::from_millis(1250));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn floor_from(self, step: Duration, zero: Time) -> Result<Time> {
        let step = step_ms(step)?;
        Ok(Time(zero.0 + (self.0 - zero.0).div_euclid(step) * step))
    }

    /// Whether this lies on the grid `0, step, 2 * step, ...`. Never for a step below 1 ms.
    ///
    /// ```
    /// use headwater_core::time::{seconds, Time};
    /// assert!(Time::from_millis(4000).is_multiple_of(seconds(2)));
    /// assert!(!Time::from_millis(5000).is_multiple_of(seconds(2)));
    /// ```
    pub fn is_multiple_of(self, step: Duration) -> bool {
        step_ms(step).is_ok_and(|step| self.0.rem_euclid(step) == 0)
    }

    /// The grid points from this one up to and without `end`. A step below 1 ms is an error.
    ///
    /// ```
    /// use headwater_core::time::{seconds, Time};
    /// let times: Vec<_> = Time::from_millis(0).until(Time::from_millis(2000), seconds(1))?.collect();
    /// assert_eq!(times, [Time::from_millis(0), Time::from_millis(1000)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn until(self, end: Time, step: Duration) -> Result<impl Iterator<Item = Time>> {
        let step = step_ms(step)?;
        let start = self.0;
        Ok((0..).map(move |n| Time(start.saturating_add(step.saturating_mul(n)))).take_while(move |time| *time < end))
    }

    /// As [`Time::until`], with `end` itself when it lies on the grid.
    ///
    /// ```
    /// use headwater_core::time::{seconds, Time};
    /// let times: Vec<_> = Time::from_millis(0).to(Time::from_millis(1000), seconds(1))?.collect();
    /// assert_eq!(times, [Time::from_millis(0), Time::from_millis(1000)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn to(self, end: Time, step: Duration) -> Result<impl Iterator<Item = Time>> {
        self.until(Time(end.0.saturating_add(1)), step)
    }
}

/// The step in milliseconds, if it is one that a grid can have.
fn step_ms(step: Duration) -> Result<i64> {
    match step.milliseconds() {
        0 => Err(Error::program(format!("a time step must be at least 1 ms, got {step:?}"))),
        ms => Ok(ms),
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}
impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(duration.milliseconds()))
    }
}
impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}
impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(duration.milliseconds()))
    }
}
/// The distance; zero when `earlier` is in fact later, since a `Duration` cannot be negative.
impl Sub<Time> for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}
