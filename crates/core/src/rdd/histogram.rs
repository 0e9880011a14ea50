//! `histogram`: how many numbers of a dataset fall between bounds.

use super::Rdd;
use super::stats::Number;
use crate::{Error, ErrorKind, Result};
use std::cmp::Ordering;

/// Buckets that a histogram may have: each task counts in all of them.
const BUCKETS_MAX: usize = 1 << 20;

impl<T: Number> Rdd<T> {
    /// The bounds of `buckets` buckets that divide the numbers evenly from the least to the greatest, one more than
    /// buckets, and how many numbers each holds. A bucket holds its lower bound, the last one its upper bound too.
    /// Where all numbers are equal there is one bucket. This runs two jobs.
    ///
    /// From 1 to 1,048,576 buckets; no number at all, or one that is infinite or no number, is an error.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let (bounds, counts) = context.parallelize((0..=50).collect(), 2).histogram(2)?;
    /// assert_eq!((bounds, counts), (vec![0.0, 25.0, 50.0], vec![25, 26]));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn histogram(&self, buckets: usize) -> Result<(Vec<f64>, Vec<u64>)> {
        if !(1..=BUCKETS_MAX).contains(&buckets) {
            return Err(Error::program(format!("histogram({buckets}): there are from 1 to {BUCKETS_MAX} buckets")));
        }
        self.keep_shuffles();
        let stats = self.stats()?;
        let (count, min, max) = (stats.count(), stats.min(), stats.max());
        if count == 0 || !((max - min) * buckets as f64).is_finite() {
            return Err(Error::new(
                ErrorKind::Data,
                format!(
                    "histogram({buckets}): {count} numbers from {min} to {max} cannot be divided evenly; they must be \
                     finite, and one at least: filter them, or give the bounds to histogram_within"
                ),
            ));
        }
        let bound = |n| if n == buckets { max } else { min + n as f64 * (max - min) / buckets as f64 };
        let bounds: Vec<f64> = if min == max { vec![min, max] } else { (0..=buckets).map(bound).collect() };
        let counts = self.counted_within("histogram", bounds.clone())?;
        Ok((bounds, counts))
    }

    /// How many numbers are in each bucket between neighbours of `bounds`, which are at least two and rise. A bucket
    /// holds its lower bound, the last one its upper bound too. What is outside of them is not counted.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![0, 1, 9, 10, 19, 20, 50, 51], 2);
    /// assert_eq!(numbers.histogram_within(&[1.0, 10.0, 20.0, 50.0])?, [2, 2, 2]);
    /// assert!(numbers.histogram_within(&[2.0, 1.0]).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn histogram_within(&self, bounds: &[f64]) -> Result<Vec<u64>> {
        if !(2..=BUCKETS_MAX + 1).contains(&bounds.len()) {
            let count = bounds.len();
            return Err(Error::program(format!(
                "histogram_within: {count} bounds; there are 2 to {}",
                BUCKETS_MAX + 1
            )));
        }
        if let Some(pair) = bounds.windows(2).find(|pair| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less)) {
            let (low, high) = (pair[0], pair[1]);
            return Err(Error::program(format!(
                "histogram_within: the bound {high} is not above {low}, the one before"
            )));
        }
        self.counted_within("histogram_within", bounds.to_vec())
    }

    #[track_caller]
    fn counted_within(&self, kind: &'static str, bounds: Vec<f64>) -> Result<Vec<u64>> {
        let buckets = bounds.len() - 1;
        let step = move |counts: &mut Vec<u64>, chunk: &mut Vec<T>| {
            for number in chunk.drain(..) {
                if let Some(bucket) = bucket_of(&bounds, number.to_f64()) {
                    counts[bucket] += 1;
                }
            }
        };
        let counted = self.fold_partitions(kind, move || vec![0; buckets], step, Some);
        let add = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        Ok(counted.joined_in_tree(kind, add, 2)?.unwrap_or_else(|| vec![0; buckets]))
    }
}

/// The bucket that holds `number`. Where bounds are equal, the last of them begins it.
fn bucket_of(bounds: &[f64], number: f64) -> Option<usize> {
    let last = bounds[bounds.len() - 1];
    match bounds.partition_point(|bound| *bound <= number) {
        0 => None,
        _ if number > last || number.is_nan() => None,
        passed => Some((passed - 1).min(bounds.len() - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_in_the_bucket_that_it_begins() {
        let bounds = [1.0, 2.0, 4.0];
        let buckets = [0.5, 1.0, 1.9, 2.0, 3.9, 4.0, 4.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let expected = [None, Some(0), Some(0), Some(1), Some(1), Some(1), None, None, None, None];
        assert_eq!(buckets.map(|number| bucket_of(&bounds, number)), expected);
        assert_eq!(bucket_of(&[3.0, 3.0], 3.0), Some(0));
    }
}
