//! [`RedisSink`]: each batch of a stream in Redis, as a whole and once. Tasks encode commands ([`encoder`]); the driver
//! sends them as one transaction, which compares the ledger first ([`commit`]).

mod builder;
mod commit;
mod encoder;
mod ledger;
mod link;
mod part;
mod scripts;
#[cfg(test)]
mod tests;
mod transaction;
mod write;

pub use builder::RedisSinkBuilder;
pub use write::{MaxLen, RedisWrite};

use crate::RedisServer;
use encoder::Encoder;
use headwater_core::rdd::PartitionRecords;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Error, Record, Result};
use link::Link;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Bytes of commands of a batch at most, unless told otherwise.
const BATCH_BYTES_MAX: usize = 256 << 20;
/// The most that may be asked for: Redis ends a connection that has 1 GiB in a transaction.
const BATCH_BYTES_CEILING: usize = 768 << 20;

/// Writes each batch of a stream into Redis, as a whole and once
/// ([`write_to`](headwater_core::DStream::write_to)): into a hash, into strings, or into a stream.
///
/// # How
/// A task makes commands of its records and connects to nothing. The driver sends all commands of a batch in one
/// `MULTI`/`EXEC`. In it a script compares the batch time with the ledger, the key
/// `headwater:ledger:{application}:{operator}`, and what is written changes the ledger too. So other clients see all of a
/// batch or nothing, and a batch that is committed again, by this process or the next, is not written again. Whether each key
/// has the type that is written is checked in the same `EXEC`, before anything is written, and no other client can make it
/// fail by writing to the same keys. A batch without records changes the ledger alone.
///
/// # Limits
/// A batch has at most [`batch_bytes_max`](RedisSink::batch_bytes_max) bytes of commands, 256 MiB unless told otherwise:
/// the driver has them in memory, and Redis, until the `EXEC`, up to two and a half times as much. The `EXEC` takes some
/// seconds for a million writes, and others wait. The ledger stays: one key for each output of an application with a
/// checkpoint folder, and without one a key for each process, which nobody removes. Ledger and keys must be on one server;
/// Redis Cluster, where they would have to be in one slot, and Sentinel are not supported. Redis 5 or newer; before Redis 7
/// a user who may run scripts and not the commands in them can leave a part of a batch, until it is allowed and the batch is
/// tried again.
///
/// # What is durable
/// What Redis makes so. With `appendfsync always` a batch survives a crash of the server and of the machine. With `everysec`
/// up to two seconds of batches, and the ledger with them, may be gone, also where the server alone is killed while its disk
/// is slow. Then, as after `FLUSHALL`, a restore or a fail-over to a replica that was behind, the ledger says less than the
/// journal: an error at the next start or commit, never a silent hole.
/// [`accept_lost_ledger`](RedisSink::accept_lost_ledger) goes on.
///
/// # Errors
/// | what | kind |
/// |---|---|
/// | a server that is down, loads its data, is a read-only replica, cannot write to its disk | `Outside`: worth [`FailurePolicy::retry`](headwater_core::sink::FailurePolicy::retry) |
/// | its memory is full and nothing is evicted; a batch is too large | `Resources` |
/// | a key holds another type; a key is written as two types | `Data` |
/// | a wrong address, password or permission; a certificate that is not trusted; a cluster; a lost ledger | `Program` |
///
/// ```no_run
/// use headwater::{prelude::*, sink::FailurePolicy};
/// use headwater_redis::RedisSink;
/// # fn main() -> headwater::Result<()> {
/// let ssc = StreamingContext::new(Conf::load()?, seconds(1))?;
/// let words = ssc.socket_text_stream("localhost", 9999).flat_map(|line| line.split(' '));
/// let counts = words.map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b);
/// counts
///     .write_to(RedisSink::new("redis://:secret@localhost/0").hash("counts", |(word, n)| (word, n)))
///     .uid("counts")
///     .on_failure(FailurePolicy::retry(20, seconds(1)));
/// # Ok(())
/// # }
/// ```
pub struct RedisSink<T> {
    server: RedisServer,
    encode: Box<dyn Fn(&mut Encoder, T) -> Result<()> + Send + Sync>,
    /// Whether a key may be written in more than one way.
    mixed: bool,
    accept_lost_ledger: bool,
    batch_bytes_max: usize,
    link: Mutex<Link>,
}

impl RedisSink<()> {
    /// A sink for a server, which is given as [`RedisServer`] or by its address, `redis://[USER][:PASSWORD]@HOST[:PORT]`.
    #[expect(clippy::new_ret_no_self, reason = "what it writes says of which records the sink is")]
    pub fn new(server: impl Into<RedisServer>) -> RedisSinkBuilder {
        RedisSinkBuilder { server: server.into() }
    }
}

impl<T> RedisSink<T> {
    /// Goes on, with a warning, where the ledger says less than the journal. What the database has lost stays lost, and a
    /// batch that it has and the journal does not know of may be there twice. It is for the one start behind the loss: take
    /// it out again, for it also hides the next.
    pub fn accept_lost_ledger(self) -> RedisSink<T> {
        RedisSink { accept_lost_ledger: true, ..self }
    }
    /// Bytes of commands that a batch may have, up to 768 MiB. A larger batch is an error and changes nothing.
    pub fn batch_bytes_max(self, bytes: usize) -> RedisSink<T> {
        RedisSink { batch_bytes_max: bytes, ..self }
    }
    fn link(&self) -> std::sync::MutexGuard<'_, Link> {
        // Whoever panicked has left a connection that the next error replaces.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Record> Sink<T> for RedisSink<T> {
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        if !(1..=BATCH_BYTES_CEILING).contains(&self.batch_bytes_max) {
            let message = format!("batch_bytes_max({}): 1 to {BATCH_BYTES_CEILING}", self.batch_bytes_max);
            return Err(Error::program(message));
        }
        self.link().recover(&self.server, self.accept_lost_ledger, output)
    }
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>> {
        Ok(self.link().newest(output))
    }
    fn prepare(&self, _: &SinkPart<'_>, mut records: PartitionRecords<T>) -> Result<Vec<u8>> {
        let mut encoder = Encoder::new(self.batch_bytes_max, self.mixed);
        records.try_for_each(|record| (self.encode)(&mut encoder, record))?;
        Ok(encoder.finish())
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let bytes = parts.iter().map(Vec::len).sum();
        if bytes > self.batch_bytes_max {
            return Err(part::too_large("a batch", bytes, self.batch_bytes_max));
        }
        self.link().commit(&self.server, self.accept_lost_ledger, batch, parts)
    }
}

impl<T> fmt::Debug for RedisSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "RedisSink({})", self.server.name())
    }
}
