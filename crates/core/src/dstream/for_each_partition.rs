//! `for_each_partition` on a stream: the user's own output, in the tasks.

use super::{DStream, JobOutcome, OutputOperation};
use crate::rdd::{PartitionRecords, TaskContext};
use crate::{Closure, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// An output operation: `f` runs once for each partition of every batch, in its task, with the partition's records
    /// and the task's context; on a cluster, on the machine that has the partition. It returns nothing or a `Result`; an
    /// error or a panic fails the task, which is tried again. So a partition may be written more than once: batch time
    /// and partition name what is written. Held in memory: one partition per task. Source: the design pattern of Spark's
    /// guide, `dstream.foreachRDD(_.foreachPartition(...))`.
    ///
    /// ```
    /// use headwater::testkit;
    /// use std::sync::mpsc;
    /// let (written, read) = mpsc::channel();
    /// testkit::printed([vec![1, 2, 3]], move |numbers| {
    ///     let written = written.clone();
    ///     numbers.for_each_partition(move |records, task| {
    ///         let name = (task.batch_time().unwrap().milliseconds(), task.partition_id());
    ///         written.send((name, records.sum::<i32>()))
    ///     })
    /// });
    /// let mut all: Vec<_> = read.iter().collect();
    /// all.sort();
    /// assert_eq!(all, [((1000, 0), 1), ((1000, 1), 5)]);
    /// ```
    #[track_caller]
    pub fn for_each_partition<R: JobOutcome>(
        &self,
        f: impl Fn(PartitionRecords<T>, &TaskContext) -> R + Closure,
    ) -> OutputOperation {
        let f = Arc::new(f);
        let each = move |rdd: crate::Rdd<T>, _: &_| {
            let f = f.clone();
            rdd.partitions_done("for_each_partition", move |records, task| f(records, task).into_result())
        };
        self.output("for_each_partition", each, |done, _| done.count().map(drop))
    }
}
