//! `union`: all partitions of several datasets, one after the other.

use super::{Node, Outcome, Rdd, RddContext, Shuffle, Sink, Task};
use crate::Record;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// The records of both, this dataset's partitions first. Equal records stay: it is no set union.
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
    /// The records of all `rdds`, in their order; nothing from nothing.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let all = context.union((0..3).map(|n| context.parallelize(vec![n], 1)));
    /// assert_eq!(all.collect()?, [0, 1, 2]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn union<T: Record>(&self, rdds: impl IntoIterator<Item = Rdd<T>>) -> Rdd<T> {
        Rdd::from_node(self, Union { parents: rdds.into_iter().map(|rdd| rdd.node).collect() })
    }
}

struct Union<T> {
    parents: Vec<Arc<dyn Node<T>>>,
}
impl<T: Record> Node<T> for Union<T> {
    fn num_partitions(&self) -> usize {
        self.parents.iter().map(|parent| parent.num_partitions()).sum()
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        self.parents.iter().for_each(|parent| parent.shuffles(found))
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let mut partition = task.partition();
        for parent in &self.parents {
            let partitions = parent.num_partitions();
            if partition < partitions {
                return parent.compute(&task.at(partition), sink);
            }
            partition -= partitions;
        }
        unreachable!("the engine asks for partitions that exist")
    }
}
