//! [`StreamInputInfo`]: what an input brought to one batch.

use std::collections::BTreeMap;
use std::fmt;

/// An input of a program: its position among the inputs, in the order of creation, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StreamId(usize);

impl StreamId {
    /// The input at this position.
    pub const fn new(position: usize) -> StreamId {
        StreamId(position)
    }
    /// Its position among the inputs.
    pub const fn position(self) -> usize {
        self.0
    }
}
impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an input brought to one batch. Source: Spark's `StreamInputInfo`.
///
/// ```
/// use headwater_core::listener::{StreamId, StreamInputInfo};
/// let input = StreamInputInfo::new(StreamId::new(0), 100).with_description("localhost:9999");
/// assert_eq!(input.num_records, 100);
/// assert_eq!(input.metadata_description(), Some("localhost:9999"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StreamInputInfo {
    /// The input.
    pub input_stream_id: StreamId,
    /// How many records it brought; of a direct stream, how many offsets.
    pub num_records: u64,
    /// How much was in the source when the batch was made that no batch has yet, in the unit of `num_records`; none
    /// where the input cannot tell.
    pub lag: Option<u64>,
    /// What else it says of the batch, by name: [`StreamInputInfo::DESCRIPTION`], ....
    pub metadata: BTreeMap<String, String>,
}

impl StreamInputInfo {
    /// The name of the metadata that people read.
    pub const DESCRIPTION: &str = "Description";

    /// So many records, without metadata.
    pub fn new(input_stream_id: StreamId, num_records: u64) -> StreamInputInfo {
        StreamInputInfo { input_stream_id, num_records, lag: None, metadata: BTreeMap::new() }
    }
    /// The same with so much left in the source.
    ///
    /// ```
    /// use headwater_core::listener::{StreamId, StreamInputInfo};
    /// assert_eq!(StreamInputInfo::new(StreamId::new(0), 100).with_lag(7).lag, Some(7));
    /// ```
    pub fn with_lag(mut self, lag: u64) -> StreamInputInfo {
        self.lag = Some(lag);
        self
    }
    /// The same with a description.
    pub fn with_description(mut self, description: impl Into<String>) -> StreamInputInfo {
        self.metadata.insert(StreamInputInfo::DESCRIPTION.to_owned(), description.into());
        self
    }
    /// The description among the metadata.
    pub fn metadata_description(&self) -> Option<&str> {
        self.metadata.get(StreamInputInfo::DESCRIPTION).map(String::as_str)
    }
}
