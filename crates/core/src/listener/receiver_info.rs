//! [`ReceiverInfo`]: a receiver as its listeners see it.

use super::StreamId;
use crate::Error;
use crate::time::Time;

/// A receiver and how it is. Source: Spark's `ReceiverInfo`.
///
/// ```
/// use headwater_core::listener::{ReceiverInfo, StreamId};
/// let receiver = ReceiverInfo::new(StreamId::new(2), "SocketReceiver");
/// assert_eq!(receiver.name, "SocketReceiver-2");
/// assert_eq!((receiver.active, receiver.last_error_time), (false, None));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ReceiverInfo {
    /// The input that it receives for.
    pub stream_id: StreamId,
    /// What it is, with the stream's id: `SocketReceiver-0`.
    pub name: String,
    /// Whether it can receive now: a socket, whether it is connected.
    pub active: bool,
    /// The host that it runs on; `localhost` is the driver's.
    pub location: String,
    /// The process that it runs in; `driver` is the driver's.
    pub executor_id: String,
    /// What went wrong last, since it was last started.
    pub last_error_message: Option<String>,
    /// What lay below that: the system's own words, or the user's code's.
    pub last_error: Option<String>,
    /// When it went wrong.
    pub last_error_time: Option<Time>,
}

impl ReceiverInfo {
    /// A receiver of the class `class` in the driver's process, which has not started.
    pub fn new(stream_id: StreamId, class: &str) -> ReceiverInfo {
        let (last_error_message, last_error, last_error_time) = (None, None, None);
        ReceiverInfo {
            stream_id,
            name: format!("{class}-{stream_id}"),
            active: false,
            location: "localhost".to_owned(),
            executor_id: "driver".to_owned(),
            last_error_message,
            last_error,
            last_error_time,
        }
    }
    /// It receives now; what went wrong before is over.
    ///
    /// ```
    /// use headwater_core::listener::{ReceiverInfo, StreamId};
    /// use headwater_core::{time::Time, Error, ErrorKind};
    /// let mut receiver = ReceiverInfo::new(StreamId::new(0), "SocketReceiver");
    /// let refused = Error::new(ErrorKind::Outside, "error connecting to host:9999").because("connection refused");
    /// receiver.failed(&refused, Time::from_millis(5));
    /// assert_eq!(receiver.last_error_message.as_deref(), Some("error connecting to host:9999: connection refused"));
    /// assert_eq!(receiver.last_error.as_deref(), Some("connection refused"));
    /// receiver.started();
    /// assert_eq!((receiver.active, receiver.last_error_time), (true, None));
    /// ```
    pub fn started(&mut self) {
        self.active = true;
        (self.last_error_message, self.last_error, self.last_error_time) = (None, None, None);
    }
    /// It cannot receive any more, by `error`.
    pub fn failed(&mut self, error: &Error, now: Time) {
        self.active = false;
        self.last_error_message = Some(error.to_string());
        self.last_error = std::error::Error::source(error).map(|source| source.to_string());
        self.last_error_time = Some(now);
    }
}
