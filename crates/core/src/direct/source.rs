//! [`DirectSource`]: what a program, or a connector, implements to feed a direct stream.

use super::{BatchRequest, OffsetRange, PartitionOffsets};
use crate::{Record, Result};

/// Records in partitions, each a sequence in which a record has a number, its offset. Offsets grow and may have gaps;
/// a record never changes its offset, and what is read at an offset is the same each time.
///
/// For each batch the driver asks what there is and takes the next range of each partition. Tasks read these ranges,
/// one task for each partition; a task that is tried again, a second job on the batch and another process read the same.
/// The program, and with it the source, is built in each process: the driver asks [`available`](Self::available),
/// those with tasks call [`read`](Self::read). What it does on disk and network is its own; it must bound its waits.
///
/// ```
/// use headwater::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
/// use headwater::{Result, prelude::*, testkit};
/// /// The first hundred squares, in one partition.
/// struct Squares;
/// impl DirectSource for Squares {
///     type Record = u64;
///     fn name(&self) -> String {
///         "squares".to_string()
///     }
///     fn available(&self, _batch: &BatchRequest) -> Result<Vec<PartitionOffsets>> {
///         Ok(vec![PartitionOffsets { partition: 0, oldest: 0, end: 100 }])
///     }
///     fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<u64>>> {
///         Ok((range.from..range.until).map(|offset| Ok(offset * offset)))
///     }
/// }
/// let (ssc, clock) = testkit::streaming_context();
/// let (sent, received) = std::sync::mpsc::channel();
/// ssc.direct_stream(Squares).reduce(|a, b| a + b).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// assert_eq!(received.recv().unwrap(), [328_350]);
/// # Ok::<(), headwater::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of ranges",
    label = "this does not implement `DirectSource`",
    note = "implement `headwater::direct::DirectSource`; for records that depend on a counter alone there is \
            `ssc.rate_stream(...)`"
)]
pub trait DirectSource: Send + Sync + 'static {
    /// What it holds.
    type Record: Record;

    /// What errors call it: the topic, the table.
    fn name(&self) -> String;

    /// All partitions and what each holds now, in any order. Asked once for each batch, by one thread of the driver,
    /// which makes no batch meanwhile. A partition that was there before may not be missing as long as there is something
    /// in it that was not taken.
    ///
    /// With an error the batch gets nothing of this source, and the next one what there is then; the error is returned
    /// by `await_termination`, once for as long as it stays the same.
    fn available(&self, batch: &BatchRequest<'_>) -> Result<Vec<PartitionOffsets>>;

    /// Where the first batch begins to read a partition, from `oldest` to `end` of it; unless overridden, at the oldest
    /// record. Asked while the batches know no partition at all: one that appears later is read from its oldest record.
    fn begin(&self, held: &PartitionOffsets) -> Result<u64> {
        Ok(held.oldest)
    }

    /// The records of the range, in the order of their offsets. Called by a task, and again when it is tried again.
    /// What is no longer there is an error, as [`OffsetRange::check_held`] makes it; never fewer records.
    fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<Self::Record>>>;
}
