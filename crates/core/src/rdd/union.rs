//! `union`: all records of several datasets. Their partitions stand one after the other, or, where all are spread by
//! the same partitioner, are merged, so that keys stay together.

use super::{FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::Record;
use crate::partitioner::Partitioning;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// The records of both, this dataset's partitions first. Equal records stay: it is no set union. Where both are
    /// spread by the same partitioner so is the union, and a later operation by key need not shuffle.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let union = context.parallelize(vec![1, 2], 1).union(&context.parallelize(vec![2, 3], 2));
    /// assert_eq!(union.collect()?, [1, 2, 2, 3]);
    /// assert_eq!(union.num_partitions(), 3);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn union(&self, other: &Rdd<T>) -> Rdd<T> {
        self.context.union([self.clone(), other.clone()])
    }
}

impl RddContext {
    /// The records of all `rdds`, in their order; nothing from nothing. Where all that have partitions are spread by the
    /// same partitioner, a partition of the union is made of those with its number, and the partitioner is kept. Source:
    /// Spark's `UnionRDD` and `PartitionerAwareUnionRDD`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let all = context.union((0..3).map(|n| context.parallelize(vec![n], 1)));
    /// assert_eq!(all.collect()?, [0, 1, 2]);
    /// let placed = all.map(|n| (n, 'x')).partition_by(context.hash_partitioner(2));
    /// let more = placed.map_values(|_| 'y');
    /// assert_eq!(context.union([placed.clone(), context.empty_rdd(), more]).partitioner(), placed.partitioner());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn union<T: Record>(&self, rdds: impl IntoIterator<Item = Rdd<T>>) -> Rdd<T> {
        let parents: Vec<_> = rdds.into_iter().map(|rdd| rdd.node).filter(|node| node.num_partitions() > 0).collect();
        let first = parents.first().and_then(|parent| parent.partitioner());
        match first.filter(|first| parents.iter().all(|parent| parent.partitioner().as_ref() == Some(first))) {
            Some(partitioner) => Rdd::from_node(self, Merged { parents, partitioner }),
            None => Rdd::from_node(self, Union::of(parents)),
        }
    }
}

struct Union<T> {
    parents: Vec<Arc<dyn Node<T>>>,
    /// For each parent the number of its first partition.
    begins: Vec<usize>,
    partitions: usize,
}
impl<T: Record> Union<T> {
    fn of(parents: Vec<Arc<dyn Node<T>>>) -> Union<T> {
        let mut partitions = 0;
        let begin = |parent: &Arc<dyn Node<T>>| {
            let begin = partitions;
            partitions += parent.num_partitions();
            begin
        };
        let begins = parents.iter().map(begin).collect();
        Union { parents, begins, partitions }
    }
}
impl<T: Record> Node<T> for Union<T> {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parents.iter().for_each(|parent| parent.shuffles(found))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        // A window may have thousands of parents.
        let parent = self.begins.partition_point(|begin| *begin <= task.partition()) - 1;
        self.parents[parent].compute(&task.at(task.partition() - self.begins[parent]), sink)
    }
}

/// The union of parents whose keys are spread alike.
struct Merged<T> {
    parents: Vec<Arc<dyn Node<T>>>,
    partitioner: Partitioning,
}
impl<T: Record> Node<T> for Merged<T> {
    fn num_partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        self.parents.iter().for_each(|parent| parent.shuffles(found))
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.partitioner.clone())
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        self.parents.iter().try_for_each(|parent| parent.compute(task, sink))
    }
}
