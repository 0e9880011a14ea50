//! [`RedisWrite`]: one change of one key, and [`MaxLen`], which bounds a stream. Each sets something, so that what is written
//! again is the same; but an entry of a stream, which the ledger alone keeps from being there twice.

use crate::RedisArg;
use std::time::Duration;

/// What a key holds, and by which command it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Hash,
    Text,
    Stream,
}
impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::Hash, Kind::Text, Kind::Stream];
    /// As `TYPE` answers.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Kind::Hash => "hash",
            Kind::Text => "string",
            Kind::Stream => "stream",
        }
    }
    pub(crate) fn command(self) -> &'static str {
        match self {
            Kind::Hash => "HSET",
            Kind::Text => "SET",
            Kind::Stream => "XADD",
        }
    }
}

/// How many entries a stream keeps: with every entry that is added, older ones are removed.
///
/// ```
/// use headwater_redis::MaxLen;
/// assert_ne!(MaxLen::about(1000), MaxLen::exactly(1000));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaxLen(pub(crate) Option<(bool, u64)>);
impl MaxLen {
    /// At least so many, and as many more as it is cheap to keep, some hundred (`MAXLEN ~`).
    pub const fn about(entries: u64) -> MaxLen {
        MaxLen(Some((true, entries)))
    }
    /// The newest so many.
    pub const fn exactly(entries: u64) -> MaxLen {
        MaxLen(Some((false, entries)))
    }
    /// All: somebody else removes them before the server's memory is full.
    pub const fn unlimited() -> MaxLen {
        MaxLen(None)
    }
}

/// A change of a key, for [`writes`](crate::RedisSinkBuilder::writes): where a record goes to more than one key, or to a hash
/// or stream that is named by the record.
///
/// ```
/// use headwater_redis::{MaxLen, RedisWrite};
/// use std::time::Duration;
/// let order = 17;
/// let writes = [
///     RedisWrite::hash(format!("order:{order}"), "state", "paid"),
///     RedisWrite::string(format!("order:{order}:seen"), 1).expire(Duration::from_secs(3600)),
///     RedisWrite::stream("orders", [("order", order)]).max_len(MaxLen::about(1_000_000)),
/// ];
/// assert_eq!(writes.len(), 3);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedisWrite {
    pub(crate) kind: Kind,
    pub(crate) key: Vec<u8>,
    /// Fields and values in turn; of a string the value.
    pub(crate) args: Vec<Vec<u8>>,
    pub(crate) expire: Option<Duration>,
    pub(crate) max_len: MaxLen,
}

impl RedisWrite {
    fn new(kind: Kind, key: impl RedisArg, args: Vec<Vec<u8>>) -> RedisWrite {
        RedisWrite { kind, key: bytes(key), args, expire: None, max_len: MaxLen::unlimited() }
    }
    /// A field of the hash `key` (`HSET`).
    pub fn hash(key: impl RedisArg, field: impl RedisArg, value: impl RedisArg) -> RedisWrite {
        RedisWrite::new(Kind::Hash, key, vec![bytes(field), bytes(value)])
    }
    /// The string `key`, whatever it was before (`SET`).
    pub fn string(key: impl RedisArg, value: impl RedisArg) -> RedisWrite {
        RedisWrite::new(Kind::Text, key, vec![bytes(value)])
    }
    /// A new entry of the stream `key` (`XADD`), with a number from the server.
    pub fn stream<F: RedisArg, V: RedisArg>(
        key: impl RedisArg,
        fields: impl IntoIterator<Item = (F, V)>,
    ) -> RedisWrite {
        let fields = fields.into_iter().flat_map(|(field, value)| [bytes(field), bytes(value)]);
        RedisWrite::new(Kind::Stream, key, fields.collect())
    }
    /// A string is gone so long after it was written; it has no effect on hashes and streams.
    pub fn expire(self, after: Duration) -> RedisWrite {
        RedisWrite { expire: Some(after), ..self }
    }
    /// How long the stream may be; it has no effect on hashes and strings.
    pub fn max_len(self, max_len: MaxLen) -> RedisWrite {
        RedisWrite { max_len, ..self }
    }
}

fn bytes(arg: impl RedisArg) -> Vec<u8> {
    let mut bytes = Vec::new();
    arg.put(&mut bytes);
    bytes
}
