//! [`ReceiverStore`]: what an input asks of the store of its receiver, whatever that receives.

use super::WriteAheadLog;
use crate::input::{InputHost, Unprocessed};
use crate::time::Time;
use crate::{Error, Result};
use std::sync::Arc;

/// Where a receiver puts what it receives, and batches take it from: the methods of
/// [`InputDStream`](crate::input::InputDStream) that concern data, in the same order of calls.
pub trait ReceiverStore: Send + Sync {
    /// The application is durable: blocks are written to `log` before a batch has them.
    fn keep_in(&self, log: Arc<dyn WriteAheadLog>);
    /// Batch `time` was given this in an earlier process. An error without a log.
    fn restore(&self, time: Time, allocation: &[u8]) -> Result<()>;
    /// Reads the log, if there is one: restored batches have their blocks again, and what no batch has goes to the next.
    fn start(&self, host: Arc<dyn InputHost>) -> Result<()>;
    /// Batch `time` gets what came in so far and, where there is a log, is durable.
    fn allocate(&self, time: Time);
    /// What batch `time` got, for a journal; `None` without a log.
    fn allocation(&self, time: Time) -> Option<Vec<u8>>;
    /// The number of records of a batch.
    fn records_of_batch(&self, time: Time) -> u64;
    /// Whether something came in that no batch has.
    fn has_unallocated(&self) -> bool;
    /// How much no finished batch had.
    fn unprocessed(&self) -> Unprocessed;
    /// Batch `time` is done: its records make room, in memory and in the log.
    fn processed(&self, time: Time);
}

/// The log that a restored batch must have.
pub(super) fn kept<'a, L>(log: Option<&'a L>, source: &str) -> Result<&'a L> {
    log.ok_or_else(|| {
        Error::program(format!(
            "batches of {source} were stored whose blocks are in its write-ahead log, which is turned off: turn it on \
             (Conf::write_ahead_log) until they are done"
        ))
    })
}
