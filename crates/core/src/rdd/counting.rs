//! `count_by_value`, `count_by_key`, `collect_as_map`, `reduce_by_key_locally`: maps that come to the caller.

use super::Rdd;
use super::aggregator::Reducing;
use super::combine_table::CombineTable;
use super::on_driver::on_driver;
use crate::origin::Origin;
use crate::{Closure, Data, Key, Record, Result};
use std::collections::HashMap;
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// How often each record comes. All different records come to the caller: where they are many, `map` each to
    /// `(record, 1)` and use [`Rdd::reduce_by_key`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let counts = context.parallelize(vec!['a', 'b', 'a'], 2).count_by_value()?;
    /// assert_eq!((counts.len(), counts[&'a'], counts[&'b']), (2, 2, 1));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn count_by_value(&self) -> Result<HashMap<T, u64>>
    where
        T: Key,
    {
        let ones = self.map_as("count_by_value", |record| (record, 1));
        ones.combined("count_by_value", Reducing(|a: u64, b| a + b)).collect_as_map()
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// How many records each key has. All keys come to the caller: where they are many, `map_values` to 1 and use
    /// [`Rdd::reduce_by_key`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let counts = context.parallelize(vec![('a', 7), ('b', 8), ('a', 9)], 2).count_by_key()?;
    /// assert_eq!((counts.len(), counts[&'a'], counts[&'b']), (2, 2, 1));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn count_by_key(&self) -> Result<HashMap<K, u64>>
    where
        K: Key,
    {
        self.map_values(|_| 1).combined("count_by_key", Reducing(|a: u64, b| a + b)).collect_as_map()
    }

    /// All records as a map; of records with equal keys the last one counts.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let map = context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).collect_as_map()?;
    /// assert_eq!((map.len(), map[&'a'], map[&'b']), (2, 3, 2));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn collect_as_map(&self) -> Result<HashMap<K, V>>
    where
        K: Key,
        V: Data,
    {
        let all = self.collect()?;
        on_driver(Origin::here("collect_as_map"), || all.into_iter().collect())
    }

    /// As [`Rdd::reduce_by_key`], with the result as a map. Nothing is shuffled: each task reduces its partition, and
    /// the caller's thread reduces what they give.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let sums = context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).reduce_by_key_locally(|a, b| a + b)?;
    /// assert_eq!((sums.len(), sums[&'a'], sums[&'b']), (2, 4, 2));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn reduce_by_key_locally(&self, reduce: impl Fn(V, V) -> V + Closure) -> Result<HashMap<K, V>>
    where
        K: Key,
        V: Data,
    {
        let (seed, reduce) = (self.context.seed(), Arc::new(reduce));
        let in_task = reduce.clone();
        let reducing = Reducing(move |a, b| in_task(a, b));
        let step = move |table: &mut CombineTable<K, V>, chunk: &mut Vec<(K, V)>| table.merge_chunk(chunk, &reducing);
        let records = |table: CombineTable<K, V>| {
            Some(table.into_entries().map(|entry| (entry.key, entry.value)).collect::<Vec<(K, V)>>())
        };
        let table = move || CombineTable::with_capacity(seed, 0);
        let reduced = self.fold_partitions("reduce_by_key_locally", table, step, records).collect()?;
        let (mut all, reducing) = (table(), Reducing(move |a, b| reduce(a, b)));
        on_driver(Origin::here("reduce_by_key_locally"), || {
            reduced.into_iter().for_each(|mut records| all.merge_chunk(&mut records, &reducing));
            all.into_entries().map(|entry| (entry.key, entry.value)).collect()
        })
    }
}
