//! `combine_by_key`, `reduce_by_key`, `group_by_key`: the records of a key become one.

use super::aggregator::{Aggregator, Combining, Grouping, Reducing};
use super::{Rdd, exchange};
use crate::origin::Origin;
use crate::{Closure, Data, Key, Record};
use std::sync::Arc;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// One record per key: its values, reduced by `reduce`, which must be associative and commutative. Values are
    /// combined on the map side first where that pays. The order of the keys is not defined.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let words = ["a", "b", "a"].map(|word| (word.to_string(), 1)).to_vec();
    /// let mut counts = context.parallelize(words, 2).reduce_by_key(|a, b| a + b).collect()?;
    /// counts.sort();
    /// assert_eq!(counts, [("a".to_string(), 2), ("b".to_string(), 1)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn reduce_by_key(&self, reduce: impl Fn(V, V) -> V + Closure) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        self.combined("reduce_by_key", Reducing(reduce))
    }

    /// One record per key with all its values, in the order of partitions and, within one, of arrival. All values of
    /// a key are in memory together: to aggregate them, [`Rdd::reduce_by_key`] costs less.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![(1, 'x'), (2, 'y'), (1, 'z')], 1);
    /// let mut groups = pairs.group_by_key().collect()?;
    /// groups.sort();
    /// assert_eq!(groups, [(1, vec!['x', 'z']), (2, vec!['y'])]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn group_by_key(&self) -> Rdd<(K, Vec<V>)>
    where
        K: Key,
        V: Data,
    {
        self.combined("group_by_key", Grouping)
    }

    /// One record per key: `create` makes a total of its first value, `merge` adds a further value to a total, and
    /// `combine` joins totals of different partitions.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('a', 4), ('b', 3)], 2);
    /// let sums = pairs.combine_by_key(|v| (v, 1), |(sum, n), v| (sum + v, n + 1), |l, r| (l.0 + r.0, l.1 + r.1));
    /// let mut means = sums.map_values(|(sum, n)| sum as f64 / n as f64).collect()?;
    /// means.sort_by_key(|mean| mean.0);
    /// assert_eq!(means, [('a', 2.5), ('b', 3.0)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn combine_by_key<C>(
        &self,
        create: impl Fn(V) -> C + Closure,
        merge: impl Fn(C, V) -> C + Closure,
        combine: impl Fn(C, C) -> C + Closure,
    ) -> Rdd<(K, C)>
    where
        K: Key,
        V: Data,
        C: Data,
    {
        self.combined("combine_by_key", Combining { create, merge, combine })
    }

    #[track_caller]
    pub(super) fn combined<A: Aggregator<V, Total: Data>>(
        &self,
        kind: &'static str,
        aggregator: A,
    ) -> Rdd<(K, A::Total)>
    where
        K: Key,
        V: Data,
    {
        let context = self.context();
        let partitioner = context.default_partitioner([self.partitioner()]);
        let (parent, aggregator) = (self.node.clone(), Arc::new(aggregator));
        Rdd::of_node(context, exchange::combined(context, parent, aggregator, partitioner, Origin::here(kind)))
    }
}
