//! The actions: what makes a dataset be computed. Each runs one job and returns its result to the caller.

use super::fold_partitions::reducing;
use super::job::{KnownAction, Partial};
use super::on_driver::on_driver;
use super::retain::truncate;
use super::{FoundShuffles, Node, Rdd, Stop, Task};
use crate::origin::Origin;
use crate::{Closure, Data, Record, Result, rdd};
use std::ops::Range;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// All records, in the order of partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![3, 1, 2], 2).collect()?, [3, 1, 2]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn collect(&self) -> Result<Vec<T>>
    where
        T: Data,
    {
        Ok(self.collect_partitions()?.into_iter().flatten().collect())
    }

    /// All records, one vector per partition.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![1, 2, 3], 3).collect_partitions()?, [[1], [2], [3]]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn collect_partitions(&self) -> Result<Vec<Vec<T>>>
    where
        T: Data,
    {
        self.run_action::<Collect>(0..self.num_partitions(), 0)
    }

    /// How many records there are.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec!['a'; 5], 2).count()?, 5);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn count(&self) -> Result<u64> {
        let counts = self.run_action::<Count>(0..self.num_partitions(), 0)?;
        Ok(counts.into_iter().sum())
    }

    /// All records, reduced by `reduce`, which must be associative and commutative: each partition in its task, and
    /// the totals of the partitions here. `None` if there is no record.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4], 2);
    /// assert_eq!(numbers.reduce(|a, b| a + b)?, Some(10));
    /// assert_eq!(numbers.filter(|n| *n > 9).reduce(|a, b| a + b)?, None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn reduce(&self, reduce: impl Fn(T, T) -> T + Record) -> Result<Option<T>>
    where
        T: Data,
    {
        let reduce = Arc::new(reduce);
        let step = reducing(reduce.clone());
        let totals = self.fold_partitions("reduce", || None, step, |total| total).collect()?;
        on_driver(Origin::here("reduce"), || totals.into_iter().reduce(&*reduce))
    }

    /// The first `limit` records in the order of partitions. A partition is read no further than needed.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize((0..1000).collect(), 4).take(3)?, [0, 1, 2]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn take(&self, limit: usize) -> Result<Vec<T>>
    where
        T: Data,
    {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.agreed(|| {
            let mut taken = Vec::new();
            for partitions in self.waves() {
                let firsts = self.run_action::<Take>(partitions, limit)?;
                taken.extend(firsts.into_iter().flatten().take(limit - taken.len()));
                if taken.len() == limit {
                    break;
                }
            }
            Ok(taken)
        })
    }

    /// The partitions in the order in which an action that may end early computes them: few at first, then four times
    /// as many, as in Spark. Behind a shuffle all at once: its map side runs in any case, and hands out its buckets.
    fn waves(&self) -> Vec<Range<usize>> {
        let shuffles = FoundShuffles::by(|found| self.node.shuffles(found));
        let (all, mut waves) = (self.num_partitions(), Vec::new());
        let mut wave = if shuffles.is_empty() { self.context.engine().default_parallelism() } else { all };
        let mut from = 0;
        while from < all {
            let to = from.saturating_add(wave).min(all);
            waves.push(from..to);
            (from, wave) = (to, wave.saturating_mul(4));
        }
        waves
    }

    /// Whether there is no record.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert!(context.parallelize(vec![1], 1).filter(|x| *x > 1).is_empty()?);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn is_empty(&self) -> Result<bool> {
        self.agreed(|| {
            for partitions in self.waves() {
                if self.run_action::<AnyRecord>(partitions, 0)?.contains(&true) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Folds the chunks of each of `partitions` into a result of its own; [`Stop::Enough`] ends a partition early.
    pub(super) fn fold_job_at<R: Data + Default>(
        &self,
        partitions: Range<usize>,
        step: impl Fn(&mut R, &mut Vec<T>) -> rdd::Outcome + Closure,
    ) -> Result<Vec<R>> {
        self.run_job(partitions, move |node, task| folded(node, task, &step))
    }
}

/// The chunks of a partition, folded into one result.
fn folded<T, R: Default>(
    node: &dyn Node<T>,
    task: &Task<'_>,
    step: impl Fn(&mut R, &mut Vec<T>) -> rdd::Outcome,
) -> Partial<R> {
    let mut result = R::default();
    match node.compute(task, &mut |chunk| step(&mut result, chunk)) {
        Ok(()) | Err(Stop::Enough) => Ok(result),
        Err(stop) => Err(stop),
    }
}

struct Collect;
impl<T: Data> KnownAction<T> for Collect {
    type Output = Vec<T>;
    fn run(node: &dyn Node<T>, task: &Task<'_>, _: usize) -> Partial<Vec<T>> {
        folded(node, task, |all: &mut Vec<T>, chunk| {
            all.append(chunk);
            Ok(())
        })
    }
}

struct Count;
impl<T: Record> KnownAction<T> for Count {
    type Output = u64;
    fn run(node: &dyn Node<T>, task: &Task<'_>, _: usize) -> Partial<u64> {
        folded(node, task, |count: &mut u64, chunk| {
            *count += chunk.len() as u64;
            truncate(chunk, 0);
            Ok(())
        })
    }
}

/// The parameter is the most records that are wanted, at least 1.
struct Take;
impl<T: Data> KnownAction<T> for Take {
    type Output = Vec<T>;
    fn run(node: &dyn Node<T>, task: &Task<'_>, limit: usize) -> Partial<Vec<T>> {
        folded(node, task, |first: &mut Vec<T>, chunk| {
            truncate(chunk, limit - first.len());
            first.append(chunk);
            if first.len() == limit { Err(Stop::Enough) } else { Ok(()) }
        })
    }
}

/// Whether there is a record.
struct AnyRecord;
impl<T: Record> KnownAction<T> for AnyRecord {
    type Output = bool;
    fn run(node: &dyn Node<T>, task: &Task<'_>, _: usize) -> Partial<bool> {
        folded(node, task, |any: &mut bool, chunk| {
            *any |= !chunk.is_empty();
            truncate(chunk, 0);
            if *any { Err(Stop::Enough) } else { Ok(()) }
        })
    }
}
