//! `take_sample`: a number of records that chance picks, brought to the caller.

use super::Rdd;
use super::random::PartitionRandom;
use crate::{Data, Error, ErrorKind, Record, Result};
use std::collections::{HashMap, HashSet};

/// Records that may be taken with replacement: all of them, and their places, are on the driver together.
const COUNT_MAX: usize = 100_000_000;

impl<T: Record> Rdd<T> {
    /// `count` records, picked by chance and in an order of chance; without replacement no more than there are. All
    /// come to the caller. The same seed picks the same of the same dataset.
    ///
    /// Without replacement this is one job, in which a task keeps less than `2 * count` records; with replacement the
    /// records are counted first.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..1000).collect(), 4);
    /// let sample = numbers.take_sample(false, 10, 42)?;
    /// assert_eq!((sample.len(), &sample), (10, &numbers.take_sample(false, 10, 42)?));
    /// assert_eq!(numbers.filter(|n| *n < 3).take_sample(false, 10, 42)?.len(), 3);
    /// assert_eq!(numbers.filter(|n| *n < 3).take_sample(true, 10, 42)?.len(), 10);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn take_sample(&self, with_replacement: bool, count: usize, seed: u64) -> Result<Vec<T>>
    where
        T: Data,
    {
        if with_replacement && count > COUNT_MAX {
            return Err(Error::new(
                ErrorKind::Resources,
                format!(
                    "take_sample({count}): at most {COUNT_MAX} records are taken with replacement; sample() gives a dataset"
                ),
            ));
        }
        if with_replacement {
            return self.take_by_index(count, seed);
        }
        // Those with the least of random numbers are a sample, and one in random order.
        let drawn = self.narrow(false, move |parent, task, sink| {
            let mut random = PartitionRandom::new(seed, task.partition());
            let mut out = Vec::new();
            parent.compute(task, &mut |chunk| {
                out.extend(chunk.drain(..).map(|record| (random.bits(), record)));
                sink(&mut out)
            })
        });
        let least = drawn.take_ordered_by_key(count, |(drawn, _)| *drawn)?;
        Ok(least.into_iter().map(|(_, record)| record).collect())
    }

    /// The records at random places.
    #[track_caller]
    fn take_by_index(&self, count: usize, seed: u64) -> Result<Vec<T>>
    where
        T: Data,
    {
        self.keep_shuffles();
        let all = self.count()?;
        let mut random = PartitionRandom::new(seed, 0);
        let place = |_| ((u128::from(random.bits()) * u128::from(all)) >> 64) as u64;
        let places: Vec<u64> = (0..if all == 0 { 0 } else { count }).map(place).collect();
        let wanted: HashSet<u64> = places.iter().copied().collect();
        let found = self.zip_with_index()?.filter(move |(_, place)| wanted.contains(place)).collect()?;
        let found: HashMap<u64, T> = found.into_iter().map(|(record, place)| (place, record)).collect();
        Ok(places.iter().filter_map(|place| found.get(place).cloned()).collect())
    }
}
