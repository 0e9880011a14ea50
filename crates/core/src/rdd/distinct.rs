//! `distinct`, `intersection`, `subtract` and `subtract_by_key`: datasets as sets.

use super::aggregator::Reducing;
use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Data, Key, Record};

impl<T: Record> Rdd<T> {
    /// Each different record once, in no defined order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let mut distinct = context.parallelize(vec![3, 1, 3, 2, 1], 2).distinct().with_partitions(3).collect()?;
    /// distinct.sort();
    /// assert_eq!(distinct, [1, 2, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn distinct(&self) -> Rdd<T>
    where
        T: Key,
    {
        let found = self.map_as("distinct", |record| (record, ()));
        found.combined("distinct", Reducing(|(), ()| ())).map_tail("distinct", |(record, ())| Some(record))
    }

    /// Each record that is in both datasets, once, in no defined order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let (left, right) = (context.parallelize(vec![1, 2, 2, 3], 2), context.parallelize(vec![2, 2, 4], 1));
    /// assert_eq!(left.intersection(&right).collect()?, [2]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn intersection(&self, other: &Rdd<T>) -> Rdd<T>
    where
        T: Key,
    {
        const HERE: u8 = 1;
        const THERE: u8 = 2;
        let here = self.map_as("intersection", |record| (record, HERE));
        let there = other.map_as("intersection", |record| (record, THERE));
        let found = here.union(&there).combined("intersection", Reducing(|a, b| a | b));
        found.map_tail("intersection", |(record, found)| (found == HERE | THERE).then_some(record))
    }

    /// The records that are not in the other dataset, as often as they are here, in no defined order. Those that are
    /// here are in memory together, each partition's by its task.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let (left, right) = (context.parallelize(vec![2, 3, 2, 3], 2), context.parallelize(vec![2, 4], 1));
    /// assert_eq!(left.subtract(&right).collect()?, [3, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn subtract(&self, other: &Rdd<T>) -> Rdd<T>
    where
        T: Key,
    {
        let here = self.map_as("subtract", |record| (record, ()));
        let left = here.subtract_by_key(&other.map_as("subtract", |record| (record, ())));
        left.map_tail("subtract", |(record, ())| Some(record))
    }

    /// `f` behind a shuffle, as the last step of the operation `kind`: records become others, or are left out.
    #[track_caller]
    fn map_tail<U: Record>(&self, kind: &'static str, f: impl Fn(T) -> Option<U> + Closure) -> Rdd<U> {
        let origin = Origin::here(kind);
        self.narrow_tail(false, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                out.extend(chunk.drain(..).filter_map(&f));
                sink(&mut out)
            })
        })
    }
}

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// The records whose key the other dataset does not have. Keys are spread as by [`Rdd::cogroup`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let pairs = context.parallelize(vec![('a', 1), ('b', 2), ('b', 3)], 2);
    /// let unwanted = context.parallelize(vec![('a', "anything".to_string())], 1);
    /// assert_eq!(pairs.subtract_by_key(&unwanted).collect()?, [('b', 2), ('b', 3)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn subtract_by_key<W: Record>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, V)>
    where
        K: Key,
        V: Data,
    {
        let origin = Origin::here("subtract_by_key");
        let unwanted = other.map_values(|_| ());
        self.cogroup(&unwanted).narrow_tail(true, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                let wanted = chunk.drain(..).filter(|(_, (_, unwanted))| unwanted.is_empty());
                for (key, (values, _)) in wanted {
                    for value in values {
                        if out.len() == CHUNK {
                            sink(&mut out)?;
                            task.check()?;
                            task.enter(origin);
                        }
                        out.push((key.clone(), value));
                    }
                }
                sink(&mut out)
            })
        })
    }
}
