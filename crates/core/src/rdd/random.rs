//! [`PartitionRandom`]: the random numbers of sampling. They depend on the seed and the partition alone and are made
//! of exact arithmetic, so that a retry, another machine and a later release draw the same ones.

use crate::hash::split_mix;

/// The sequence of one partition: splitmix64, which is small, passes the usual test batteries, and is good for 2^64
/// numbers.
pub(super) struct PartitionRandom {
    position: u64,
}

impl PartitionRandom {
    /// The sequence of `partition` under `seed`. Those of neighbours have nothing in common.
    pub(super) fn new(seed: u64, partition: usize) -> PartitionRandom {
        let (mixed, _) = split_mix(seed);
        PartitionRandom { position: split_mix(mixed ^ partition as u64).0 }
    }
    /// 64 random bits.
    #[inline(always)]
    pub(super) fn bits(&mut self) -> u64 {
        let (bits, next) = split_mix(self.position);
        self.position = next;
        bits
    }
    /// A number from 0 up to and without 1, in steps of 2^-53.
    #[inline(always)]
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The number of events of which there are `mean` on average, none knowing of another.
///
/// A mean above 1 is drawn as a sum of means up to 1: its cost is that of making the copies it stands for.
pub(super) struct Poisson {
    /// How many draws of mean 1 there are.
    ones: u64,
    /// The mean of the last draw, below 1.
    rest: f64,
    /// The chance of no event at mean 1, and at the mean `rest`.
    none: [f64; 2],
}

impl Poisson {
    /// `mean` is finite and not negative.
    pub(super) fn new(mean: f64) -> Poisson {
        let (ones, rest) = (mean.floor(), mean - mean.floor());
        Poisson { ones: ones as u64, rest, none: [exp_of_minus(1.0), exp_of_minus(rest)] }
    }
    /// The next number.
    pub(super) fn draw(&self, random: &mut PartitionRandom) -> u64 {
        let ones: u64 = (0..self.ones).map(|_| invert(random.unit(), 1.0, self.none[0])).sum();
        ones + invert(random.unit(), self.rest, self.none[1])
    }
}

/// The number at which the distribution of `mean`, up to 1, passes `unit`; `none` is its chance of 0.
fn invert(unit: f64, mean: f64, none: f64) -> u64 {
    let (mut number, mut chance, mut passed) = (0, none, none);
    // The chance of 20 is below the steps of `unit`: further numbers only mean that the sum was rounded down.
    while unit >= passed && number < 20 {
        number += 1;
        chance *= mean / number as f64;
        passed += chance;
    }
    number
}

/// `exp(-x)` for `x` from 0 to 1, by its series: the platform's own function may differ in the last bit.
fn exp_of_minus(x: f64) -> f64 {
    let terms = (1..25).scan(1.0, |term, n| {
        *term *= -x / f64::from(n);
        Some(*term)
    });
    1.0 + terms.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut random = PartitionRandom::new(7, 3);
        let first = [random.bits(), random.bits(), random.bits()];
        assert_eq!(first, [0x9c1b_0b5b_3e06_cf11, 0xe7aa_ae83_73ac_3545, 0x57c5_ca26_dfd8_5788]);
        let poisson = Poisson::new(2.5);
        assert_eq!([(); 12].map(|()| poisson.draw(&mut random)), [5, 3, 4, 3, 6, 4, 1, 3, 2, 3, 1, 2]);
    }

    #[test]
    fn numbers_are_even_and_partitions_differ() {
        let mean = |partition| {
            let mut random = PartitionRandom::new(1, partition);
            (0..100_000).map(|_| random.unit()).sum::<f64>() / 1e5
        };
        let means: Vec<f64> = (0..10).map(mean).collect();
        assert!(means.iter().all(|mean| (mean - 0.5).abs() < 0.005), "{means:?}");
        assert!(means.windows(2).all(|pair| pair[0] != pair[1]), "{means:?}");
    }

    #[test]
    fn poisson_has_its_mean_and_variance() {
        for mean in [0.0, 0.01, 0.7, 1.0, 3.25, 40.0] {
            let (poisson, mut random) = (Poisson::new(mean), PartitionRandom::new(2, 0));
            let drawn: Vec<f64> = (0..50_000).map(|_| poisson.draw(&mut random) as f64).collect();
            let average = drawn.iter().sum::<f64>() / 5e4;
            let variance = drawn.iter().map(|x| (x - average).powi(2)).sum::<f64>() / 5e4;
            let tolerance = 0.05 * mean;
            assert!((average - mean).abs() <= tolerance && (variance - mean).abs() <= tolerance, "{mean}: {average}");
        }
    }

    #[test]
    fn the_exponential_is_right() {
        for x in [0.0, 1e-9, 0.1, 0.5, 0.999, 1.0] {
            assert!((exp_of_minus(x) - (-x).exp()).abs() < 1e-15, "{x}");
        }
    }
}
