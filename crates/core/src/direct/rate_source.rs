//! [`RateSource`]: so many records a second, each a function of its number. What a batch has follows from the times of
//! the batches, so that a replay is the same.

use super::rate::due;
use super::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets};
use crate::rdd::PARTITIONS_MAX;
use crate::{Closure, Error, Record, Result};

/// Records a second at most: their numbers last for 584 years.
const RATE_MAX: u64 = 1_000_000_000;

/// The records `record(0)`, `record(1)`, ..., so many of them a second. Number `n` stands in partition `n % partitions`.
pub struct RateSource<F> {
    per_second: u64,
    partitions: u32,
    record: F,
}

impl<F> RateSource<F> {
    /// So many records a second, from 1 to 1,000,000,000, in so many partitions, from 1 to 1,048,576.
    ///
    /// ```
    /// use headwater::direct::{DirectSource, OffsetRange, RateSource};
    /// let squares = RateSource::new(100, 4, |number| number * number)?;
    /// // The third to the fifth record of partition 1 are the numbers 9, 13 and 17.
    /// let range = OffsetRange { partition: 1, from: 2, until: 5 };
    /// assert_eq!(squares.read(&range)?.collect::<Result<Vec<u64>, _>>()?, [81, 169, 289]);
    /// assert!(RateSource::new(0, 4, |number| number).is_err());
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn new<T>(per_second: u64, partitions: usize, record: F) -> Result<RateSource<F>>
    where
        F: Fn(u64) -> T,
    {
        if !(1..=RATE_MAX).contains(&per_second) {
            return Err(Error::program(format!("a rate of {per_second} records a second: it is from 1 to {RATE_MAX}")));
        }
        match u32::try_from(partitions) {
            Ok(partitions @ 1..) if partitions as usize <= PARTITIONS_MAX => {
                Ok(RateSource { per_second, partitions, record })
            }
            _ => Err(Error::program(format!("{partitions} partitions: a stream has from 1 to {PARTITIONS_MAX}"))),
        }
    }

    /// How many of the first `count` records stand in `partition`.
    fn share(&self, count: u128, partition: u32) -> u64 {
        let share = count.saturating_sub(u128::from(partition)).div_ceil(u128::from(self.partitions));
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// How many records the batches have taken so far.
    fn taken(&self, batch: &BatchRequest<'_>) -> Result<u128> {
        let known = batch.known_partitions();
        if known == 0 {
            return Ok(0);
        }
        let positions: Vec<u64> = (0..self.partitions).map_while(|partition| batch.position(partition)).collect();
        let taken = positions.iter().map(|position| u128::from(*position)).sum();
        let is_ours = |(partition, position): (u32, &u64)| self.share(taken, partition) == *position;
        if positions.len() != known || known != self.partitions as usize || !(0..).zip(&positions).all(is_ours) {
            return Err(Error::program(format!(
                "the batches before the restart took their records from another number of partitions than {}: a rate \
                 stream keeps the number it began with",
                self.partitions
            )));
        }
        Ok(taken)
    }
}

impl<T: Record, F: Fn(u64) -> T + Closure> DirectSource for RateSource<F> {
    type Record = T;

    fn name(&self) -> String {
        format!("{} records a second", self.per_second)
    }
    fn available(&self, batch: &BatchRequest<'_>) -> Result<Vec<PartitionOffsets>> {
        let count = self.taken(batch)? + u128::from(due(self.per_second, batch.since(), batch.time()));
        let held = |partition| PartitionOffsets { partition, oldest: 0, end: self.share(count, partition) };
        Ok((0..self.partitions).map(held).collect())
    }
    fn read(&self, range: &OffsetRange) -> Result<impl Iterator<Item = Result<T>>> {
        let (partition, partitions) = (u64::from(range.partition), u64::from(self.partitions));
        Ok((range.from..range.until).map(move |offset| Ok((self.record)(offset * partitions + partition))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use std::collections::BTreeMap;

    fn ends<F: Fn(u64) -> u64 + Closure>(source: &RateSource<F>, positions: &[u64], ms: i64) -> Result<Vec<u64>> {
        let positions: BTreeMap<u32, u64> = (0..).zip(positions.iter().copied()).collect();
        let (time, since) = (Time::from_millis(ms), Time::from_millis(ms - 500));
        let held = source.available(&BatchRequest { time, since, positions: &positions })?;
        Ok(held.iter().map(|held| held.end).collect())
    }

    #[test]
    fn numbers_go_round_the_partitions() {
        let source = RateSource::new(5, 3, |n: u64| n).unwrap();
        assert_eq!(ends(&source, &[], 500).unwrap(), [1, 1, 0]);
        assert_eq!(ends(&source, &[1, 1, 0], 1000).unwrap(), [2, 2, 1]);
        let range = OffsetRange { partition: 2, from: 1, until: 4 };
        let read: Result<Vec<u64>> = source.read(&range).unwrap().collect();
        assert_eq!(read.unwrap(), [5, 8, 11]);
    }

    #[test]
    fn positions_of_other_partitions_are_refused() {
        let source = RateSource::new(5, 3, |n: u64| n).unwrap();
        for positions in [&[1, 1][..], &[1, 1, 1, 1], &[2, 0, 0], &[0, 0, 1]] {
            let error = ends(&source, positions, 1000).unwrap_err().to_string();
            assert!(error.contains("another number of partitions than 3"), "{positions:?}: {error}");
        }
    }

    #[test]
    fn rates_and_partitions_have_limits() {
        let error = |rate, partitions| RateSource::new(rate, partitions, |n: u64| n).err().unwrap().to_string();
        assert!(error(0, 1).starts_with("a rate of 0 records a second"));
        assert!(error(RATE_MAX + 1, 1).contains("it is from 1 to 1000000000"));
        assert!(error(1, 0).starts_with("0 partitions"));
        assert!(error(1, PARTITIONS_MAX + 1).contains("1048577 partitions"));
    }
}
