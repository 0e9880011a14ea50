//! The actions: what makes a dataset be computed. Each runs one job and returns its result to the caller.

use super::fold_partitions::reducing;
use super::retain::truncate;
use super::{Node, Rdd, Shuffle, Stop, Task};
use crate::engine::{Job, ResultStage};
use crate::{Closure, Data, Error, ErrorKind, Record, Result, rdd};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

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
        self.fold_job(|all: &mut Vec<T>, chunk| {
            all.append(chunk);
            Ok(())
        })
    }

    /// How many records there are.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec!['a'; 5], 2).count()?, 5);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn count(&self) -> Result<u64> {
        let counts = self.fold_job(|count: &mut u64, chunk| {
            *count += chunk.len() as u64;
            truncate(chunk, 0);
            Ok(())
        })?;
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
        Ok(totals.into_iter().reduce(&*reduce))
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
        let step = move |first: &mut Vec<T>, chunk: &mut Vec<T>| {
            truncate(chunk, limit - first.len());
            first.append(chunk);
            if first.len() == limit { Err(Stop::Enough) } else { Ok(()) }
        };
        let mut taken = Vec::new();
        for partitions in self.waves() {
            let firsts = self.fold_job_at(partitions, step)?;
            taken.extend(firsts.into_iter().flatten().take(limit - taken.len()));
            if taken.len() == limit {
                break;
            }
        }
        Ok(taken)
    }

    /// The partitions in the order in which an action that may end early computes them: few at first, then four times
    /// as many, as in Spark. Behind a shuffle all at once: its map side runs in any case, and hands out its buckets.
    fn waves(&self) -> Vec<Range<usize>> {
        let mut shuffles = Vec::new();
        self.node.shuffles(&mut shuffles);
        let (all, mut waves) = (self.num_partitions(), Vec::new());
        let mut wave = if shuffles.is_empty() { self.context.default_parallelism() } else { all };
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
        let step = |any: &mut bool, chunk: &mut Vec<T>| {
            *any |= !chunk.is_empty();
            truncate(chunk, 0);
            if *any { Err(Stop::Enough) } else { Ok(()) }
        };
        for partitions in self.waves() {
            if self.fold_job_at(partitions, step)?.contains(&true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Folds the chunks of each partition into a result of its own; [`Stop::Enough`] ends a partition early.
    fn fold_job<R: Record + Default>(
        &self,
        step: impl Fn(&mut R, &mut Vec<T>) -> rdd::Outcome + Closure,
    ) -> Result<Vec<R>> {
        self.fold_job_at(0..self.num_partitions(), step)
    }

    pub(super) fn fold_job_at<R: Record + Default>(
        &self,
        partitions: Range<usize>,
        step: impl Fn(&mut R, &mut Vec<T>) -> rdd::Outcome + Closure,
    ) -> Result<Vec<R>> {
        self.run_job(partitions, move |node, task| {
            let mut result = R::default();
            match node.compute(task, &mut |chunk| step(&mut result, chunk)) {
                Ok(()) | Err(Stop::Enough) => Ok(result),
                Err(stop) => Err(stop),
            }
        })
    }

    /// Runs `body` once for each of `partitions` on the engine; the results in their order.
    pub(super) fn run_job<R: Record>(
        &self,
        partitions: Range<usize>,
        body: impl Fn(&dyn Node<T>, &Task<'_>) -> Result<R, Stop> + Closure,
    ) -> Result<Vec<R>> {
        let results = partitions.clone().map(|_| Mutex::new(None)).collect();
        let stage = Arc::new(Results { node: self.node.clone(), body, partitions, results });
        self.context.engine().run(&Job::new(stage.clone()))?;
        let taken = |slot: &Mutex<Option<R>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let results: Option<Vec<R>> = stage.results.iter().map(taken).collect();
        results.ok_or_else(|| Error::new(ErrorKind::Internal, "the engine ended a job without a result of each task"))
    }
}

/// The last stage of an action's job.
struct Results<T, F, R> {
    node: Arc<dyn Node<T>>,
    body: F,
    partitions: Range<usize>,
    /// In the order of the partitions.
    results: Vec<Mutex<Option<R>>>,
}
impl<T: Record, R: Record, F> ResultStage for Results<T, F, R>
where
    F: Fn(&dyn Node<T>, &Task<'_>) -> Result<R, Stop> + Closure,
{
    fn partitions(&self) -> Vec<usize> {
        self.partitions.clone().collect()
    }
    fn shuffles(&self) -> Vec<Arc<dyn Shuffle>> {
        let mut found = Vec::new();
        self.node.shuffles(&mut found);
        found
    }
    fn run(&self, task: &Task<'_>) -> rdd::Outcome {
        let result = (self.body)(&*self.node, task)?;
        let slot = &self.results[task.partition() - self.partitions.start];
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        Ok(())
    }
}
