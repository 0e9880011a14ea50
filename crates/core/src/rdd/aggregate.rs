//! `fold`, `aggregate` and their tree forms: all records become one value. Each task makes one of its partition's
//! records; the caller's thread, or first a tree of further tasks, makes one of those.

use super::Rdd;
use super::fold_partitions::reducing;
use super::on_driver::on_driver;
use crate::origin::Origin;
use crate::{Closure, Data, Error, Record, Result};
use std::sync::Arc;

/// Rounds of tasks of a tree, unless the user says otherwise.
const DEPTH: usize = 2;

impl<T: Record> Rdd<T> {
    /// All records, folded by the associative `f` from `zero`, which must change nothing: it is put in once for each
    /// partition, and once more. Partitions are folded in their order.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let words = context.parallelize(vec!["to", "be", "or"], 2).map(String::from);
    /// assert_eq!(words.fold(String::new(), |a, b| a + &b)?, "tobeor");
    /// assert_eq!(context.empty_rdd::<u64>().fold(0, |a, b| a + b)?, 0);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn fold(&self, zero: T, f: impl Fn(T, T) -> T + Closure) -> Result<T>
    where
        T: Data,
    {
        let f = Arc::new(f);
        let in_task = f.clone();
        let folded = self.folded("fold", zero.clone(), move |total, record| in_task(total, record)).collect()?;
        on_driver(Origin::here("fold"), || folded.into_iter().fold(zero, &*f))
    }

    /// All records, added by `add` to totals that start from `zero`, one for each partition, and these joined by
    /// `combine`, from `zero` again and in the order of partitions. `zero` must change nothing.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let words = context.parallelize(vec!["to", "be", "not"], 2);
    /// let add = |(letters, count), word: &str| (letters + word.len(), count + 1);
    /// assert_eq!(words.aggregate((0, 0), add, |a, b| (a.0 + b.0, a.1 + b.1))?, (7, 3));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn aggregate<A: Data>(
        &self,
        zero: A,
        add: impl Fn(A, T) -> A + Closure,
        combine: impl Fn(A, A) -> A + Closure,
    ) -> Result<A> {
        let folded = self.folded("aggregate", zero.clone(), add).collect()?;
        on_driver(Origin::here("aggregate"), || folded.into_iter().fold(zero, combine))
    }

    /// As [`Rdd::aggregate`], with totals joined by two rounds of tasks where there are many partitions, so that the
    /// caller's thread need not join them all. `combine` must be commutative too.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((1..=100u64).collect(), 20);
    /// assert_eq!(numbers.tree_aggregate(0, |sum, n| sum + n, |a, b| a + b)?, 5050);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn tree_aggregate<A: Data>(
        &self,
        zero: A,
        add: impl Fn(A, T) -> A + Closure,
        combine: impl Fn(A, A) -> A + Closure,
    ) -> Result<A> {
        self.tree_aggregate_with_depth(zero, add, combine, DEPTH)
    }

    /// As [`Rdd::tree_aggregate`], in about `depth` rounds of tasks, at least 1: with `n` partitions a round leaves
    /// one total of each `n^(1/depth)`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((1..=100u64).collect(), 50);
    /// assert_eq!(numbers.tree_aggregate_with_depth(0, |sum, n| sum + n, |a, b| a + b, 4)?, 5050);
    /// assert!(numbers.tree_aggregate_with_depth(0, |sum, n| sum + n, |a, b| a + b, 0).is_err());
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn tree_aggregate_with_depth<A: Data>(
        &self,
        zero: A,
        add: impl Fn(A, T) -> A + Closure,
        combine: impl Fn(A, A) -> A + Closure,
        depth: usize,
    ) -> Result<A> {
        let folded = self.folded("tree_aggregate", zero.clone(), add);
        Ok(folded.joined_in_tree("tree_aggregate", combine, depth)?.unwrap_or(zero))
    }

    /// As [`Rdd::reduce`], in the way of [`Rdd::tree_aggregate`].
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((1..=100u64).collect(), 20);
    /// assert_eq!(numbers.tree_reduce(|a, b| a.max(b))?, Some(100));
    /// assert_eq!(numbers.filter(|n| *n > 100).tree_reduce(|a, b| a.max(b))?, None);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn tree_reduce(&self, reduce: impl Fn(T, T) -> T + Closure) -> Result<Option<T>>
    where
        T: Data,
    {
        self.tree_reduce_with_depth(reduce, DEPTH)
    }

    /// As [`Rdd::tree_reduce`], in about `depth` rounds of tasks, at least 1.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize((1..=100u64).collect(), 50);
    /// assert_eq!(numbers.tree_reduce_with_depth(|a, b| a + b, 3)?, Some(5050));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn tree_reduce_with_depth(&self, reduce: impl Fn(T, T) -> T + Closure, depth: usize) -> Result<Option<T>>
    where
        T: Data,
    {
        let reduce = Arc::new(reduce);
        let in_task = reduce.clone();
        let reduced = self.fold_partitions("tree_reduce", || None, reducing(in_task), |total| total);
        reduced.joined_in_tree("tree_reduce", move |a, b| reduce(a, b), depth)
    }

    /// One record per partition: its records, added to `zero`.
    #[track_caller]
    fn folded<A: Data>(&self, kind: &'static str, zero: A, add: impl Fn(A, T) -> A + Closure) -> Rdd<A> {
        let step = move |total: &mut Option<A>, chunk: &mut Vec<T>| {
            *total = total.take().map(|total| chunk.drain(..).fold(total, &add));
        };
        self.fold_partitions(kind, move || Some(zero.clone()), step, |total| total)
    }

    /// All records, joined: by rounds of tasks as long as a round leaves the caller's thread less to do.
    #[track_caller]
    pub(super) fn joined_in_tree(
        &self,
        kind: &'static str,
        join: impl Fn(T, T) -> T + Closure,
        depth: usize,
    ) -> Result<Option<T>>
    where
        T: Data,
    {
        if depth == 0 {
            return Err(Error::program(format!(
                "{kind} with a depth of 0: the partitions need at least 1 round of tasks"
            )));
        }
        let (join, mut partitions) = (Arc::new(join), self.num_partitions());
        let (mut level, share) = (self.clone(), root(partitions, depth).max(2));
        while partitions > share + partitions.div_ceil(share) {
            partitions /= share;
            let dealt = level.repartition(partitions);
            level = dealt.fold_partitions(kind, || None, reducing(join.clone()), |total| total);
        }
        let last = level.collect()?;
        on_driver(Origin::here(kind), || last.into_iter().reduce(&*join))
    }
}

/// The least number whose `depth`-th power is not below `number`.
fn root(number: usize, depth: usize) -> usize {
    let depth = u32::try_from(depth).unwrap_or(u32::MAX);
    let reaches = |root: &usize| root.checked_pow(depth).is_none_or(|power| power >= number);
    (1..=number).find(reaches).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_rounded_up() {
        let roots = [(0, 2), (1, 2), (2, 2), (9, 2), (10, 2), (27, 3), (28, 3), (100, 1), (100, usize::MAX)];
        assert_eq!(roots.map(|(number, depth)| root(number, depth)), [0, 1, 2, 3, 4, 3, 4, 100, 2]);
    }
}
