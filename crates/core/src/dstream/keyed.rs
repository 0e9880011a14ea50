//! `reduce_by_key`, `group_by_key`, `combine_by_key` on a stream of pairs.

use super::DStream;
use crate::{Closure, Data, Key, Record};
use std::sync::Arc;

impl<K: Record, V: Record> DStream<(K, V)> {
    /// One record per key and batch: its values, reduced by `reduce`, which must be associative and commutative.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |words: headwater::DStream<char>| words.map(|word| (word, 1)).reduce_by_key(|a, b| a + b);
    /// check([vec!['a', 'a', 'b'], vec![]], program, [vec![('a', 2), ('b', 1)], vec![]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_key(&self, reduce: impl Fn(V, V) -> V + Closure) -> DStream<(K, V)>
    where
        K: Key,
        V: Data,
    {
        let reduce = Arc::new(reduce);
        self.derive("reduce_by_key", move |rdd, _| {
            let reduce = reduce.clone();
            rdd.reduce_by_key(move |a, b| reduce(a, b))
        })
        .choosing_partitions()
    }

    /// One record per key and batch with all its values, in the order of partitions and, within one, of arrival. All
    /// values of a key are in memory together: to aggregate them, [`DStream::reduce_by_key`] costs less.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |words: headwater::DStream<(char, i32)>| words.group_by_key();
    /// check([vec![('a', 1), ('b', 2), ('a', 3)]], program, [vec![('a', vec![1, 3]), ('b', vec![2])]]);
    /// ```
    #[track_caller]
    pub fn group_by_key(&self) -> DStream<(K, Vec<V>)>
    where
        K: Key,
        V: Data,
    {
        self.derive("group_by_key", |rdd, _| rdd.group_by_key()).choosing_partitions()
    }

    /// One record per key and batch: `create` makes a total of its first value, `merge` adds a further value, and
    /// `combine` joins totals of different partitions.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |pairs: headwater::DStream<(char, u32)>| {
    ///     pairs.combine_by_key(|v| v.to_string(), |text, v| format!("{text}+{v}"), |l, r| format!("{l}|{r}"))
    /// };
    /// check([vec![('a', 1), ('a', 2)]], program, [vec![('a', "1|2".to_string())]]);
    /// ```
    #[track_caller]
    pub fn combine_by_key<C>(
        &self,
        create: impl Fn(V) -> C + Closure,
        merge: impl Fn(C, V) -> C + Closure,
        combine: impl Fn(C, C) -> C + Closure,
    ) -> DStream<(K, C)>
    where
        K: Key,
        V: Data,
        C: Data,
    {
        let closures = Arc::new((create, merge, combine));
        self.derive("combine_by_key", move |rdd, _| {
            let (a, b, c) = (closures.clone(), closures.clone(), closures.clone());
            rdd.combine_by_key(move |v| a.0(v), move |total, v| b.1(total, v), move |left, right| c.2(left, right))
        })
        .choosing_partitions()
    }
}
