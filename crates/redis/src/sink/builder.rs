//! [`RedisSinkBuilder`]: what of a record goes where.

use super::encoder::Encoder;
use super::{BATCH_BYTES_MAX, MaxLen, RedisSink, RedisWrite};
use crate::{RedisArg, RedisServer};
use headwater_core::{Closure, Record, Result};
use std::sync::Mutex;
use std::time::Duration;

/// A [`RedisSink`] of which it is not said yet what it writes.
#[derive(Clone, Debug)]
pub struct RedisSinkBuilder {
    pub(super) server: RedisServer,
}

impl RedisSinkBuilder {
    /// Writes fields of the hash `key`; `f` makes field and value of a record. Of records with one field the last of a batch
    /// counts. (To count, keep the count in the stream's state and write it: `HINCRBY` would count a batch twice that is
    /// written twice.) Where `f` calls methods of the record, it says its type: `|user: User| (user.id(), user.name())`.
    ///
    /// ```
    /// use headwater_redis::RedisSink;
    /// let sink = RedisSink::new("redis://localhost").hash("counts", |(word, n): (String, u64)| (word, n));
    /// assert_eq!(format!("{sink:?}"), "RedisSink(localhost:6379)");
    /// ```
    pub fn hash<T: Record, F: RedisArg, V: RedisArg>(
        self,
        key: impl RedisArg,
        f: impl Fn(T) -> (F, V) + Closure,
    ) -> RedisSink<T> {
        let key = key_of(&key);
        self.encoding(false, move |encoder, record| {
            let (field, value) = f(record);
            encoder.hash(&key, &field, &value)
        })
    }
    /// Writes strings; `f` makes key and value of a record. What the key was before, it is no more.
    pub fn strings<T: Record, K: RedisArg, V: RedisArg>(self, f: impl Fn(T) -> (K, V) + Closure) -> RedisSink<T> {
        self.strings_for(None, f)
    }
    /// As [`strings`](RedisSinkBuilder::strings); each is gone so long after it was written, or replaced.
    pub fn expiring_strings<T: Record, K: RedisArg, V: RedisArg>(
        self,
        after: Duration,
        f: impl Fn(T) -> (K, V) + Closure,
    ) -> RedisSink<T> {
        self.strings_for(Some(after), f)
    }
    fn strings_for<T: Record, K: RedisArg, V: RedisArg>(
        self,
        expire: Option<Duration>,
        f: impl Fn(T) -> (K, V) + Closure,
    ) -> RedisSink<T> {
        self.encoding(false, move |encoder, record| {
            let (key, value) = f(record);
            encoder.string(&key_of(&key), &value, expire)
        })
    }
    /// Adds an entry to the stream `key` for each record, of the fields that `f` makes of it, numbered by the server, in the
    /// order of batches and partitions.
    ///
    /// ```
    /// use headwater_redis::{MaxLen, RedisSink};
    /// let entry = |(user, page): (String, String)| [("user", user), ("page", page)];
    /// let sink = RedisSink::new("redis://localhost").stream("views", MaxLen::about(1_000_000), entry);
    /// # let _: headwater_redis::RedisSink<(String, String)> = sink;
    /// ```
    pub fn stream<T: Record, F: RedisArg, V: RedisArg, I: IntoIterator<Item = (F, V)>>(
        self,
        key: impl RedisArg,
        max_len: MaxLen,
        f: impl Fn(T) -> I + Closure,
    ) -> RedisSink<T> {
        let key = key_of(&key);
        self.encoding(false, move |encoder, record| encoder.stream(&key, max_len, f(record)))
    }
    /// Does all that `f` makes of a record, in that order.
    ///
    /// ```
    /// use headwater_redis::{RedisSink, RedisWrite};
    /// let seen = |(user, page): (u64, String)| {
    ///     [RedisWrite::string(format!("user:{user}:page"), &page), RedisWrite::hash("pages", &page, user)]
    /// };
    /// let sink = RedisSink::new("redis://localhost").writes(seen);
    /// # let _: headwater_redis::RedisSink<(u64, String)> = sink;
    /// ```
    pub fn writes<T: Record, I: IntoIterator<Item = RedisWrite>>(self, f: impl Fn(T) -> I + Closure) -> RedisSink<T> {
        self.encoding(true, move |encoder, record| f(record).into_iter().try_for_each(|write| encoder.write(&write)))
    }

    fn encoding<T: Record>(
        self,
        mixed: bool,
        encode: impl Fn(&mut Encoder, T) -> Result<()> + Send + Sync + 'static,
    ) -> RedisSink<T> {
        let (encode, link) = (Box::new(encode), Mutex::default());
        let batch_bytes_max = BATCH_BYTES_MAX;
        RedisSink { server: self.server, encode, mixed, accept_lost_ledger: false, batch_bytes_max, link }
    }
}

fn key_of(key: &impl RedisArg) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.put(&mut bytes);
    bytes
}
