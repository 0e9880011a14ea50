//! [`StatCounter`] and the actions on datasets of numbers: `sum`, `mean`, `stats`, `variance`, `stdev`.

use super::Rdd;
use crate::{Record, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A number that statistics are made of: all of Rust's, and what implements this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number that statistics can be made of",
    label = "`sum`, `mean`, `stats` and `histogram` need a dataset of numbers",
    note = "`map` the records to numbers first, for example `.map(|record| record.price)`"
)]
pub trait Number: Record {
    /// As a double; a large integer is rounded to the nearest one.
    fn to_f64(self) -> f64;
}
macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl Number for $number {
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }
    )+};
}
numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64);

/// Count, mean, variance, least and greatest of numbers that are added one by one or as other counters, by the stable
/// formulas of Welford and Chan. Source: Spark's `StatCounter`.
///
/// ```
/// use headwater_core::rdd::StatCounter;
/// let mut left: StatCounter = [1.0, 2.0].into_iter().collect();
/// let right: StatCounter = [3.0, 6.0].into_iter().collect();
/// left.merge(&right);
/// assert_eq!((left.count(), left.sum(), left.mean(), left.min(), left.max()), (4, 12.0, 3.0, 1.0, 6.0));
/// assert_eq!((left.variance(), left.stdev()), (3.5, 3.5f64.sqrt()));
/// assert_eq!(left.sample_variance(), 14.0 / 3.0);
/// assert_eq!(left.to_string(), "(count: 4, mean: 3, stdev: 1.8708286933869707, max: 6, min: 1)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatCounter {
    count: u64,
    mean: f64,
    /// The sum of the squared distances from the mean.
    squares: f64,
    max: f64,
    min: f64,
}

impl Default for StatCounter {
    fn default() -> Self {
        StatCounter { count: 0, mean: 0.0, squares: 0.0, max: f64::NEG_INFINITY, min: f64::INFINITY }
    }
}

impl StatCounter {
    /// A counter of no numbers.
    pub fn new() -> StatCounter {
        StatCounter::default()
    }
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        let distance = value - self.mean;
        self.count += 1;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
        (self.min, self.max) = (lesser(self.min, value), -lesser(-self.max, -value));
    }
    /// Adds the numbers of another counter.
    pub fn merge(&mut self, other: &StatCounter) {
        if self.count == 0 {
            *self = *other;
        } else if other.count != 0 {
            let (own, others) = (self.count as f64, other.count as f64);
            let (all, distance) = (own + others, other.mean - self.mean);
            // Where one side is small, its share moves the mean of the other: that loses the least.
            self.mean = if others * 10.0 < own {
                self.mean + distance * others / all
            } else if own * 10.0 < others {
                other.mean - distance * own / all
            } else {
                (self.mean * own + other.mean * others) / all
            };
            self.squares += other.squares + distance * distance * own * others / all;
            self.count += other.count;
            (self.min, self.max) = (lesser(self.min, other.min), -lesser(-self.max, -other.max));
        }
    }
    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.count
    }
    /// Their mean; NaN of none, where Spark has 0.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }
    /// Their sum: the mean times the count.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }
    /// The least; NaN if one of them is, and infinity of none.
    pub fn min(&self) -> f64 {
        self.min
    }
    /// The greatest; NaN if one of them is, and minus infinity of none.
    pub fn max(&self) -> f64 {
        self.max
    }
    /// The variance of these numbers as a whole: the mean square of the distances from the mean. NaN of none.
    pub fn variance(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.squares / self.count as f64 }
    }
    /// The square root of [`StatCounter::variance`].
    pub fn stdev(&self) -> f64 {
        self.variance().sqrt()
    }
    /// The variance of that which these numbers are a sample of: divided by the count less one. NaN below two.
    pub fn sample_variance(&self) -> f64 {
        if self.count < 2 { f64::NAN } else { self.squares / (self.count - 1) as f64 }
    }
    /// The square root of [`StatCounter::sample_variance`].
    pub fn sample_stdev(&self) -> f64 {
        self.sample_variance().sqrt()
    }
}

/// The lesser of both; NaN if one of them is.
fn lesser(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

impl FromIterator<f64> for StatCounter {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut counter = StatCounter::new();
        values.into_iter().for_each(|value| counter.add(value));
        counter
    }
}
impl fmt::Display for StatCounter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let StatCounter { count, max, min, .. } = self;
        write!(f, "(count: {count}, mean: {}, stdev: {}, max: {max}, min: {min})", self.mean(), self.stdev())
    }
}

impl<T: Number> Rdd<T> {
    /// The sum of all numbers, added as doubles in the order of partitions; 0 of none.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1u64, 2, 3, 4], 2).sum()?, 10.0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Result<f64> {
        let step = |sum: &mut f64, chunk: &mut Vec<T>| chunk.drain(..).for_each(|number| *sum += number.to_f64());
        Ok(self.fold_partitions("sum", || 0.0, step, Some).collect()?.into_iter().sum())
    }

    /// Count, mean, variance, least and greatest of all numbers, by one job.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let stats = context.parallelize(vec![1.0, 2.0, 3.0, 6.0], 2).stats()?;
    /// assert_eq!((stats.count(), stats.mean(), stats.variance()), (4, 3.0, 3.5));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn stats(&self) -> Result<StatCounter> {
        let step = |counter: &mut StatCounter, chunk: &mut Vec<T>| {
            chunk.drain(..).for_each(|number| counter.add(number.to_f64()));
        };
        let counters = self.fold_partitions("stats", StatCounter::new, step, Some).collect()?;
        Ok(counters.iter().fold(StatCounter::new(), |mut all, counter| {
            all.merge(counter);
            all
        }))
    }

    /// The mean of all numbers; NaN of none.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3, 6], 2).mean()?, 3.0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Result<f64> {
        Ok(self.stats()?.mean())
    }

    /// The mean square of the distances from the mean; NaN of none. [`StatCounter::sample_variance`] of
    /// [`Rdd::stats`] is that of a sample.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3, 6], 2).variance()?, 3.5);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn variance(&self) -> Result<f64> {
        Ok(self.stats()?.variance())
    }

    /// The square root of [`Rdd::variance`]. [`StatCounter::sample_stdev`] of [`Rdd::stats`] is that of a sample.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 1, 5, 5], 2).stdev()?, 2.0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn stdev(&self) -> Result<f64> {
        Ok(self.stats()?.stdev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merged_parts_are_the_whole(parts: Vec<Vec<i16>>) {
            let counter = |part: &Vec<i16>| part.iter().map(|x| f64::from(*x)).collect::<StatCounter>();
            let mut merged = StatCounter::new();
            parts.iter().for_each(|part| merged.merge(&counter(part)));
            let whole = counter(&parts.concat());
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs()) || a.is_nan() && b.is_nan();
            prop_assert_eq!((merged.count(), merged.min(), merged.max()), (whole.count(), whole.min(), whole.max()));
            prop_assert!(near(merged.mean(), whole.mean()) && near(merged.variance(), whole.variance()));
            prop_assert!(near(merged.sample_stdev(), whole.sample_stdev()) && near(merged.sum(), whole.sum()));
        }
    }

    #[test]
    fn numbers_far_from_zero_keep_their_variance() {
        let far: StatCounter = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
        assert_eq!((far.mean(), far.sample_variance()), (1e9 + 10.0, 30.0));
    }

    #[test]
    fn nothing_and_not_a_number() {
        let none = StatCounter::new();
        assert!(none.mean().is_nan() && none.variance().is_nan() && none.sample_variance().is_nan());
        assert_eq!((none.count(), none.sum(), none.min(), none.max()), (0, 0.0, f64::INFINITY, f64::NEG_INFINITY));
        let one: StatCounter = [7.0].into_iter().collect();
        assert_eq!((one.variance(), one.sample_variance().is_nan()), (0.0, true));
        let bad: StatCounter = [1.0, f64::NAN, 2.0].into_iter().collect();
        assert!(bad.mean().is_nan() && bad.min().is_nan() && bad.max().is_nan());
    }
}
