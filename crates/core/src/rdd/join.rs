//! The joins: a cogroup and, per key, the pairs of its values.

use super::{CHUNK, Rdd};
use crate::origin::Origin;
use crate::{Closure, Data, Key, Record};

impl<K: Record, V: Record> Rdd<(K, V)> {
    /// One record for each pair of values with equal keys.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('a', 1), ('b', 2)], 1);
    /// let right = context.parallelize(vec![('a', 'x'), ('a', 'y')], 1);
    /// assert_eq!(left.join(&right).collect()?, [('a', (1, 'x')), ('a', (1, 'y'))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn join<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (V, W))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.joined("join", other, |left, right| (left, right))
    }

    /// As [`Rdd::join`], and each value of this side without a partner with `None`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('b', 2)], 1);
    /// let right = context.parallelize(vec![('a', 'x')], 1);
    /// assert_eq!(left.left_outer_join(&right).collect()?, [('b', (2, None))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn left_outer_join<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (V, Option<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.joined("left_outer_join", other, |left, right| (left, or_none(right)))
    }

    /// As [`Rdd::join`], and each value of the other side without a partner with `None`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('b', 2)], 1);
    /// let right = context.parallelize(vec![('a', 'x')], 1);
    /// assert_eq!(left.right_outer_join(&right).collect()?, [('a', (None, 'x'))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn right_outer_join<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Option<V>, W))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.joined("right_outer_join", other, |left, right| (or_none(left), right))
    }

    /// As [`Rdd::join`], and each value of either side without a partner with `None`.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let left = context.parallelize(vec![('b', 2)], 1);
    /// let right = context.parallelize(vec![('a', 'x')], 1);
    /// let mut all = left.full_outer_join(&right).collect()?;
    /// all.sort();
    /// assert_eq!(all, [('a', (None, Some('x'))), ('b', (Some(2), None))]);
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    #[track_caller]
    pub fn full_outer_join<W>(&self, other: &Rdd<(K, W)>) -> Rdd<(K, (Option<V>, Option<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.joined("full_outer_join", other, |left, right| (or_none(left), or_none(right)))
    }

    /// `sides` makes the values of both sides of a key ready to be paired, each with each.
    #[track_caller]
    fn joined<W, L, R>(
        &self,
        kind: &'static str,
        other: &Rdd<(K, W)>,
        sides: impl Fn(Vec<V>, Vec<W>) -> (Vec<L>, Vec<R>) + Closure,
    ) -> Rdd<(K, (L, R))>
    where
        K: Key,
        V: Data,
        W: Data,
        L: Record + Clone,
        R: Record + Clone,
    {
        let origin = Origin::here(kind);
        self.cogroup(other).narrow_tail(true, move |parent, task, sink| {
            let mut out = Vec::with_capacity(CHUNK);
            parent.compute(task, &mut |chunk| {
                task.enter(origin);
                for (key, (left, right)) in chunk.drain(..) {
                    let (left, right) = sides(left, right);
                    for (l, r) in left.iter().flat_map(|l| right.iter().map(move |r| (l, r))) {
                        if out.len() == CHUNK {
                            sink(&mut out)?;
                            task.check()?;
                            task.enter(origin);
                        }
                        out.push((key.clone(), (l.clone(), r.clone())));
                    }
                }
                sink(&mut out)
            })
        })
    }
}

/// The values, or one `None` where there are none: the partner of an outer join.
fn or_none<V>(values: Vec<V>) -> Vec<Option<V>> {
    if values.is_empty() { vec![None] } else { values.into_iter().map(Some).collect() }
}
