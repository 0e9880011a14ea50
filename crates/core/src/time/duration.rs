//! What a batch interval needs beyond `std::time::Duration`: whole milliseconds and multiples.

use crate::{Error, Result};
use std::time::Duration;

/// `n` milliseconds; Spark's `Milliseconds(n)`.
pub const fn milliseconds(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// `n` seconds; Spark's `Seconds(n)`.
pub const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// `n` minutes; Spark's `Minutes(n)`.
pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

/// Spark's `Duration` methods on the standard type. Comparison, `min`, `max`, `+ - * /` and `is_zero` are std's own.
pub trait DurationExt: Sized {
    /// Whole milliseconds; what is below one is cut off.
    ///
    /// ```
    /// use headwater_core::time::{seconds, DurationExt};
    /// assert_eq!(seconds(2).milliseconds(), 2000);
    /// ```
    fn milliseconds(&self) -> i64;

    /// Whether this is a whole number of `other`s. Zero is no divisor: nothing is a multiple of it.
    ///
    /// ```
    /// use headwater_core::time::{milliseconds, seconds, DurationExt};
    /// assert!(seconds(10).is_multiple_of_duration(milliseconds(500)));
    /// assert!(!seconds(10).is_multiple_of_duration(seconds(3)));
    /// ```
    fn is_multiple_of_duration(&self, other: Duration) -> bool;

    /// How many `other`s fit, as a fraction; Spark's `/`. Zero is an error (Spark: infinity).
    ///
    /// ```
    /// use headwater_core::time::{seconds, DurationExt};
    /// assert_eq!(seconds(3).ratio(seconds(2)).unwrap(), 1.5);
    /// assert!(seconds(3).ratio(seconds(0)).is_err());
    /// ```
    fn ratio(&self, other: Duration) -> Result<f64>;

    /// Spark's `toString`: `"500 ms"`.
    ///
    /// ```
    /// use headwater_core::time::{seconds, DurationExt};
    /// assert_eq!(seconds(1).to_millis_string(), "1000 ms");
    /// ```
    fn to_millis_string(&self) -> String;

    /// For people: `"350 ms"`, `"1.5 s"`, `"2.0 min"`, `"3.25 h"`.
    ///
    /// ```
    /// use headwater_core::time::{milliseconds, minutes, DurationExt};
    /// assert_eq!(milliseconds(350).pretty_print(), "350 ms");
    /// assert_eq!(milliseconds(1500).pretty_print(), "1.5 s");
    /// assert_eq!(minutes(2).pretty_print(), "2.0 min");
    /// assert_eq!(minutes(195).pretty_print(), "3.25 h");
    /// ```
    fn pretty_print(&self) -> String;
}

impl DurationExt for Duration {
    fn milliseconds(&self) -> i64 {
        i64::try_from(self.as_millis()).unwrap_or(i64::MAX)
    }
    fn is_multiple_of_duration(&self, other: Duration) -> bool {
        !other.is_zero() && self.as_nanos().is_multiple_of(other.as_nanos())
    }
    fn ratio(&self, other: Duration) -> Result<f64> {
        if other.is_zero() {
            return Err(Error::program(format!("cannot divide {} by a duration of zero", self.to_millis_string())));
        }
        Ok(self.as_secs_f64() / other.as_secs_f64())
    }
    fn to_millis_string(&self) -> String {
        format!("{} ms", self.milliseconds())
    }
    fn pretty_print(&self) -> String {
        let ms = self.as_millis() as f64;
        match ms {
            _ if ms < 1e3 => format!("{ms} ms"),
            _ if ms < 6e4 => format!("{:.1} s", ms / 1e3),
            _ if ms < 3.6e6 => format!("{:.1} min", ms / 6e4),
            _ => format!("{:.2} h", ms / 3.6e6),
        }
    }
}
