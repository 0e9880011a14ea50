//! [`DriverEvent`]: what happens to the batches of an application, as the journal keeps it. The bytes are a version and a
//! MessagePack map with names; a field that is added gets a default, another meaning gets another version.

use super::numbers::Numbers;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::JournalEvent;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The version of events and of the state.
const VERSION: u8 = 1;

/// Something that happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum DriverEvent {
    /// A process has begun to go on with the application.
    Started(Started),
    /// What the inputs have for a batch is fixed.
    Allocated {
        time: Millis,
        inputs: Vec<(String, Blob)>,
        /// Dead letters that the batch has once more: they are in `inputs`, and not in the store any more.
        #[serde(default, skip_serializing_if = "Numbers::is_empty")]
        letters: Numbers,
    },
    /// All of a batch is done, and of those up to `forget` nothing is asked for again.
    Committed {
        time: Millis,
        forget: Millis,
        /// Where the newest record of each log of states begins that the batch needs; none before the first.
        logs: [Option<(u64, u64)>; 2],
        /// The outputs whose sinks have committed the batch.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sinks: Vec<String>,
        /// The same of the log of dead letters, and the number of the next letter; none before the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        letters: Option<LettersEnd>,
    },
    /// A snapshot of all states is written from here on.
    SnapshotBegun { number: u64 },
    /// There is a snapshot of all states.
    SnapshotTaken(StateSnapshot),
    /// A snapshot is not needed any more.
    SnapshotForgotten { number: u64 },
    /// Older segments of the logs of states are not needed any more.
    LogsTrimmed {
        changes: u64,
        windows: u64,
        /// Nothing of batches up to this one is needed in them.
        done: Millis,
    },
    /// Somebody wants letters to go through their operators once more, or to go.
    LettersAsked { redrive: Numbers, drop: Numbers },
    /// Numbers that were given to letters of batches that were not committed; the next one comes behind.
    LettersVoided { numbers: Numbers, next: u64 },
    /// Older segments of the log of dead letters are not needed any more, and no number below `lowest` is in the others.
    LettersTrimmed { segment: u64, lowest: u64 },
}

/// See [`DriverEvent::Committed`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct LettersEnd {
    pub(crate) next: u64,
    /// Where the newest record begins.
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// See [`DriverEvent::Started`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Started {
    /// Grows with each process.
    pub(crate) epoch: u64,
    /// The time before the first batch.
    pub(crate) zero: Millis,
    pub(crate) batch_millis: u64,
    /// All that have something stored.
    pub(crate) operators: Vec<StoredOperator>,
    /// Times that have no batch, besides those that were known: both ends are outside.
    pub(crate) gaps: Vec<(Millis, Millis)>,
    /// A number that tells the application from others of its name in other folders: sinks know what is theirs by it. None
    /// where a release without sinks wrote it.
    #[serde(default)]
    pub(crate) lineage: Option<u64>,
}

/// An operator whose state or input is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StoredOperator {
    pub(crate) id: String,
    /// `map_with_state`, `direct_stream`, ....
    pub(crate) kind: String,
    /// Where it was created.
    pub(crate) place: String,
    /// The batch behind which it began.
    pub(crate) since: Millis,
    /// None for an input.
    pub(crate) state: Option<StoredTypes>,
    /// How many partitions the state had; none where no release said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partitions: Option<u64>,
    /// Of a window by key, its length in milliseconds; none where no release said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<u64>,
}

/// What a state is made of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StoredTypes {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) version: u32,
}

/// A snapshot of all states.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct StateSnapshot {
    pub(crate) number: u64,
    /// Changes of batches behind this one are added to it.
    pub(crate) since: Millis,
    /// It can be used for the state of this batch and later ones.
    pub(crate) until: Millis,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// A time as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) struct Millis(pub(crate) i64);

impl From<Time> for Millis {
    fn from(time: Time) -> Millis {
        Millis(time.milliseconds())
    }
}
impl From<Millis> for Time {
    fn from(Millis(millis): Millis) -> Time {
        Time::from_millis(millis)
    }
}

/// Bytes, which take no more room than they have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}
impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes).map_err(D::Error::custom)
    }
}

impl JournalEvent for DriverEvent {
    fn encode(&self) -> Vec<u8> {
        to_bytes(self)
    }
    fn decode(bytes: &[u8]) -> Result<DriverEvent> {
        from_bytes(bytes, "event")
    }
}

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    value.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).expect("plain data has a form");
    bytes
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => rmp_serde::from_slice(rest)
            .map_err(|error| Error::new(ErrorKind::Data, format!("the {what} does not read")).because(error)),
        Some((version, _)) => Err(Error::program(format!(
            "the {what} was written in version {version} and this release reads version {VERSION}: use the release that \
             wrote it, or a newer one"
        ))),
        None => Err(Error::new(ErrorKind::Data, format!("the {what} is empty"))),
    }
}
