//! The built-in accumulators: whole numbers, floating-point numbers, and lists.

use super::{Accumulation, Accumulator};
use crate::{Data, RddContext};
use serde::{Deserialize, Serialize};

/// Adds up whole numbers.
pub type LongAccumulator = Accumulator<LongSum>;
/// Adds up floating-point numbers.
pub type DoubleAccumulator = Accumulator<DoubleSum>;
/// Gathers values; their order is not defined. All of them are in the driver's memory.
pub type CollectionAccumulator<T> = Accumulator<CollectionSum<T>>;

impl RddContext {
    /// A sum of whole numbers, 0 at first. Source: Spark's `longAccumulator`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let dropped = context.long_accumulator("dropped");
    /// let count = dropped.clone();
    /// let kept = context.parallelize(vec![1, -2, 3], 2).filter(move |n| {
    ///     if *n < 0 { count.add(1) }
    ///     *n >= 0
    /// });
    /// assert_eq!(kept.collect()?, [1, 3]);
    /// assert_eq!(dropped.value(), 1);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn long_accumulator(&self, name: impl Into<String>) -> LongAccumulator {
        self.accumulator(name, LongSum::default())
    }
    /// A sum of floating-point numbers, 0 at first. The order of additions is not defined, and so the last digits.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let seconds = context.double_accumulator("seconds");
    /// let total = seconds.clone();
    /// context.parallelize(vec![0.5, 0.25], 2).map(move |n| total.add(n)).count()?;
    /// assert_eq!((seconds.value(), seconds.avg()), (0.75, Some(0.375)));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn double_accumulator(&self, name: impl Into<String>) -> DoubleAccumulator {
        self.accumulator(name, DoubleSum::default())
    }
    /// A list of values, empty at first.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let odd = context.collection_accumulator("odd");
    /// let found = odd.clone();
    /// context.parallelize(vec![1, 2, 3], 1).map(move |n| if n % 2 == 1 { found.add(n) }).count()?;
    /// assert_eq!(odd.value(), [1, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn collection_accumulator<T: Data>(&self, name: impl Into<String>) -> CollectionAccumulator<T> {
        self.accumulator(name, CollectionSum(Vec::new()))
    }
}

/// The total of a [`LongAccumulator`]; beyond the range of `i64` it wraps around.
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
pub struct LongSum {
    sum: i64,
    count: u64,
}
impl Accumulation for LongSum {
    type Input = i64;
    type Output = i64;
    fn add(&mut self, value: i64) {
        self.merge(LongSum { sum: value, count: 1 });
    }
    fn merge(&mut self, other: LongSum) {
        self.sum = self.sum.wrapping_add(other.sum);
        self.count += other.count;
    }
    fn value(&self) -> i64 {
        self.sum
    }
}
impl LongAccumulator {
    /// How many values were added.
    pub fn count(&self) -> u64 {
        self.total().count
    }
    /// The mean of the values; none of nothing.
    pub fn avg(&self) -> Option<f64> {
        let LongSum { sum, count } = self.total();
        (count > 0).then(|| sum as f64 / count as f64)
    }
}

/// The total of a [`DoubleAccumulator`].
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
pub struct DoubleSum {
    sum: f64,
    count: u64,
}
impl Accumulation for DoubleSum {
    type Input = f64;
    type Output = f64;
    fn add(&mut self, value: f64) {
        self.merge(DoubleSum { sum: value, count: 1 });
    }
    fn merge(&mut self, other: DoubleSum) {
        self.sum += other.sum;
        self.count += other.count;
    }
    fn value(&self) -> f64 {
        self.sum
    }
}
impl DoubleAccumulator {
    /// How many values were added.
    pub fn count(&self) -> u64 {
        self.total().count
    }
    /// The mean of the values; none of nothing.
    pub fn avg(&self) -> Option<f64> {
        let DoubleSum { sum, count } = self.total();
        (count > 0).then(|| sum / count as f64)
    }
}

/// The total of a [`CollectionAccumulator`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CollectionSum<T>(Vec<T>);
impl<T: Data> Accumulation for CollectionSum<T> {
    type Input = T;
    type Output = Vec<T>;
    fn add(&mut self, value: T) {
        self.0.push(value);
    }
    fn merge(&mut self, other: CollectionSum<T>) {
        self.0.extend(other.0);
    }
    fn value(&self) -> Vec<T> {
        self.0.clone()
    }
}
