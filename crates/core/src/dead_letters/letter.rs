//! [`DeadLetter`]: a record that was set aside, with all that is known of how that came about; [`SetAside`] is what a task
//! hands over of its partition.

use crate::origin::OperatorId;
use crate::time::Time;
use crate::{Error, Result, codec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes of an error's text that are kept; what is longer is cut.
const ERROR_BYTES_MAX: usize = 1000;

/// A record that an operator has set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Counted from 1 by the store; a number is never given twice.
    pub number: u64,
    /// The stable id of the operator whose closure failed.
    pub operator: String,
    /// The batch that the record belongs to.
    pub batch: Time,
    /// The partition of the operator's dataset.
    pub partition: usize,
    /// What the closure said, how often it was tried, and the record.
    pub letter: Letter,
}

/// What a task knows of a record that it sets aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// The position of the record among those that the operator has read of its partition, from 0.
    pub index: u64,
    /// 1 for the first try; each time that the record is driven through the operator again is one more.
    pub attempt: u32,
    /// The closure's error or the panic's message, up to 1,000 bytes of it.
    pub error: String,
    /// Where the source has the record, if it came from ranges of a source's offsets by steps that do not shuffle.
    pub source: Option<LetterSource>,
    /// The record as MessagePack, with the names of fields.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}

/// Where the record of a letter came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterSource {
    /// The stable id of the input.
    pub input: String,
    /// The source's number of the partition.
    pub partition: u32,
    /// The first offset that the batch had of it.
    pub from: u64,
    /// The offset behind the last one.
    pub until: u64,
    /// The offset of the record, where its operator reads the input itself, all of the range was read, and no offset in it
    /// is without a record.
    pub offset: Option<u64>,
}

impl fmt::Display for LetterSource {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let LetterSource { input, partition, from, until, offset } = self;
        match offset {
            Some(offset) => write!(f, "{input}, partition {partition}, offset {offset}"),
            None => write!(f, "{input}, partition {partition}, in offsets {from}..{until}"),
        }
    }
}

impl DeadLetter {
    /// The record, as a type that its bytes read as: that of the stream, or another with the same fields.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, clock) = testkit::streaming_context();
    /// let texts = testkit::test_input(&ssc, vec![Some(vec!["1".to_string(), "x".to_string()])], 1);
    /// texts.set_aside().try_map(|text| text.parse::<u32>()).print();
    /// let running = ssc.start()?;
    /// clock.advance(seconds(1));
    /// running.await_batches(1)?;
    /// assert_eq!(running.dead_letters()?[0].record::<String>()?, "x");
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn record<T: DeserializeOwned>(&self) -> Result<T> {
        let DeadLetter { number, operator, .. } = self;
        let read = codec::read(&mut &self.letter.payload[..]);
        read.map_err(|error: Error| error.within(format!("the dead letter {number} of {operator}")))
    }
}

impl Letter {
    /// About what it takes in memory and on disk.
    pub fn bytes(&self) -> u64 {
        /// Numbers, names of fields, and what a log adds.
        const HEAD_BYTES: usize = 64;
        let source = self.source.as_ref().map_or(0, |source| size_of::<LetterSource>() + source.input.len());
        (HEAD_BYTES + self.error.len() + source + self.payload.len()) as u64
    }
}

/// What the successful computation of a partition has set aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetAside {
    /// The operator.
    pub operator: OperatorId,
    /// The batch that the records belong to.
    pub batch: Time,
    /// The partition.
    pub partition: usize,
    /// The batch in whose job they were computed, which is a later one where a window asks first; none outside of batches.
    pub job: Option<Time>,
    /// Letters before the first of these that had no room: their number.
    pub skipped: u64,
    /// In the order of the records.
    pub letters: Vec<Letter>,
}

/// A letter that its operator gets once more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Redriven {
    /// The letter's number.
    pub number: u64,
    /// How often the record was tried.
    pub attempt: u32,
    /// Where it came from.
    pub source: Option<LetterSource>,
    /// The record.
    #[serde(with = "serde_bytes")]
    pub payload: Vec<u8>,
}

impl Redriven {
    /// The record, of the type that its operator reads now.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        codec::read(&mut &self.payload[..])
    }
}

/// The error with its causes, cut to its limit.
pub(super) fn error_text(error: &dyn std::error::Error) -> String {
    /// Causes that are told. A chain may go in a circle.
    const CAUSES_MAX: usize = 32;
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(error) = cause.filter(|_| text.len() < ERROR_BYTES_MAX) else { break };
        let below = error.to_string();
        // Many errors tell their cause themselves.
        if !text.ends_with(&below) {
            text.push_str(": ");
            text.push_str(&below);
        }
        cause = error.source();
    }
    cut(text)
}

/// The text, cut to its limit between two characters.
pub(super) fn cut(mut text: String) -> String {
    const MARK: &str = "...";
    if text.len() > ERROR_BYTES_MAX {
        text.truncate(text.floor_char_boundary(ERROR_BYTES_MAX - MARK.len()));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_with_their_causes_and_cut_between_characters() {
        let error = Error::program("it cannot be").because(Error::program("since that is so"));
        assert_eq!(error_text(&error), "it cannot be: since that is so");
        let nested = std::io::Error::other(Error::program("no room"));
        assert_eq!(error_text(&nested), "no room");
        /// Its own cause.
        #[derive(Debug)]
        struct Circle;
        impl fmt::Display for Circle {
            fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("round")
            }
        }
        impl std::error::Error for Circle {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                Some(&Circle)
            }
        }
        assert_eq!(error_text(&Circle), "round");
        let long = cut("ä".repeat(2000));
        assert!(long.len() <= ERROR_BYTES_MAX && long.len() > ERROR_BYTES_MAX - 5 && long.ends_with("ä..."));
        assert_eq!(cut("short".to_owned()), "short");
    }
}
