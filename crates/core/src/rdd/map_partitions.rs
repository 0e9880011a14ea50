//! `map_partitions`: a whole partition in, any number of records out.

use super::Rdd;
use super::node::push_all;
use crate::origin::Origin;
use crate::{Closure, Record};

/// The records of one partition, in order.
pub type PartitionRecords<T> = std::vec::IntoIter<T>;

impl<T: Record> Rdd<T> {
    /// Applies `f` to each partition as a whole. The partition is held in memory while `f` runs.
    /// Keys count as moved: a later shuffle by key does not trust the old partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sums = context.parallelize(vec![1, 2, 3, 4], 2).map_partitions(|records| [records.sum::<i32>()]);
    /// assert_eq!(sums.collect()?, [3, 7]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn map_partitions<I>(&self, f: impl Fn(PartitionRecords<T>) -> I + Closure) -> Rdd<I::Item>
    where
        I: IntoIterator<Item: Record>,
    {
        let origin = Origin::here("map_partitions");
        self.narrow(false, move |parent, task, sink| {
            let mut records = Vec::new();
            parent.compute(task, &mut |chunk| {
                records.append(chunk);
                Ok(())
            })?;
            task.enter(origin);
            let mut produced = f(std::mem::take(&mut records).into_iter()).into_iter();
            push_all(
                task,
                std::iter::from_fn(|| {
                    task.enter(origin);
                    produced.next()
                }),
                sink,
            )
        })
    }
}
