//! [`InputDStream`]: where batches get their data from. A source hands over, per batch time, what came in before it.

use crate::Result;
use crate::time::Time;

/// The life of an input, as the scheduler drives it; how it makes its RDD is a closure of its DStream.
pub trait InputDStream: Send + Sync {
    /// Starts what receives, before the first batch.
    fn start(&self) -> Result<()> {
        Ok(())
    }
    /// Fixes what batch `time` gets: everything that came in so far and belongs to no batch. Called once per batch,
    /// in the order of times, before any RDD of the batch is made.
    fn allocate(&self, _time: Time) -> Result<()> {
        Ok(())
    }
    /// Whether data came in that no batch has yet.
    fn has_unallocated(&self) -> bool {
        false
    }
    /// Batch `time` is done: its data need not be held any longer.
    fn processed(&self, _time: Time) {}
    /// Stops what receives and waits for it. Data that came in stays for one more batch.
    fn stop(&self) {}
}
