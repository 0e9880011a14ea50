//! [`StreamingEvent`]: what the bus carries.

use super::{BatchInfo, OutputOperationInfo, ReceiverInfo};
use crate::time::Time;

/// What happened. Listeners get events in the order in which they were posted: `StreamingStarted` first; of a batch
/// `BatchSubmitted`, `BatchStarted` with its first job, and `BatchCompleted` when all its jobs have ended; of each of
/// its outputs `OutputOperationStarted` and `OutputOperationCompleted` in between. A batch without jobs posts nothing,
/// nor does one whose jobs could not be made; a batch of which a stop drops a job is never completed. Source: Spark's
/// `StreamingListenerEvent`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum StreamingEvent {
    /// The context has started.
    StreamingStarted {
        /// When.
        time: Time,
    },
    /// The jobs of a batch wait for their turn.
    BatchSubmitted(BatchInfo),
    /// The first job of a batch begins.
    BatchStarted(BatchInfo),
    /// All jobs of a batch have ended, also when some failed.
    BatchCompleted(BatchInfo),
    /// The job of an output begins.
    OutputOperationStarted(OutputOperationInfo),
    /// The job of an output has ended, well or not.
    OutputOperationCompleted(OutputOperationInfo),
    /// A receiver receives: for the first time, or again after an error.
    ReceiverStarted(ReceiverInfo),
    /// A receiver cannot receive for now; it tries again.
    ReceiverError(ReceiverInfo),
    /// A receiver has ended with its context.
    ReceiverStopped(ReceiverInfo),
}

impl StreamingEvent {
    /// What it is called: `BatchCompleted`.
    ///
    /// ```
    /// use headwater_core::{listener::StreamingEvent, time::Time};
    /// let event = StreamingEvent::StreamingStarted { time: Time::from_millis(0) };
    /// assert_eq!(event.name(), "StreamingStarted");
    /// ```
    pub fn name(&self) -> &'static str {
        match self {
            StreamingEvent::StreamingStarted { .. } => "StreamingStarted",
            StreamingEvent::BatchSubmitted(_) => "BatchSubmitted",
            StreamingEvent::BatchStarted(_) => "BatchStarted",
            StreamingEvent::BatchCompleted(_) => "BatchCompleted",
            StreamingEvent::OutputOperationStarted(_) => "OutputOperationStarted",
            StreamingEvent::OutputOperationCompleted(_) => "OutputOperationCompleted",
            StreamingEvent::ReceiverStarted(_) => "ReceiverStarted",
            StreamingEvent::ReceiverError(_) => "ReceiverError",
            StreamingEvent::ReceiverStopped(_) => "ReceiverStopped",
        }
    }
}
