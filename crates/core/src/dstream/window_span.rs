//! [`Window`]: how long the windows of an operator are and how often there is one. Every window operator takes it, and
//! checks it against the stream that it reads.

use super::DStream;
use crate::time::DurationExt;
use crate::{Error, Record};
use std::panic::Location;
use std::time::Duration;

/// The window of an operator: its length and its slide duration, which is how long after one window the next one ends.
/// Without a slide duration of its own there is a window per batch of the stream that is read. Both must be multiples
/// of that stream's slide duration; the start fails if they are not. They are counted in batch times from the start.
///
/// A `Duration` alone is a length; a pair of them is a length and a slide duration, in Spark's order.
///
/// ```
/// use headwater::{prelude::*, testkit::check};
/// let program = |numbers: DStream<i32>| {
///     let last_two = numbers.window(Window::new(seconds(2)));
///     assert_eq!(last_two.slide_duration(), seconds(1));
///     let pairs = numbers.window(Window::new(seconds(2)).sliding(seconds(2)));
///     assert_eq!(pairs.slide_duration(), seconds(2));
///     assert_eq!(numbers.window((seconds(2), seconds(2))).slide_duration(), seconds(2));
///     numbers.window(seconds(2))
/// };
/// check([vec![1], vec![2], vec![3]], program, [vec![1], vec![1, 2], vec![2, 3]]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    length: Duration,
    slide: Option<Duration>,
}

impl Window {
    /// Windows of this length, one per batch of the stream that is read.
    pub const fn new(length: Duration) -> Window {
        Window { length, slide: None }
    }

    /// The same length, with a window every `slide`. Windows overlap where it is shorter than the length; where it is
    /// longer, there are batches in no window.
    pub const fn sliding(self, slide: Duration) -> Window {
        Window { slide: Some(slide), ..self }
    }
}
impl From<Duration> for Window {
    fn from(length: Duration) -> Window {
        Window::new(length)
    }
}
impl From<(Duration, Duration)> for Window {
    fn from((length, slide): (Duration, Duration)) -> Window {
        Window::new(length).sliding(slide)
    }
}

impl<T: Record> DStream<T> {
    /// The length and the slide duration of the operator `kind` over this stream. What cannot be is refused, with the
    /// caller's place, and something that can be stands in for it, so that building goes on.
    #[track_caller]
    pub(super) fn checked_window(&self, kind: &str, window: Window) -> (Duration, Duration) {
        let slide = window.slide.unwrap_or(self.slide_duration());
        (self.multiple(kind, "window", window.length), self.multiple(kind, "slide", slide))
    }

    #[track_caller]
    fn multiple(&self, kind: &str, what: &str, value: Duration) -> Duration {
        let step = self.slide_duration();
        if !value.is_zero() && value.is_multiple_of_duration(step) {
            return value;
        }
        let (below, above) = neighbours(value, step);
        let nearest = match (below.is_zero(), above.is_multiple_of_duration(step)) {
            (true, _) => format!("the shortest is {above:?}"),
            (false, true) => format!("the nearest are {below:?} and {above:?}"),
            // No longer duration can be written.
            (false, false) => format!("the nearest is {below:?}"),
        };
        let wrong = if value.is_zero() { "is too short for" } else { "is no multiple of" };
        self.graph.refuse(Error::program(format!(
            "{kind} at {}: the {what} duration of {value:?} {wrong} the slide duration of {step:?} of the stream it \
             reads; {nearest}",
            Location::caller()
        )));
        if below.is_zero() { above } else { below }
    }
}

/// The multiples of `step` at or below `value` and above it.
fn neighbours(value: Duration, step: Duration) -> (Duration, Duration) {
    const SECOND: u128 = 1_000_000_000;
    let over = value.as_nanos().checked_rem(step.as_nanos()).unwrap_or_default();
    let over = Duration::new((over / SECOND) as u64, (over % SECOND) as u32);
    (value - over, (value - over).saturating_add(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{milliseconds, seconds};

    #[test]
    fn the_nearest_multiples_are_below_and_above() {
        assert_eq!(neighbours(milliseconds(2500), seconds(1)), (seconds(2), seconds(3)));
        assert_eq!(neighbours(milliseconds(500), seconds(1)), (seconds(0), seconds(1)));
        assert_eq!(neighbours(seconds(0), seconds(3)), (seconds(0), seconds(3)));
        let (below, above) = neighbours(Duration::MAX, seconds(2));
        assert_eq!((below, above), (seconds(u64::MAX - 1), Duration::MAX));
    }
}
