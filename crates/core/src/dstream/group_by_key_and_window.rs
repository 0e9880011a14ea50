//! `group_by_key_and_window`: the values of each key in a window.

use super::{DStream, Window};
use crate::{Data, Key, Record};

impl<K: Record, V: Record> DStream<(K, V)> {
    /// One record per key of the window with all its values: batch after batch, and in each as
    /// [`DStream::group_by_key`] has them. A key without a record in the window is not there; a window without records
    /// is an empty one. See [`DStream::window`] for the window itself.
    ///
    /// Each batch is shuffled and grouped once, into the partitions that [`DStream::with_partitions`] or
    /// [`DStream::with_partitioner`] chooses behind this, and kept for as long as windows read it, as bytes in memory.
    /// A window joins the lists of a key, where they are. All values of a key are in memory together: to aggregate them,
    /// `reduce_by_key_and_window` costs less. Source: Spark's `groupByKeyAndWindow`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |visits: DStream<(char, i32)>| visits.group_by_key_and_window(seconds(2)).with_partitions(3);
    /// let batches = [vec![('a', 1), ('b', 2)], vec![('a', 3)], vec![]];
    /// let windows = [vec![('a', vec![1]), ('b', vec![2])], vec![('a', vec![1, 3]), ('b', vec![2])], vec![('a', vec![3])]];
    /// check(batches, program, windows);
    /// ```
    #[track_caller]
    pub fn group_by_key_and_window(&self, window: impl Into<Window>) -> DStream<(K, Vec<V>)>
    where
        K: Key,
        V: Data,
    {
        const KIND: &str = "group_by_key_and_window";
        let (length, slide) = self.checked_window(KIND, window.into());
        let batches = self.derive(KIND, |rdd, _| rdd.group_by_key());
        let joined = |mut all: Vec<V>, mut more: Vec<V>| {
            all.append(&mut more);
            all
        };
        let windows = batches.windowed(KIND, length, slide);
        let grouped = windows.derive(KIND, move |rdd, _| rdd.combine_by_key_at_reduce(|first| first, joined, joined));
        grouped.choosing_partitions_with(&batches)
    }
}
