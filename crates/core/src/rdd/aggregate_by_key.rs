//! `aggregate_by_key`, `fold_by_key`, `combine_by_key_at_reduce`: more ways in which the records of a key become one.

use super::Rdd;
use super::aggregator::{AtReduce, Combining};
use crate::{Closure, Data, Key, Record};
use std::sync::Arc;

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// One record per key: its values, added by `add` to totals that start from `zero`, and these joined by `combine`.
    /// A key's total starts once in each partition that has the key, so `zero` must change nothing.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', "to"), ('b', "be"), ('a', "not")], 2);
    /// let mut letters = pairs.map_values(str::len).aggregate_by_key(0, |sum, n| sum + n, |a, b| a + b).collect()?;
    /// letters.sort();
    /// assert_eq!(letters, [('a', 5), ('b', 2)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn aggregate_by_key<A: Data>(
        &self,
        zero: A,
        add: impl Fn(A, V) -> A + Closure,
        combine: impl Fn(A, A) -> A + Closure,
    ) -> Rdd<(K, A)>
    where
        K: Key,
        V: Data,
    {
        let add = Arc::new(add);
        let merge = add.clone();
        let create = move |value| add(zero.clone(), value);
        self.combined("aggregate_by_key", Combining { create, merge: move |total, value| merge(total, value), combine })
    }

    /// One record per key: its values, folded by the associative and commutative `f` from `zero`, which is put in once
    /// in each partition that has the key, and so must change nothing.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 3), ('b', 4), ('a', 5)], 2);
    /// let mut products = pairs.fold_by_key(1, |a, b| a * b).collect()?;
    /// products.sort();
    /// assert_eq!(products, [('a', 15), ('b', 4)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn fold_by_key(&self, zero: V, f: impl Fn(V, V) -> V + Closure) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        let f = Arc::new(f);
        let (first, merge) = (f.clone(), f.clone());
        let (create, combine) = (move |value| first(zero.clone(), value), move |a, b| f(a, b));
        self.combined("fold_by_key", Combining { create, merge: move |total, value| merge(total, value), combine })
    }

    /// As [`Rdd::combine_by_key`], with values sent to their partitions as they are and combined there only: for totals
    /// that are no smaller than the values they stand for. Spark's `mapSideCombine = false`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).map_values(|n| n.to_string());
    /// let joined = |a: String, b: String| format!("{a} {b}");
    /// let mut texts = pairs.combine_by_key_at_reduce(|text| text, joined, joined).collect()?;
    /// texts.sort();
    /// assert_eq!(texts, [('a', "1 3".to_string()), ('b', "2".to_string())]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn combine_by_key_at_reduce<C: Data>(
        &self,
        create: impl Fn(V) -> C + Closure,
        merge: impl Fn(C, V) -> C + Closure,
        combine: impl Fn(C, C) -> C + Closure,
    ) -> Rdd<(K, C)>
    where
        K: Key,
        V: Data,
    {
        self.combined("combine_by_key_at_reduce", AtReduce(Combining { create, merge, combine }))
    }
}
