//! [`ReceivedBlock`]: a block of a batch, in memory, in a write-ahead log, or in both.

use super::block_record::{BlockKind, BlockRecord};
use super::{RecordBlock, RecordHandle, WriteAheadLog};
use crate::text::Block;
use crate::{Data, Error, ErrorKind, Result};
use std::sync::Arc;

/// What a receiver has stored: `B` is a [`Block`] of text or a [`RecordBlock`]. What this process received is in memory;
/// what it found in the log of an earlier one is read by the task that needs it. Any block is one that is in memory only.
///
/// ```
/// use headwater::{receiver::ReceivedBlock, text::Block};
/// let block = ReceivedBlock::from(Block::from_utf8(b"to be\nor not").unwrap());
/// assert_eq!(block.get()?.as_str(), "to be\nor not");
/// # Ok::<(), headwater::Error>(())
/// ```
#[derive(Clone)]
pub struct ReceivedBlock<B> {
    /// The block in memory.
    pub(super) held: Option<B>,
    /// Where it is in the log; one of the two is there.
    pub(super) logged: Option<Arc<LoggedBlock<B>>>,
    /// How many records it has, if they were counted.
    pub(super) records: Option<u64>,
}

/// A block in a log.
pub(super) struct LoggedBlock<B> {
    pub(super) log: Arc<dyn WriteAheadLog>,
    /// `None` of a block that the log should have, and has not.
    pub(super) handle: Option<RecordHandle>,
    pub(super) number: u64,
    pub(super) format: BlockFormat<B>,
}

/// How a block is written.
pub(super) struct BlockFormat<B> {
    pub(super) kind: BlockKind,
    pub(super) decode: fn(&[u8]) -> Result<B>,
}
impl<B> Clone for BlockFormat<B> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<B> Copy for BlockFormat<B> {}

impl<B> From<B> for ReceivedBlock<B> {
    fn from(block: B) -> Self {
        ReceivedBlock { held: Some(block), logged: None, records: None }
    }
}
impl<T> From<Vec<T>> for ReceivedBlock<RecordBlock<T>> {
    fn from(records: Vec<T>) -> Self {
        ReceivedBlock::from(Arc::new(records))
    }
}

impl<B: Clone> ReceivedBlock<B> {
    /// The block, read from the log if it is not in memory. The error names the block and what is wrong with the log.
    pub fn get(&self) -> Result<B> {
        match (&self.held, &self.logged) {
            (Some(block), _) => Ok(block.clone()),
            (None, Some(logged)) => logged.read(),
            (None, None) => Err(Error::new(ErrorKind::Internal, "a received block is nowhere")),
        }
    }
}

impl<B> LoggedBlock<B> {
    fn read(&self) -> Result<B> {
        let number = self.number;
        let read = || {
            let missing =
                || Error::new(ErrorKind::Data, "it is not in the write-ahead log; was a part of that removed?");
            let bytes = self.log.read(self.handle.as_ref().ok_or_else(missing)?)?;
            let block = BlockRecord::from_bytes(&bytes, self.format.kind)?;
            if block.number != number {
                let message = format!("the log has block {} in its place", block.number);
                return Err(Error::new(ErrorKind::Data, message));
            }
            (self.format.decode)(block.content)
        };
        read().map_err(|error| error.within(format!("cannot read the received block {number}")))
    }
}

/// Of text, whose bytes were checked, or mended, before they were written.
pub(super) fn decode_text(content: &[u8]) -> Result<Block> {
    let wrong = |error| Error::new(ErrorKind::Data, "a block of text is not UTF-8").because(error);
    Block::from_utf8(content).map_err(wrong)
}

/// Of records.
pub(super) fn decode_records<T: Data>(content: &[u8]) -> Result<RecordBlock<T>> {
    let records: Result<Vec<T>, _> = rmp_serde::from_slice(content);
    records.map(Arc::new).map_err(|error| {
        let message = format!(
            "stored records do not read as `{}`: fields that an earlier version of the program did not have need \
             `#[serde(default)]`",
            std::any::type_name::<T>()
        );
        Error::new(ErrorKind::Data, message).because(error)
    })
}

/// The beginning of the content of a block of records: behind it they stand one after the other, as
/// [`encode_record`] writes them.
pub(super) fn records_head(records: usize) -> [u8; 5] {
    let count = u32::try_from(records).expect("blocks of records are limited");
    let [a, b, c, d] = count.to_be_bytes();
    // An array with a length of 32 bits.
    [0xdd, a, b, c, d]
}
pub(super) fn encode_record<T: Data>(record: &T, bytes: &mut Vec<u8>) -> Result<()> {
    rmp_serde::encode::write_named(bytes, record).map_err(|error| {
        let message = format!("a `{}` cannot be written to the log", std::any::type_name::<T>());
        Error::program(message).because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    struct Order {
        item: String,
        count: u32,
    }
    #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
    struct LaterOrder {
        count: u32,
        #[serde(default)]
        price: u32,
        item: String,
    }

    /// Written as these bytes for good.
    #[test]
    fn records_read_as_a_later_version_of_their_type() {
        let mut content = records_head(1).to_vec();
        encode_record(&Order { item: "tea".to_owned(), count: 2 }, &mut content).unwrap();
        assert_eq!(content, b"\xdd\x00\x00\x00\x01\x82\xa4item\xa3tea\xa5count\x02");
        assert_eq!(decode_records::<Order>(&content).unwrap()[0].count, 2);
        let later = decode_records::<LaterOrder>(&content).unwrap();
        assert_eq!(*later, [LaterOrder { count: 2, price: 0, item: "tea".to_owned() }]);
        let error = decode_records::<u64>(&content).unwrap_err().to_string();
        assert!(error.contains("do not read as `u64`"), "{error}");
    }
}
