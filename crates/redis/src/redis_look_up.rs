//! [`RedisLookUp`]: records completed by what Redis has, many keys to a request.

use crate::look_up::LookUp;
use crate::{RedisArg, RedisServer};
use headwater_core::{Error, ErrorKind, Key, Record, Result, Text};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use std::str::FromStr;
use std::sync::Arc;

/// Keys of an `MGET` or `HMGET`: Redis does nothing else while it answers one.
const KEYS_MAX: usize = 128;
/// Requests of a task at a time: they share one connection, and more would only wait there.
const CONCURRENCY: usize = 8;

/// How values are looked up in Redis, for [`look_up`](crate::look_up::LookUpStream::look_up): up to 128 keys in a request, 8
/// requests of a task at a time, over one connection for each process. It is a [`LookUp`] with all its settings. The server
/// may be a replica.
///
/// What does not read as the type of the values, and a key of another type, fails as a server does that is down.
///
/// ```no_run
/// use headwater::{prelude::*, Text};
/// use headwater_redis::{RedisLookUp, look_up::LookUpStream};
/// # fn main() -> headwater::Result<()> {
/// # let ssc = StreamingContext::new(Conf::new(), seconds(1))?;
/// let users = ssc.socket_text_stream("localhost", 9999);
/// let ages = RedisLookUp::hash("redis://localhost", "ages").cache(100_000, minutes(1));
/// users.look_up(Text::clone, ages).flat_map(|(user, age): (Text, Option<u8>)| age.map(|age| (user, age))).print();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub enum RedisLookUp {}

impl RedisLookUp {
    /// The strings of keys (`MGET`). A key that holds another type is as one that is not there.
    pub fn strings<K: Key + RedisArg, V: Record + Clone + RedisValue>(server: impl Into<RedisServer>) -> LookUp<K, V> {
        look_up(server.into(), "MGET", None)
    }
    /// The fields of the hash `key` (`HMGET`).
    pub fn hash<F: Key + RedisArg, V: Record + Clone + RedisValue>(
        server: impl Into<RedisServer>,
        key: impl RedisArg,
    ) -> LookUp<F, V> {
        let mut bytes = Vec::new();
        key.put(&mut bytes);
        look_up(server.into(), "HMGET", Some(bytes))
    }
}

fn look_up<K: Key + RedisArg, V: Record + Clone + RedisValue>(
    server: RedisServer,
    command: &'static str,
    of: Option<Vec<u8>>,
) -> LookUp<K, V> {
    let (server, of) = (Arc::new(server), Arc::new(of));
    let connecting = server.clone();
    let connect = move || {
        let server = connecting.clone();
        async move { connected(&server).await }
    };
    let ask = move |mut connection: MultiplexedConnection, keys: Vec<K>| {
        let (server, of) = (server.clone(), of.clone());
        async move {
            let mut asked = redis::cmd(command);
            if let Some(key) = &*of {
                asked.arg(key);
            }
            let mut bytes = Vec::new();
            for key in &keys {
                bytes.clear();
                key.put(&mut bytes);
                asked.arg(&bytes);
            }
            let found: Vec<Option<Vec<u8>>> =
                asked.query_async(&mut connection).await.map_err(|error| server.error(command, &error))?;
            found.into_iter().map(|value| value.map(V::read).transpose()).collect::<Result<Vec<_>>>()
        }
    };
    LookUp::batched(KEYS_MAX, connect, ask).concurrency(CONCURRENCY)
}

/// A connection that waits for answers as long as it is asked to: the look-up has the time-out.
async fn connected(server: &RedisServer) -> Result<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(server.timeout())).set_response_timeout(None);
    let connected = server.client()?.get_multiplexed_async_connection_with_config(&config).await;
    connected.map_err(|error| server.error(server.connecting(&error), &error))
}

/// What the bytes of a value are read as.
#[diagnostic::on_unimplemented(
    message = "a value of Redis cannot be read as `{Self}`",
    note = "take `String`, `Text`, `Vec<u8>` or a number, and make `{Self}` of it behind the look-up"
)]
pub trait RedisValue: Sized {
    /// Reads it; an error shows the value.
    fn read(bytes: Vec<u8>) -> Result<Self>;
}

impl RedisValue for Vec<u8> {
    fn read(bytes: Vec<u8>) -> Result<Self> {
        Ok(bytes)
    }
}
impl RedisValue for String {
    fn read(bytes: Vec<u8>) -> Result<Self> {
        String::from_utf8(bytes).map_err(|error| unread(error.as_bytes(), "text"))
    }
}
impl RedisValue for Text {
    fn read(bytes: Vec<u8>) -> Result<Self> {
        String::read(bytes).map(Text::from)
    }
}

macro_rules! parsed {
    ($($type:ty),*) => {$(
        impl RedisValue for $type {
            fn read(bytes: Vec<u8>) -> Result<Self> {
                let text = std::str::from_utf8(&bytes).ok();
                let parsed = text.and_then(|text| <$type>::from_str(text).ok());
                parsed.ok_or_else(|| unread(&bytes, stringify!($type)))
            }
        }
    )*};
}
parsed!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, f32, f64, bool, char);

fn unread(bytes: &[u8], wanted: &str) -> Error {
    /// Of a value that is shown.
    const BYTES_MAX: usize = 100;
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES_MAX)]);
    let message = format!("a value of {} bytes that begins {shown:?} does not read as {wanted}", bytes.len());
    Error::new(ErrorKind::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_what_is_wanted_or_shown() {
        assert_eq!(u8::read(b"17".to_vec()).unwrap(), 17);
        assert_eq!(f64::read(b"0.5".to_vec()).unwrap(), 0.5);
        assert_eq!(Text::read(b"a".to_vec()).unwrap(), Text::from("a"));
        assert_eq!(Vec::read(vec![255]).unwrap(), [255]);
        let error = u8::read(b"300".to_vec()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert_eq!(error.to_string(), "a value of 3 bytes that begins \"300\" does not read as u8");
        assert!(String::read(vec![255; 1000]).unwrap_err().to_string().contains("of 1000 bytes"));
    }
}
