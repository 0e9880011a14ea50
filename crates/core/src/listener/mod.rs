//! What a program can hear of while it runs: a [`StreamingListener`] is given each [`StreamingEvent`] with the data
//! types below. The scheduler posts them on the way of a batch; the bus that carries them lives in the runtime.

mod batch_info;
mod output_operation_info;
mod receiver_info;
mod stats_report_listener;
mod stream_input_info;
mod streaming_event;
mod streaming_listener;

pub use batch_info::BatchInfo;
pub use output_operation_info::OutputOperationInfo;
pub use receiver_info::ReceiverInfo;
pub use stats_report_listener::StatsReportListener;
pub use stream_input_info::{StreamId, StreamInputInfo};
pub use streaming_event::StreamingEvent;
pub use streaming_listener::StreamingListener;
