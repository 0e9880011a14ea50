//! `count_approx_distinct`: how many different records there are, in little memory.

use super::Rdd;
use crate::hash::{HashSeed, hash_of, split_mix};
use crate::{Error, Key, Record, Result};

/// The logarithm of the fewest registers that an estimate is made from.
const PRECISION_MIN: u32 = 4;
/// The logarithm of the most: 16 MiB in each task.
const PRECISION_MAX: u32 = 24;
/// The seed of the hash: the same for all, so that equal records give equal estimates in every application.
const SEED: HashSeed = HashSeed::new(0x4879_7065_724c_6f67);

impl<T: Record> Rdd<T> {
    /// About how many different records there are, with a relative standard deviation of about `relative_sd`, from
    /// 0.00026 to 0.37. Each task keeps `(1.054 / relative_sd)^2` bytes, rounded up to a power of two: 512 for 0.05, as
    /// Spark's `countApproxDistinct`, and at most 16 MiB.
    ///
    /// The registers are those of HyperLogLog++, with a 64-bit hash; they are read by Ertl's improved estimator, which
    /// needs no tables of corrections and is as exact.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..50_000).map(|n| n % 20_000).collect(), 4);
    /// let distinct = numbers.count_approx_distinct(0.01)?;
    /// assert!((19_400..20_600).contains(&distinct), "{distinct}");
    /// assert!(numbers.count_approx_distinct(0.0).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn count_approx_distinct(&self, relative_sd: f64) -> Result<u64>
    where
        T: Key,
    {
        let precision = (2.0 * (1.054 / relative_sd).log2()).ceil();
        if !(f64::from(PRECISION_MIN)..=f64::from(PRECISION_MAX)).contains(&precision) {
            return Err(Error::program(format!(
                "count_approx_distinct({relative_sd}): the relative standard deviation is from 0.00026 to 0.37"
            )));
        }
        let precision = precision as u32;
        let step = move |registers: &mut Vec<u8>, chunk: &mut Vec<T>| {
            // The hash is good for tables and partitions; leading zeros need bits that are mixed once more.
            let hashes = chunk.iter().map(|record| split_mix(hash_of(SEED, record)).0);
            hashes.for_each(|hash| count(registers, precision, hash));
        };
        let counted = self.fold_partitions("count_approx_distinct", move || vec![0; 1 << precision], step, Some);
        let greatest = |mut a: Vec<u8>, b: Vec<u8>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a = b.max(*a));
            a
        };
        let registers = counted.joined_in_tree("count_approx_distinct", greatest, 2)?;
        Ok(registers.map_or(0, |registers| estimate(&registers, precision).round() as u64))
    }
}

/// Notes a hash: its first bits name a register, which keeps the longest run of zeros behind them, plus 1.
fn count(registers: &mut [u8], precision: u32, hash: u64) {
    let register = &mut registers[(hash >> (64 - precision)) as usize];
    let zeros = (hash << precision).leading_zeros().min(64 - precision);
    *register = (*register).max(zeros as u8 + 1);
}

/// How many hashes were noted. Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
fn estimate(registers: &[u8], precision: u32) -> f64 {
    let longest = 64 - precision as usize;
    let mut counts = vec![0.0; longest + 2];
    registers.iter().for_each(|register| counts[usize::from(*register)] += 1.0);
    let all = registers.len() as f64;
    let full = all * tau(1.0 - counts[longest + 1] / all);
    let part = (1..=longest).rev().fold(full, |sum, zeros| 0.5 * (sum + counts[zeros]));
    all * all / (2.0 * std::f64::consts::LN_2 * (part + all * sigma(counts[0] / all)))
}

/// The share of the registers that are empty; infinite if all are.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum == before {
            return sum;
        }
    }
}

/// The share of those that are full.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimated(precision: u32, hashes: impl Iterator<Item = u64>) -> f64 {
        let mut registers = vec![0; 1 << precision];
        hashes.for_each(|hash| count(&mut registers, precision, hash));
        estimate(&registers, precision)
    }

    #[test]
    fn estimates_keep_their_deviation_from_few_to_many() {
        for precision in [6, 9, 14] {
            let deviation = 1.054 / f64::from(1u32 << precision).sqrt();
            for count in [1u64, 10, 100, 1_000, 30_000, 300_000] {
                let squares = (0..20u64).map(|run| {
                    let hashes = (0..count).map(|n| split_mix(run << 40 ^ n).0);
                    (estimated(precision, hashes) / count as f64 - 1.0).powi(2)
                });
                let seen = (squares.sum::<f64>() / 20.0).sqrt();
                assert!(seen < 1.6 * deviation, "{precision} bits, {count} hashes: {seen} above {deviation}");
            }
        }
    }

    #[test]
    fn none_is_none_and_full_registers_are_many() {
        assert_eq!(estimated(4, std::iter::empty()), 0.0);
        assert!(estimate(&[61; 16], 4).is_infinite());
    }

    /// Keys in a sequence, words and pairs are hashed well enough.
    #[test]
    fn the_hash_of_records_is_even() {
        let numbers = (0..100_000u64).map(|n| split_mix(hash_of(SEED, &(n << 10))).0);
        let words = (0..100_000u64).map(|n| split_mix(hash_of(SEED, &format!("user-{n}"))).0);
        let pairs = (0..100_000u64).map(|n| split_mix(hash_of(SEED, &(n % 100, n / 100))).0);
        for estimate in [estimated(14, numbers), estimated(14, words), estimated(14, pairs)] {
            assert!((estimate / 1e5 - 1.0).abs() < 0.03, "{estimate}");
        }
    }
}
