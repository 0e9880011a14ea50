//! `cogroup` and the joins of two streams: batch by batch, with the other stream's RDD of the same time. A stream
//! without an RDD at that time counts as empty.

use super::DStream;
use crate::{Data, Key, Record};

impl<K: Record, V: Record> DStream<(K, V)> {
    /// For each key of either batch its values from both.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<(char, i32)>, right: DStream<(char, char)>| left.cogroup(&right);
    /// check_two([vec![('a', 1)]], [vec![('a', 'x'), ('b', 'y')]], program,
    ///     [vec![('a', (vec![1], vec!['x'])), ('b', (vec![], vec!['y']))]]);
    /// ```
    #[track_caller]
    pub fn cogroup<W>(&self, other: &DStream<(K, W)>) -> DStream<(K, (Vec<V>, Vec<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.derive_two("cogroup", other, |left, right, _| left.cogroup(&right)).choosing_partitions()
    }

    /// One record for each pair of values with equal keys.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<(char, i32)>, right: DStream<(char, char)>| left.join(&right);
    /// check_two([vec![('a', 1), ('b', 2)]], [vec![('a', 'x')]], program, [vec![('a', (1, 'x'))]]);
    /// ```
    #[track_caller]
    pub fn join<W>(&self, other: &DStream<(K, W)>) -> DStream<(K, (V, W))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.derive_two("join", other, |left, right, _| left.join(&right)).choosing_partitions()
    }

    /// As [`DStream::join`], and each value of this side without a partner with `None`.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<(char, i32)>, right: DStream<(char, char)>| left.left_outer_join(&right);
    /// check_two([vec![('b', 2)]], [vec![('a', 'x')]], program, [vec![('b', (2, None))]]);
    /// ```
    #[track_caller]
    pub fn left_outer_join<W>(&self, other: &DStream<(K, W)>) -> DStream<(K, (V, Option<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.derive_two("left_outer_join", other, |left, right, _| left.left_outer_join(&right)).choosing_partitions()
    }

    /// As [`DStream::join`], and each value of the other side without a partner with `None`.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<(char, i32)>, right: DStream<(char, char)>| left.right_outer_join(&right);
    /// check_two([vec![('b', 2)]], [vec![('a', 'x')]], program, [vec![('a', (None, 'x'))]]);
    /// ```
    #[track_caller]
    pub fn right_outer_join<W>(&self, other: &DStream<(K, W)>) -> DStream<(K, (Option<V>, W))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.derive_two("right_outer_join", other, |left, right, _| left.right_outer_join(&right)).choosing_partitions()
    }

    /// As [`DStream::join`], and each value of either side without a partner with `None`.
    ///
    /// ```
    /// use headwater::{testkit::check_two, DStream};
    /// let program = |left: DStream<(char, i32)>, right: DStream<(char, char)>| left.full_outer_join(&right);
    /// check_two([vec![('b', 2)]], [vec![('a', 'x')]], program, [vec![('a', (None, Some('x'))), ('b', (Some(2), None))]]);
    /// ```
    #[track_caller]
    pub fn full_outer_join<W>(&self, other: &DStream<(K, W)>) -> DStream<(K, (Option<V>, Option<W>))>
    where
        K: Key,
        V: Data,
        W: Data,
    {
        self.derive_two("full_outer_join", other, |left, right, _| left.full_outer_join(&right)).choosing_partitions()
    }
}
