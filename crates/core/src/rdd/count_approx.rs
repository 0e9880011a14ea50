//! `count_approx`: a count that ends in time, with bounds for what it did not see.

use super::Rdd;
use super::retain::truncate;
use crate::time::Time;
use crate::{Error, Record, Result};
use std::fmt;
use std::time::Duration;

/// An estimate and the bounds that hold with some confidence. Source: Spark's `BoundedDouble`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BoundedDouble {
    /// The estimate.
    pub mean: f64,
    /// The probability, from 0 to 1, that the true value is within the bounds; 1 if it is known.
    pub confidence: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}
impl fmt::Display for BoundedDouble {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "[{:.3}, {:.3}]", self.low, self.high)
    }
}

impl<T: Record> Rdd<T> {
    /// How many records there are, as far as can be said after `timeout`. Partitions are counted in waves of as many
    /// as there are task threads; once the time is over no further wave begins. If all were counted the count is
    /// exact. Otherwise the rest is taken to be Poisson distributed at the rate seen so far, and within the bounds with
    /// probability `confidence`, from 0 to 1. Where no record was seen they are 0 and infinity, with confidence 0.
    ///
    /// Source: Spark's `countApprox` and `CountEvaluator`; Spark goes on counting after the time-out, this does not.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let context = headwater::testkit::context();
    /// let count = context.parallelize((0..1000).collect(), 10).count_approx(Duration::from_secs(5), 0.95)?;
    /// assert_eq!((count.mean, count.confidence, count.low, count.high), (1000.0, 1.0, 1000.0, 1000.0));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn count_approx(&self, timeout: Duration, confidence: f64) -> Result<BoundedDouble> {
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Error::program(format!("count_approx: the confidence {confidence} is not from 0 to 1")));
        }
        let (all, deadline) = (self.num_partitions(), self.context.env().clock.now() + timeout);
        self.keep_shuffles();
        let (sum, counted) = self.agreed(|| self.count_until(deadline))?;
        Ok(estimate(sum, counted, all, confidence))
    }

    /// Counts partitions, in waves, until the clock passes `deadline`: how many records how many partitions have.
    fn count_until(&self, deadline: Time) -> Result<(u64, usize)> {
        let (clock, all) = (&self.context.env().clock, self.num_partitions());
        let (mut counted, mut sum) = (0, 0);
        while counted < all && (counted == 0 || clock.now() < deadline) {
            let wave = counted..all.min(counted + self.context.engine().default_parallelism());
            counted = wave.end;
            let counts = self.fold_job_at(wave, |count: &mut u64, chunk| {
                *count += chunk.len() as u64;
                truncate(chunk, 0);
                Ok(())
            })?;
            sum += counts.into_iter().sum::<u64>();
        }
        Ok((sum, counted))
    }
}

/// The count of all partitions, when `counted` of them hold `sum` records.
fn estimate(sum: u64, counted: usize, all: usize, confidence: f64) -> BoundedDouble {
    let seen = sum as f64;
    if counted == all {
        return BoundedDouble { mean: seen, confidence: 1.0, low: seen, high: seen };
    }
    if sum == 0 {
        return BoundedDouble { mean: 0.0, confidence: 0.0, low: 0.0, high: f64::INFINITY };
    }
    let rest = seen * (all - counted) as f64 / counted as f64;
    let [low, high] = [1.0 - confidence, 1.0 + confidence].map(|twice| seen + poisson_quantile(rest, twice / 2.0));
    BoundedDouble { mean: seen + rest, confidence, low, high }
}

/// Weights below this, beside 1 for the likeliest number, do not count.
const NEGLIGIBLE: f64 = 1e-18;
/// Means above this take the shape of the distribution at this one: it is normal by then.
const MEAN_MAX: f64 = 1e9;

/// The least number that a Poisson distribution of `mean`, above 0, does not exceed with `probability`.
///
/// The weights of all numbers follow from that of the likeliest by multiplication, so no factorial is needed; those
/// that count are some 18 standard deviations.
fn poisson_quantile(mean: f64, probability: f64) -> f64 {
    if mean > MEAN_MAX {
        return mean + (poisson_quantile(MEAN_MAX, probability) - MEAN_MAX) * (mean / MEAN_MAX).sqrt();
    }
    if probability <= 0.0 || probability >= 1.0 {
        return if probability < 1.0 { 0.0 } else { f64::INFINITY };
    }
    let likeliest = mean.floor();
    let (mut first, mut first_weight, mut total) = (likeliest, 1.0, 1.0);
    while first > 0.0 && first_weight > NEGLIGIBLE {
        first_weight *= first / mean;
        first -= 1.0;
        total += first_weight;
    }
    let (mut number, mut weight) = (likeliest, 1.0);
    while weight > NEGLIGIBLE {
        number += 1.0;
        weight *= mean / number;
        total += weight;
    }
    let last = number;
    let (mut number, mut weight, mut passed) = (first, first_weight, first_weight);
    while passed < probability * total && number < last {
        number += 1.0;
        weight *= mean / number;
        passed += weight;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compared with the sums of the distribution in 60 digits.
    #[test]
    fn quantiles_are_those_of_the_distribution() {
        let probabilities = [0.005, 0.025, 0.5, 0.975, 0.995];
        let cases = [
            (0.5, [0.0, 0.0, 0.0, 2.0, 3.0]),
            (1.0, [0.0, 0.0, 1.0, 3.0, 4.0]),
            (10.0, [3.0, 4.0, 10.0, 17.0, 19.0]),
            (100.0, [75.0, 81.0, 100.0, 120.0, 127.0]),
            (2500.25, [2372.0, 2403.0, 2500.0, 2599.0, 2630.0]),
        ];
        for (mean, expected) in cases {
            assert_eq!(probabilities.map(|probability| poisson_quantile(mean, probability)), expected, "{mean}");
        }
        assert_eq!((poisson_quantile(7.0, 0.0), poisson_quantile(7.0, 1.0)), (0.0, f64::INFINITY));
    }

    #[test]
    fn far_quantiles_are_normal() {
        for mean in [1e6, 1e9, 1e14, 1e18] {
            let deviations = (poisson_quantile(mean, 0.975) - mean) / mean.sqrt();
            assert!((deviations - 1.95996).abs() < 1e-3, "{mean}: {deviations}");
        }
    }

    #[test]
    fn what_was_not_seen_is_estimated() {
        let half = estimate(100, 5, 10, 0.95);
        assert_eq!((half.mean, half.confidence, half.low, half.high), (200.0, 0.95, 181.0, 220.0));
        assert_eq!(half.to_string(), "[181.000, 220.000]");
        let none = estimate(0, 5, 10, 0.95);
        assert_eq!((none.mean, none.confidence, none.low, none.high), (0.0, 0.0, 0.0, f64::INFINITY));
        let sure = estimate(100, 5, 10, 1.0);
        assert_eq!((sure.low, sure.high), (100.0, f64::INFINITY));
    }
}
