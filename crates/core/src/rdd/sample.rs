//! `sample`, `sample_by_key`, `random_split`: parts of a dataset that chance picks, the same ones at every run.

use super::random::{PartitionRandom, Poisson};
use super::retain::retain;
use super::{CHUNK, Node, Outcome, Rdd, Sink, Stop, Task};
use crate::origin::Origin;
use crate::{Error, Key, Record, Result};
use std::collections::HashMap;

/// Copies of a record that a sample with replacement has on average, at most.
const COPIES_MAX: f64 = 1e6;

impl<T: Record> Rdd<T> {
    /// A random part of the records. Without replacement each is kept with probability `fraction`, from 0 to 1; with
    /// replacement each comes as often as chance has it, `fraction` times on average, up to 1,000,000. The size varies:
    /// `fraction` times the count is its average. Keys stay where they are.
    ///
    /// What is picked depends on `seed`, the partition and the place of the record in it, on no machine and no release:
    /// a second run and a retry pick the same. (Spark's picks differ: it has other random numbers.) A fraction out of
    /// range is an error of the job.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..10_000).collect(), 4);
    /// let tenth = numbers.sample(false, 0.1, 42);
    /// assert!((900..1100).contains(&tenth.count()?));
    /// assert_eq!(tenth.collect()?, numbers.sample(false, 0.1, 42).collect()?);
    /// let twice = numbers.sample(true, 2.0, 42).count()?;
    /// assert!((19_000..21_000).contains(&twice));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sample(&self, with_replacement: bool, fraction: f64, seed: u64) -> Rdd<T>
    where
        T: Clone,
    {
        let origin = Origin::here("sample");
        match Copies::new(with_replacement, fraction) {
            Err(message) => self.broken(format!("{origin}: {message}")),
            Ok(Copies::OneOrNone(fraction)) => self.between(origin, 0.0, fraction, seed),
            Ok(copies) => self.narrow(true, move |parent, task, sink| {
                let mut random = PartitionRandom::new(seed, task.partition());
                push_copies(parent, task, sink, origin, |_| Ok(copies.draw(&mut random)))
            }),
        }
    }

    /// Deals the records out by chance: each goes to one of as many datasets as there are `weights`, and with the
    /// probability of that one's weight in the sum of all. The same seed deals in the same way. The datasets have this
    /// one's partitions. A weight that is negative or not finite, or a sum that is not above 0, is an error of the
    /// jobs.
    ///
    /// Each result computes this dataset for itself, so it must give its records in the same order each time.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((0..10_000).collect::<Vec<_>>(), 4);
    /// let [train, test] = &numbers.random_split(&[0.8, 0.2], 42)[..] else { panic!("two weights, two parts") };
    /// assert!((7_800..8_200).contains(&train.count()?));
    /// let mut all = train.union(test).collect()?;
    /// all.sort();
    /// assert_eq!(all, (0..10_000).collect::<Vec<_>>());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn random_split(&self, weights: &[f64], seed: u64) -> Vec<Rdd<T>> {
        let origin = Origin::here("random_split");
        let (sum, bad) =
            (weights.iter().sum::<f64>(), weights.iter().find(|weight| !(0.0..f64::INFINITY).contains(*weight)));
        let refused = match bad {
            Some(weight) => Some(format!("{origin}: the weight {weight} is not a finite number from 0 on")),
            None if sum > 0.0 && sum.is_finite() => None,
            None => {
                Some(format!("{origin}: the weights add up to {sum}; at least one must be above 0, and the sum finite"))
            }
        };
        if let Some(message) = refused {
            return weights.iter().map(|_| self.broken(message.clone())).collect();
        }
        self.keep_shuffles();
        let (mut from, mut passed) = (0.0, 0.0);
        let split = |(at, weight): (usize, &f64)| {
            passed += weight;
            // The last one takes what rounding left over.
            let to = if at + 1 == weights.len() { 1.0 } else { passed / sum };
            self.between(origin, std::mem::replace(&mut from, to), to, seed)
        };
        weights.iter().enumerate().map(split).collect()
    }

    /// The records whose random number is in `from..to`.
    fn between(&self, origin: Origin, from: f64, to: f64, seed: u64) -> Rdd<T> {
        self.narrow(true, move |parent, task, sink| {
            let mut random = PartitionRandom::new(seed, task.partition());
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                retain(chunk, |_| (from..to).contains(&random.unit()));
                if chunk.is_empty() { Ok(()) } else { sink(chunk) }
            })
        })
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// As [`Rdd::sample`], with a fraction for each key. A key without one fails the job: name it with 0 to leave its
    /// records out.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize((0..1000).map(|n| (n % 2, n)).collect(), 2);
    /// let sample = pairs.sample_by_key(false, HashMap::from([(0, 1.0), (1, 0.1)]), 42);
    /// assert_eq!(sample.filter(|(key, _)| *key == 0).count()?, 500);
    /// assert!((25..75).contains(&sample.filter(|(key, _)| *key == 1).count()?));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sample_by_key(&self, with_replacement: bool, fractions: HashMap<K, f64>, seed: u64) -> Rdd<(K, V)>
    where
        K: Key,
        V: Clone,
    {
        let origin = Origin::here("sample_by_key");
        let copies = |(key, fraction)| Ok((key, Copies::new(with_replacement, fraction)?));
        let copies: HashMap<K, Copies> = match fractions.into_iter().map(copies).collect::<Result<_, String>>() {
            Ok(copies) => copies,
            Err(message) => return self.broken(format!("{origin}: {message}")),
        };
        self.narrow(true, move |parent, task, sink| {
            let mut random = PartitionRandom::new(seed, task.partition());
            push_copies(parent, task, sink, origin, |(key, _)| match copies.get(key) {
                Some(copies) => Ok(copies.draw(&mut random)),
                None => Err(Error::program(format!(
                    "{origin}: a record has a key that is not among the {} with a fraction; add it, with 0 to leave \
                     its records out",
                    copies.len()
                ))
                .into()),
            })
        })
    }
}

/// How often a record comes.
enum Copies {
    /// Once, with this probability.
    OneOrNone(f64),
    /// As often as chance has it.
    Any(Poisson),
}

impl Copies {
    fn new(with_replacement: bool, fraction: f64) -> Result<Copies, String> {
        let (with, most) = if with_replacement { ("with", COPIES_MAX) } else { ("without", 1.0) };
        match with_replacement {
            _ if !(0.0..=most).contains(&fraction) => {
                Err(format!("the fraction {fraction} is out of range: {with} replacement it is from 0 to {most}"))
            }
            true => Ok(Copies::Any(Poisson::new(fraction))),
            false => Ok(Copies::OneOrNone(fraction)),
        }
    }
    fn draw(&self, random: &mut PartitionRandom) -> u64 {
        match self {
            Copies::OneOrNone(fraction) => u64::from(random.unit() < *fraction),
            Copies::Any(poisson) => poisson.draw(random),
        }
    }
}

/// Pushes each record as often as `copies` says.
fn push_copies<T: Record + Clone>(
    parent: &dyn Node<T>,
    task: &Task<'_>,
    sink: Sink<'_, T>,
    origin: Origin,
    mut copies: impl FnMut(&T) -> Result<u64, Stop>,
) -> Outcome {
    let mut out = Vec::with_capacity(CHUNK);
    parent.compute(task, &mut |chunk| {
        task.enter(origin);
        for record in chunk.drain(..) {
            for _ in 0..copies(&record)? {
                if out.len() == CHUNK {
                    sink(&mut out)?;
                    task.check()?;
                    task.enter(origin);
                }
                out.push(record.clone());
            }
        }
        sink(&mut out)
    })
}
