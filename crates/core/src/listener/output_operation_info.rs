//! [`OutputOperationInfo`]: one output operation of one batch, as its listeners see it.

use crate::time::Time;
use std::time::Duration;

/// One output operation of one batch, as far as it has come. Source: Spark's `OutputOperationInfo`.
///
/// ```
/// use headwater_core::listener::OutputOperationInfo;
/// use headwater_core::time::{milliseconds, Time};
/// let mut output = OutputOperationInfo::new(Time::from_millis(1000), 0, "print at src/main.rs:9:5");
/// assert_eq!(output.duration(), None);
/// output.start_time = Some(Time::from_millis(1003));
/// output.end_time = Some(Time::from_millis(1010));
/// assert_eq!(output.duration(), Some(milliseconds(7)));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OutputOperationInfo {
    /// The batch.
    pub batch_time: Time,
    /// Its position among the output operations of the program, from 0.
    pub id: usize,
    /// The operation and where the program calls it: `print at src/main.rs:9:5`.
    pub name: String,
    /// The name with the operator's stable id.
    pub description: String,
    /// When its job began.
    pub start_time: Option<Time>,
    /// When its job ended, well or not.
    pub end_time: Option<Time>,
    /// What went wrong, if its job failed. A job that a stop has cut off failed too.
    pub failure_reason: Option<String>,
}

impl OutputOperationInfo {
    /// An output operation that has not begun, described by its name.
    pub fn new(batch_time: Time, id: usize, name: impl Into<String>) -> OutputOperationInfo {
        let name = name.into();
        let (start_time, end_time, failure_reason) = (None, None, None);
        OutputOperationInfo { batch_time, id, description: name.clone(), name, start_time, end_time, failure_reason }
    }
    /// How long its job took.
    pub fn duration(&self) -> Option<Duration> {
        Some(self.end_time? - self.start_time?)
    }
}
