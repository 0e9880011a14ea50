//! [`BatchInfo`]: a batch as its listeners see it.

use super::{OutputOperationInfo, StreamId, StreamInputInfo};
use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// A batch, as far as it has come. Times are those of the driver's clock. Source: Spark's `BatchInfo`.
///
/// ```
/// use headwater_core::listener::{BatchInfo, StreamId, StreamInputInfo};
/// use headwater_core::time::{milliseconds, Time};
/// let mut batch = BatchInfo::new(Time::from_millis(1000), Time::from_millis(1002));
/// assert_eq!((batch.scheduling_delay(), batch.total_delay()), (None, None));
/// batch.processing_start_time = Some(Time::from_millis(1005));
/// batch.processing_end_time = Some(Time::from_millis(1105));
/// assert_eq!(batch.scheduling_delay(), Some(milliseconds(3)));
/// assert_eq!(batch.processing_delay(), Some(milliseconds(100)));
/// assert_eq!(batch.total_delay(), Some(milliseconds(103)));
/// for stream in [0, 1] {
///     let input = StreamInputInfo::new(StreamId::new(stream), 20);
///     batch.stream_id_to_input_info.insert(input.input_stream_id, input);
/// }
/// assert_eq!(batch.num_records(), 40);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BatchInfo {
    /// The batch's name.
    pub batch_time: Time,
    /// What the inputs brought, of those that report it: receivers do, queues do not.
    pub stream_id_to_input_info: BTreeMap<StreamId, StreamInputInfo>,
    /// When its jobs were handed to the scheduler.
    pub submission_time: Time,
    /// When its first job began.
    pub processing_start_time: Option<Time>,
    /// When its last job ended, well or not.
    pub processing_end_time: Option<Time>,
    /// Its output operations by their position among those of the program. One without an RDD at this time has no
    /// job, and does not stand here.
    pub output_operation_infos: BTreeMap<usize, OutputOperationInfo>,
}

impl BatchInfo {
    /// A batch that was submitted and has not begun, without inputs and outputs.
    pub fn new(batch_time: Time, submission_time: Time) -> BatchInfo {
        let (stream_id_to_input_info, output_operation_infos) = Default::default();
        let (processing_start_time, processing_end_time) = (None, None);
        BatchInfo {
            batch_time,
            stream_id_to_input_info,
            submission_time,
            processing_start_time,
            processing_end_time,
            output_operation_infos,
        }
    }
    /// How long it waited for its first job to begin.
    pub fn scheduling_delay(&self) -> Option<Duration> {
        Some(self.processing_start_time? - self.submission_time)
    }
    /// From the beginning of its first job to the end of its last.
    pub fn processing_delay(&self) -> Option<Duration> {
        Some(self.processing_end_time? - self.processing_start_time?)
    }
    /// From its submission to the end of its last job.
    pub fn total_delay(&self) -> Option<Duration> {
        Some(self.scheduling_delay()? + self.processing_delay()?)
    }
    /// The records of all inputs that report them.
    pub fn num_records(&self) -> u64 {
        self.stream_id_to_input_info.values().map(|input| input.num_records).sum()
    }
}
