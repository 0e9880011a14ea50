//! [`InputDStream`]: where batches get their data from. A source hands over, per batch time, what came in before it.

use crate::env::Storage;
use crate::listener::{StreamId, StreamInputInfo, StreamingEvent};
use crate::time::Time;
use crate::{Error, Result};
use std::fmt;
use std::sync::Arc;

/// The life of an input, as the scheduler drives it; how it makes its RDD is a closure of its DStream.
pub trait InputDStream: Send + Sync {
    /// The application is durable: what the input receives from here on it may keep in `folder`, so that batches that were
    /// not committed have it again after a restart. Called first of all, before [`InputDStream::restore`] and
    /// [`InputDStream::start`]. An input whose source keeps its records itself needs nothing of it.
    fn keep_in(&self, _folder: InputFolder) -> Result<()> {
        Ok(())
    }
    /// Starts what receives, before the first batch. `stream` is what the input is called from here on.
    fn start(&self, _stream: StreamId, _host: Arc<dyn InputHost>) -> Result<()> {
        Ok(())
    }
    /// Fixes what batch `time` gets: everything that came in so far and belongs to no batch. Called once per batch,
    /// in the order of times, before any RDD of the batch is made.
    fn allocate(&self, _time: Time) -> Result<()> {
        Ok(())
    }
    /// What was fixed for batch `time`, as bytes that every later version of the input reads, if it can be had again by
    /// them: for a journal. Asked behind `allocate`, and before the batch is done.
    fn allocation(&self, _time: Time) -> Option<Vec<u8>> {
        None
    }
    /// Whether somebody else fixes and stores what batches have of it: nobody asks for an allocation then.
    fn is_stored_elsewhere(&self) -> bool {
        false
    }
    /// Gives batch `time` again what [`InputDStream::allocation`] said of it in an earlier process, before the first
    /// `allocate` of this one: batch `time` has exactly that then, and later batches go on behind the newest one restored.
    /// Where it is given a batch twice, what was said the second time came behind the first, and the batch has both. An error
    /// for what cannot be read, and from an input that says nothing of its batches.
    fn restore(&self, time: Time, _allocation: &[u8]) -> Result<()> {
        Err(Error::program(format!(
            "an input of batch {time} was stored that this program's input cannot read: it is of another kind"
        )))
    }
    /// What batch `time` got, if the input can tell: for listeners, and asked only while there are some. Called at
    /// most once per batch, behind `allocate` and the making of its RDD.
    fn info(&self, _stream: StreamId, _time: Time) -> Option<StreamInputInfo> {
        None
    }
    /// Whether data came in that no batch has yet.
    fn has_unallocated(&self) -> bool {
        false
    }
    /// Batch `time` is done: its data need not be held any longer.
    fn processed(&self, _time: Time) {}
    /// Begins the end of what receives, and returns at once. A stop asks all inputs before it waits for the first.
    fn request_stop(&self) {}
    /// Whether a thread of the input still receives. It notifies the clock when it ends: a stop waits there, and does not
    /// call [`InputDStream::stop`] where its deadline passes first.
    fn is_receiving(&self) -> bool {
        false
    }
    /// What it holds in memory that no finished batch had, if it can tell.
    fn unprocessed(&self) -> Option<Unprocessed> {
        None
    }
    /// Stops what receives and waits for it. Data that came in stays for one more batch.
    fn stop(&self) {}
}

/// Where an input keeps what it receives.
#[derive(Clone)]
pub struct InputFolder {
    /// The durable files of the application.
    pub storage: Arc<dyn Storage>,
    /// A folder that no other input has, as a path in `storage`.
    pub path: String,
    /// Grows with each process of the application: files written under a lower one are a replaced process's.
    pub epoch: u64,
}

/// How much an input holds for batches that are not done, or not made.
///
/// ```
/// use headwater_core::input::Unprocessed;
/// assert_eq!([1, 20].map(|count| Unprocessed::new(count, "records").to_string()), ["1 record", "20 records"]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Unprocessed {
    /// How many.
    pub count: u64,
    /// Of what: `bytes`, `records`, `datasets`.
    pub unit: &'static str,
}

impl Unprocessed {
    /// So many `unit`.
    pub fn new(count: usize, unit: &'static str) -> Unprocessed {
        Unprocessed { count: count as u64, unit }
    }
}
impl fmt::Display for Unprocessed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let unit = if self.count == 1 { self.unit.trim_end_matches('s') } else { self.unit };
        write!(f, "{} {unit}", self.count)
    }
}

/// What a started input may ask of the context that runs it.
pub trait InputHost: Send + Sync {
    /// Tells the listeners of `event`, if there are any. Never waits for them.
    fn post(&self, event: StreamingEvent);
    /// The input cannot go on as it should: the error is returned by the next call that waits for the context or stops it.
    fn report_error(&self, error: Error);
    /// The calling thread runs the program's code from here on: a stop of the context would wait for it, and so must
    /// not be called there.
    fn claim_thread(&self);
}
