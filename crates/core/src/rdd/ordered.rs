//! `take_ordered`, `top`, `min` and `max`: the least and the greatest records. A task keeps less than twice as many as
//! are asked for.

use super::Rdd;
use super::fold_partitions::reducing;
use super::on_driver::on_driver;
use crate::origin::Origin;
use crate::{Closure, Data, Record, Result};
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

impl<T: Record> Rdd<T> {
    /// The `limit` least records, from the least on; all of them where there are fewer. Each task keeps and
    /// hands to the caller less than `2 * limit` records.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![10, 4, 2, 12, 3], 2).take_ordered(2)?, [2, 3]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn take_ordered(&self, limit: usize) -> Result<Vec<T>>
    where
        T: Data + Ord,
    {
        self.least("take_ordered", limit, T::cmp)
    }

    /// As [`Rdd::take_ordered`], by the key that `key` reads from a record. Which of records with equal keys come,
    /// and in which order, is not defined.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let counts = context.parallelize(vec![('a', 5), ('b', 2), ('c', 9)], 2);
    /// assert_eq!(counts.take_ordered_by_key(2, |count| count.1)?, [('b', 2), ('a', 5)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn take_ordered_by_key<K: Ord>(&self, limit: usize, key: impl Fn(&T) -> K + Closure) -> Result<Vec<T>>
    where
        T: Data,
    {
        self.least("take_ordered_by_key", limit, move |a, b| key(a).cmp(&key(b)))
    }

    /// As [`Rdd::take_ordered_by_key`], in the order of `compare`, which must be a total order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![2.5, -1.0, 0.5], 2);
    /// assert_eq!(numbers.take_ordered_by(2, f64::total_cmp)?, [-1.0, 0.5]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn take_ordered_by(&self, limit: usize, compare: impl Fn(&T, &T) -> Ordering + Closure) -> Result<Vec<T>>
    where
        T: Data,
    {
        self.least("take_ordered_by", limit, compare)
    }

    /// The `limit` greatest records, from the greatest on, in the way of [`Rdd::take_ordered`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![10, 4, 2, 12, 3], 2).top(2)?, [12, 10]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn top(&self, limit: usize) -> Result<Vec<T>>
    where
        T: Data + Ord,
    {
        self.least("top", limit, |a, b| b.cmp(a))
    }

    /// As [`Rdd::top`], by the key that `key` reads from a record. Which of records with equal keys come, and in
    /// which order, is not defined.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let counts = context.parallelize(vec![('a', 5), ('b', 2), ('c', 9)], 2);
    /// assert_eq!(counts.top_by_key(2, |count| count.1)?, [('c', 9), ('a', 5)]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn top_by_key<K: Ord>(&self, limit: usize, key: impl Fn(&T) -> K + Closure) -> Result<Vec<T>>
    where
        T: Data,
    {
        self.least("top_by_key", limit, move |a, b| Reverse(key(a)).cmp(&Reverse(key(b))))
    }

    /// As [`Rdd::top_by_key`], in the order of `compare`, which must be a total order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![2.5, -1.0, 0.5], 2);
    /// assert_eq!(numbers.top_by(2, f64::total_cmp)?, [2.5, 0.5]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn top_by(&self, limit: usize, compare: impl Fn(&T, &T) -> Ordering + Closure) -> Result<Vec<T>>
    where
        T: Data,
    {
        self.least("top_by", limit, move |a, b| compare(b, a))
    }

    /// The least record, of equal ones the first; `None` if there is no record.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![10, 4, 2, 12], 2).min()?, Some(2));
    /// assert_eq!(context.empty_rdd::<u64>().min()?, None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn min(&self) -> Result<Option<T>>
    where
        T: Data + Ord,
    {
        self.reduced("min", std::cmp::min)
    }

    /// As [`Rdd::min`], in the order of `compare`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![2.5, -1.0, 0.5], 2).min_by(f64::total_cmp)?, Some(-1.0));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn min_by(&self, compare: impl Fn(&T, &T) -> Ordering + Closure) -> Result<Option<T>>
    where
        T: Data,
    {
        self.reduced("min_by", move |a, b| if compare(&a, &b).is_le() { a } else { b })
    }

    /// The greatest record, of equal ones the last; `None` if there is no record.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![10, 4, 2, 12], 2).max()?, Some(12));
    /// assert_eq!(context.empty_rdd::<u64>().max()?, None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn max(&self) -> Result<Option<T>>
    where
        T: Data + Ord,
    {
        self.reduced("max", std::cmp::max)
    }

    /// As [`Rdd::max`], in the order of `compare`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.parallelize(vec![2.5, -1.0, 0.5], 2).max_by(f64::total_cmp)?, Some(2.5));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn max_by(&self, compare: impl Fn(&T, &T) -> Ordering + Closure) -> Result<Option<T>>
    where
        T: Data,
    {
        self.reduced("max_by", move |a, b| if compare(&a, &b).is_le() { b } else { a })
    }

    /// A `reduce` under another name.
    #[track_caller]
    fn reduced(&self, kind: &'static str, reduce: impl Fn(T, T) -> T + Closure) -> Result<Option<T>>
    where
        T: Data,
    {
        let reduce = Arc::new(reduce);
        let partial = self.fold_partitions(kind, || None, reducing(reduce.clone()), |total| total).collect()?;
        on_driver(Origin::here(kind), || partial.into_iter().reduce(&*reduce))
    }

    #[track_caller]
    fn least(&self, kind: &'static str, limit: usize, compare: impl Fn(&T, &T) -> Ordering + Closure) -> Result<Vec<T>>
    where
        T: Data,
    {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let compare = Arc::new(compare);
        let in_task = compare.clone();
        let step = move |kept: &mut Vec<T>, chunk: &mut Vec<T>| keep_least(kept, chunk, limit, &*in_task);
        let kept = self.fold_partitions(kind, Vec::new, step, Some).collect()?;
        let mut least: Vec<T> = kept.into_iter().flatten().collect();
        least.sort_by(&*compare);
        least.truncate(limit);
        Ok(least)
    }
}

/// Adds those records of the chunk to `kept` that may be among the `limit` least of all. From `limit` kept ones on, the
/// greatest of the least stands at `limit - 1`: what is not below it is out, and others gather behind it until there
/// are twice as many as wanted, so that a record costs one comparison and now and then a share of a selection.
fn keep_least<T>(kept: &mut Vec<T>, chunk: &mut Vec<T>, limit: usize, compare: &impl Fn(&T, &T) -> Ordering) {
    for record in chunk.drain(..) {
        if kept.len() >= limit && compare(&record, &kept[limit - 1]).is_ge() {
            continue;
        }
        kept.push(record);
        if kept.len() == limit || kept.len() == limit.saturating_mul(2) {
            kept.select_nth_unstable_by(limit - 1, compare);
            kept.truncate(limit);
        }
    }
}
