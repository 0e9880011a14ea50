//! [`StreamingListener`]: who hears of what happens to batches and receivers.

use super::{BatchInfo, OutputOperationInfo, ReceiverInfo, StreamingEvent};
use crate::time::Time;

/// Hears of what happens while a program runs, by one method per event; those that are left out do nothing. A closure
/// over [`StreamingEvent`] is a listener too. Source: Spark's `StreamingListener`.
///
/// All listeners of a context are called on one thread of its own, one event after another. A slow one holds up no
/// batch; events wait for it, up to `Conf::listener_queue_max`, and are dropped above that. A listener cannot wait for
/// the context or stop it; it may request a stop by a stop handle.
///
/// ```
/// use headwater::{listener::BatchInfo, prelude::*, testkit};
/// use std::sync::mpsc::{channel, Sender};
///
/// struct Delays(Sender<Option<Duration>>);
/// impl StreamingListener for Delays {
///     fn on_batch_completed(&mut self, batch: &BatchInfo) {
///         self.0.send(batch.total_delay()).unwrap();
///     }
/// }
///
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.queue_stream(&RddQueue::<u64>::new()).print();
/// let (sent, delays) = channel();
/// ssc.add_streaming_listener(Delays(sent));
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// assert_eq!(delays.recv().unwrap(), Some(Duration::ZERO));
/// # Ok::<(), headwater::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no listener",
    note = "implement `StreamingListener` for it, or give a closure whose argument has its type: \
            `|event: &StreamingEvent| ...`"
)]
pub trait StreamingListener: Send + 'static {
    /// The context has started.
    fn on_streaming_started(&mut self, _time: Time) {}
    /// The jobs of a batch wait for their turn.
    fn on_batch_submitted(&mut self, _batch: &BatchInfo) {}
    /// The first job of a batch begins.
    fn on_batch_started(&mut self, _batch: &BatchInfo) {}
    /// All jobs of a batch have ended, also when some failed.
    fn on_batch_completed(&mut self, _batch: &BatchInfo) {}
    /// The job of an output begins.
    fn on_output_operation_started(&mut self, _output: &OutputOperationInfo) {}
    /// The job of an output has ended, well or not.
    fn on_output_operation_completed(&mut self, _output: &OutputOperationInfo) {}
    /// A receiver receives.
    fn on_receiver_started(&mut self, _receiver: &ReceiverInfo) {}
    /// A receiver cannot receive for now; it tries again.
    fn on_receiver_error(&mut self, _receiver: &ReceiverInfo) {}
    /// A receiver has ended with its context.
    fn on_receiver_stopped(&mut self, _receiver: &ReceiverInfo) {}

    /// Every event comes in here, and is handed to the method of its kind.
    fn on_event(&mut self, event: &StreamingEvent) {
        match event {
            StreamingEvent::StreamingStarted { time } => self.on_streaming_started(*time),
            StreamingEvent::BatchSubmitted(batch) => self.on_batch_submitted(batch),
            StreamingEvent::BatchStarted(batch) => self.on_batch_started(batch),
            StreamingEvent::BatchCompleted(batch) => self.on_batch_completed(batch),
            StreamingEvent::OutputOperationStarted(output) => self.on_output_operation_started(output),
            StreamingEvent::OutputOperationCompleted(output) => self.on_output_operation_completed(output),
            StreamingEvent::ReceiverStarted(receiver) => self.on_receiver_started(receiver),
            StreamingEvent::ReceiverError(receiver) => self.on_receiver_error(receiver),
            StreamingEvent::ReceiverStopped(receiver) => self.on_receiver_stopped(receiver),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<F: FnMut(&StreamingEvent) + Send + 'static> StreamingListener for F {
    fn on_event(&mut self, event: &StreamingEvent) {
        self(event);
    }
}
