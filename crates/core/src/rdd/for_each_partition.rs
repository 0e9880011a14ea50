//! `for_each_partition`: a whole partition in, nothing out but its effects.

use super::map_partitions::whole;
use super::{PartitionRecords, Rdd, TaskContext};
use crate::dstream::JobOutcome;
use crate::origin::Origin;
use crate::{Closure, Record, Result};

impl<T: Record> Rdd<T> {
    /// Runs `f` once for each partition, in its task, with the partition's records and the task's context. It returns
    /// nothing or a `Result`; an error or a panic fails the task, which is tried again, so that a partition may be
    /// written more than once. Batch time and partition name what is written. Held in memory: one partition per task.
    /// Source: Spark's `foreachPartition`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sums = context.collection_accumulator("sums");
    /// let seen = sums.clone();
    /// let numbers = context.parallelize(vec![1, 2, 3, 4], 2);
    /// numbers.for_each_partition(move |records, task| seen.add((task.partition_id(), records.sum::<i32>())))?;
    /// let mut sums = sums.value();
    /// sums.sort();
    /// assert_eq!(sums, [(0, 3), (1, 7)]);
    /// let failed = numbers.for_each_partition(|_, _| Err::<(), _>("the database is away")).unwrap_err();
    /// assert!(failed.to_string().contains("the database is away"));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn for_each_partition<R: JobOutcome>(
        &self,
        f: impl Fn(PartitionRecords<T>, &TaskContext) -> R + Closure,
    ) -> Result<()> {
        let done = self.partitions_done("for_each_partition", move |records, task| f(records, task).into_result());
        done.count().map(drop)
    }

    /// A dataset of what `f` makes of each partition, in its task; `kind` is the operation.
    #[track_caller]
    pub(crate) fn partitions_done<R: Record>(
        &self,
        kind: &'static str,
        f: impl Fn(PartitionRecords<T>, &TaskContext) -> Result<R> + Closure,
    ) -> Rdd<R> {
        let origin = Origin::here(kind);
        self.narrow(false, move |parent, task, sink| {
            let records = whole(parent, task)?;
            task.enter(origin);
            sink(&mut vec![f(records.into_iter(), &task.context()).map_err(|error| error.within(origin))?])
        })
    }
}
