//! `cogroup`: the values of a key from two datasets, side by side.

use super::aggregator::Aggregator;
use super::combine_table::CombineTable;
use super::node::push_all;
use super::{CHUNK, Node, Outcome, Rdd, Shuffle, Sink, Task};
use crate::origin::Origin;
use crate::partitioner::{KeyPartitioner, PartitionChoice, Partitioning};
use crate::{Data, Key, Record};
use std::marker::PhantomData;
use std::sync::Arc;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// For each key of either dataset its values from both. A side that is already spread by the same partitioner is
    /// not shuffled. All values of a key are in memory together.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('a', 1), ('a', 2)], 2);
    /// let right = context.parallelize(vec![('a', "x".to_string())], 1);
    /// assert_eq!(left.cogroup(&right).collect()?, [('a', (vec![1, 2], vec!["x".to_string()]))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn cogroup<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Vec<V>, Vec<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        let partitioner = self.context().default_partitioner([self.partitioner(), other.partitioner()]);
        self.cogroup_by(other, partitioner, Origin::here("cogroup"))
    }

    fn cogroup_by<W: Data>(
        &self,
        other: &Rdd<(K, W)>,
        partitioner: KeyPartitioner<K>,
        origin: Origin,
    ) -> Rdd<(K, (Vec<V>, Vec<W>))>
    where
        K: Key,
        V: Data,
    {
        let (left, right) = (self.placed(&partitioner), other.placed(&partitioner));
        let unplaced = (self.clone(), other.clone());
        let node = CoGrouped { left: left.node, right: right.node, partitioner, unplaced, origin };
        Rdd::from_node(&self.context, node)
    }
}

struct CoGrouped<K, V, W> {
    left: Arc<dyn Node<(K, V)>>,
    right: Arc<dyn Node<(K, W)>>,
    partitioner: KeyPartitioner<K>,
    /// The sides as they came, for another number of partitions.
    unplaced: (Rdd<(K, V)>, Rdd<(K, W)>),
    origin: Origin,
}
impl<K: Key, V: Data, W: Data> Node<(K, (Vec<V>, Vec<W>))> for CoGrouped<K, V, W> {
    fn num_partitions(&self) -> usize {
        self.partitioner.num_partitions()
    }
    fn shuffles(&self, found: &mut Vec<Arc<dyn Shuffle>>) {
        self.left.shuffles(found);
        self.right.shuffles(found);
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.partitioner.erased().clone())
    }
    fn with_partitions(&self, choice: &PartitionChoice) -> Option<Arc<dyn Node<(K, (Vec<V>, Vec<W>))>>> {
        let partitioner = choice.typed(self.partitioner.seed())?;
        Some(self.unplaced.0.cogroup_by(&self.unplaced.1, partitioner, self.origin).node)
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, (K, (Vec<V>, Vec<W>))>) -> Outcome {
        let mut table: CombineTable<K, (Vec<V>, Vec<W>)> = CombineTable::with_capacity(self.partitioner.seed(), CHUNK);
        self.left.compute(task, &mut |chunk| {
            task.enter(self.origin);
            table.merge_chunk(chunk, &Left(PhantomData));
            Ok(())
        })?;
        self.right.compute(task, &mut |chunk| {
            task.enter(self.origin);
            table.merge_chunk(chunk, &Right(PhantomData));
            Ok(())
        })?;
        push_all(task, table.into_entries().map(|entry| (entry.key, entry.value)), sink)
    }
}

/// Adds the left side's values to the pair of lists.
struct Left<W>(PhantomData<fn() -> W>);
impl<V: Record, W: Record> Aggregator<V> for Left<W> {
    type Total = (Vec<V>, Vec<W>);
    const SHRINKS: bool = false;
    fn create(&self, value: V) -> Self::Total {
        (vec![value], Vec::new())
    }
    fn merge(&self, mut total: Self::Total, value: V) -> Self::Total {
        total.0.push(value);
        total
    }
    fn combine(&self, left: Self::Total, right: Self::Total) -> Self::Total {
        append_both(left, right)
    }
}

/// Adds the right side's.
struct Right<V>(PhantomData<fn() -> V>);
impl<V: Record, W: Record> Aggregator<W> for Right<V> {
    type Total = (Vec<V>, Vec<W>);
    const SHRINKS: bool = false;
    fn create(&self, value: W) -> Self::Total {
        (Vec::new(), vec![value])
    }
    fn merge(&self, mut total: Self::Total, value: W) -> Self::Total {
        total.1.push(value);
        total
    }
    fn combine(&self, left: Self::Total, right: Self::Total) -> Self::Total {
        append_both(left, right)
    }
}

fn append_both<V, W>(mut left: (Vec<V>, Vec<W>), mut right: (Vec<V>, Vec<W>)) -> (Vec<V>, Vec<W>) {
    left.0.append(&mut right.0);
    left.1.append(&mut right.1);
    left
}
