//! `map_values` and `flat_map_values` on a stream of pairs.

use super::DStream;
use crate::{Closure, Record};
use std::sync::Arc;

impl<K: Record, V: Record> DStream<(K, V)> {
    /// Applies `f` to every value; keys stay in their partitions.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |pairs: headwater::DStream<(char, i32)>| pairs.map_values(|n| n + 10);
    /// check([vec![('a', 2), ('b', 1)]], program, [vec![('a', 12), ('b', 11)]]);
    /// ```
    #[track_caller]
    pub fn map_values<U: Record>(&self, f: impl Fn(V) -> U + Closure) -> DStream<(K, U)> {
        let f = Arc::new(f);
        self.derive("map_values", move |rdd, _| {
            let f = f.clone();
            rdd.map_values(move |value| f(value))
        })
    }

    /// Applies `f` to every value and emits the key with each result, in order.
    ///
    /// ```
    /// use headwater::testkit::check;
    /// let program = |pairs: headwater::DStream<(char, i32)>| pairs.flat_map_values(|n| [n, n + 10]);
    /// check([vec![('a', 2)]], program, [vec![('a', 2), ('a', 12)]]);
    /// ```
    #[track_caller]
    pub fn flat_map_values<I>(&self, f: impl Fn(V) -> I + Closure) -> DStream<(K, I::Item)>
    where
        K: Clone,
        I: IntoIterator<Item: Record>,
    {
        let f = Arc::new(f);
        self.derive("flat_map_values", move |rdd, _| {
            let f = f.clone();
            rdd.flat_map_values(move |value| f(value))
        })
    }
}
