//! `run_job`: an action of one's own, on all partitions or some of them.

use super::map_partitions::whole;
use super::{Node, PartitionRecords, Rdd, RddContext, Task, TaskContext};
use crate::origin::Origin;
use crate::{Closure, Data, Error, Record, Result};
use std::ops::Range;

impl RddContext {
    /// Runs `f` on each partition of `rdd`, in its task, with the partition's records and the task's context; the
    /// results in the order of partitions. A partition is held in memory while `f` runs on it. A panic fails the task,
    /// which is tried again. Source: Spark's `SparkContext.runJob`; for its asynchronous `submitJob` call this on a
    /// thread of your own.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4], 2);
    /// let sums = context.run_job(&numbers, |records, task| (task.partition_id(), records.sum::<i32>()))?;
    /// assert_eq!(sums, [(0, 3), (1, 7)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn run_job<T: Record, R: Data>(
        &self,
        rdd: &Rdd<T>,
        f: impl Fn(PartitionRecords<T>, &TaskContext) -> R + Closure,
    ) -> Result<Vec<R>> {
        self.run_job_on(rdd, 0..rdd.num_partitions(), f)
    }

    /// As [`RddContext::run_job`], on a range of the partitions; one that the dataset does not have is an error.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4], 4);
    /// assert_eq!(context.run_job_on(&numbers, 1..3, |mut records, _| records.next())?, [Some(2), Some(3)]);
    /// let error = context.run_job_on(&numbers, 3..5, |records, _| records.len()).unwrap_err();
    /// assert!(error.to_string().contains("3..5"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn run_job_on<T: Record, R: Data>(
        &self,
        rdd: &Rdd<T>,
        partitions: Range<usize>,
        f: impl Fn(PartitionRecords<T>, &TaskContext) -> R + Closure,
    ) -> Result<Vec<R>> {
        let (origin, all) = (Origin::here("run_job"), rdd.num_partitions());
        if partitions.end > all {
            return Err(Error::program(format!("{origin}: partitions {partitions:?} of a dataset that has {all}")));
        }
        rdd.run_job(partitions, move |node: &dyn Node<T>, task: &Task<'_>| {
            let records = whole(node, task)?;
            task.enter(origin);
            Ok(f(records.into_iter(), &task.context()))
        })
    }
}
