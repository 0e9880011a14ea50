//! `key_by`, `keys`, `values`, `group_by`: between records and pairs of key and value.

use super::Rdd;
use super::aggregator::Grouping;
use crate::{Closure, Data, Key, Record};

impl<T: Record> Rdd<T> {
    /// Each record behind the key that `key` reads from it.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let words = context.parallelize(vec!["to", "be", "not"], 1).map(String::from);
    /// assert_eq!(words.key_by(|word| word.len()).keys().collect()?, [2, 2, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn key_by<K: Record>(&self, key: impl Fn(&T) -> K + Closure) -> Rdd<(K, T)> {
        self.map_as("key_by", move |record| (key(&record), record))
    }

    /// One record per key with all records of that key, in the order of partitions and, within one, of arrival. All
    /// records of a key are in memory together.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let mut groups = context.parallelize((1..=6).collect(), 2).group_by(|n| n % 3).collect()?;
    /// groups.sort();
    /// assert_eq!(groups, [(0, vec![3, 6]), (1, vec![1, 4]), (2, vec![2, 5])]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn group_by<K: Key>(&self, key: impl Fn(&T) -> K + Closure) -> Rdd<(K, Vec<T>)>
    where
        T: Data,
    {
        self.map_as("group_by", move |record| (key(&record), record)).combined("group_by", Grouping)
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The key of every pair.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).keys().collect()?, ['a', 'b', 'a']);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn keys(&self) -> Rdd<K> {
        self.map_as("keys", |(key, _)| key)
    }

    /// The value of every pair.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![('a', 1), ('b', 2), ('a', 3)], 2).values().collect()?, [1, 2, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn values(&self) -> Rdd<V> {
        self.map_as("values", |(_, value)| value)
    }
}
