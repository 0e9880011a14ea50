//! [`BatchRequest`]: for which batch the driver asks a source what there is.

use crate::time::Time;
use std::collections::BTreeMap;

/// A batch whose ranges are about to be chosen. A source that has its records from outside needs nothing of it; one
/// that makes them goes by these times instead of the clock, so that the same batch always gets the same.
///
/// ```
/// use headwater::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
/// use headwater::{Result, prelude::*, testkit};
/// /// A record for each millisecond, whose offset it is; from the first batch on.
/// struct Ticks;
/// impl DirectSource for Ticks {
///     type Record = u64;
///     fn name(&self) -> String {
///         "ticks".to_string()
///     }
///     fn available(&self, batch: &BatchRequest) -> Result<Vec<PartitionOffsets>> {
///         assert_eq!(batch.known_partitions(), if batch.position(0).is_none() { 0 } else { 1 });
///         let oldest = batch.position(0).unwrap_or(batch.since().milliseconds() as u64);
///         Ok(vec![PartitionOffsets { partition: 0, oldest, end: batch.time().milliseconds() as u64 }])
///     }
///     fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<u64>>> {
///         Ok((range.from..range.until).map(Ok))
///     }
/// }
/// let (ssc, clock) = testkit::streaming_context();
/// let (sent, received) = std::sync::mpsc::channel();
/// ssc.direct_stream(Ticks).foreach_rdd(move |rdd, _| sent.send((rdd.count().unwrap(), rdd.first().unwrap())).unwrap());
/// let running = ssc.start()?;
/// clock.advance(seconds(2));
/// assert_eq!(received.iter().take(2).collect::<Vec<_>>(), [(1000, 0), (1000, 1000)]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct BatchRequest<'a> {
    pub(super) time: Time,
    pub(super) since: Time,
    pub(super) positions: &'a BTreeMap<u32, u64>,
}

impl BatchRequest<'_> {
    /// The batch time.
    pub fn time(&self) -> Time {
        self.time
    }
    /// The time of the batch whose ranges were chosen last, also by the process before a restart; for the first one,
    /// a batch interval before `time`.
    pub fn since(&self) -> Time {
        self.since
    }
    /// Up to where the batches have taken the partition; none for one that is new to them.
    pub fn position(&self, partition: u32) -> Option<u64> {
        self.positions.get(&partition).copied()
    }
    /// How many partitions the batches know.
    pub fn known_partitions(&self) -> usize {
        self.positions.len()
    }
}
