//! `count_by_window`, `count_by_value_and_window`, and `reduce_by_window` with an inverse: windows whose aggregates run
//! along, without keys or with whole records as keys.

use super::{DStream, Window, WindowReduce};
use crate::{Closure, Data, Key};

impl<T: Data> DStream<T> {
    /// One record per window: the number of records in it, 0 where there is none. A batch costs its own count, however
    /// long the window is. `window` is a length, with a window per batch, or `(length, slide)`; see [`DStream::window`].
    /// Source: Spark's `countByWindow`, which says nothing before the first record and needs a checkpoint folder.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let counts = |letters: DStream<char>| letters.count_by_window(seconds(2));
    /// check([vec!['a'], vec!['b', 'c'], vec![], vec![]], counts, [vec![1], vec![3], vec![2], vec![0]]);
    /// ```
    #[track_caller]
    pub fn count_by_window(&self, window: impl Into<Window>) -> DStream<u64> {
        let window = self.checked_window("count_by_window", window.into());
        let counts = self.count().reduce_by_window_inverse(|a, b| a + b, |a, b| a - b, window);
        counts.map_partitions(|counts| [counts.fold(0, |_, count| count)])
    }

    /// One record per window: all its records, reduced by `reduce`; none before the first record came. `inverse` takes
    /// away what `reduce` added, as in [`DStream::reduce_by_key_and_window_inverse`]: behind the first record, a window
    /// without records has the neutral value that is left over. Source: Spark's `reduceByWindow` with an inverse.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let sums = |n: DStream<i64>| n.reduce_by_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2));
    /// check([vec![], vec![5, 6], vec![7], vec![], vec![]], sums, [vec![], vec![11], vec![18], vec![7], vec![0]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_window_inverse(
        &self,
        reduce: impl Fn(T, T) -> T + Closure,
        inverse: impl Fn(T, T) -> T + Closure,
        window: impl Into<Window>,
    ) -> DStream<T> {
        let window = self.checked_window("reduce_by_window_inverse", window.into());
        let one = self.map(|record| ((), record));
        one.reduce_by_key_and_window_inverse(reduce, inverse, window).with_partitions(1).map(|((), total)| total)
    }
}

impl<T: Key> DStream<T> {
    /// One record per different record in the window, with the number of times that it is there. A batch costs its own
    /// different records and those of the batch that leaves; every window costs one record for each different record in
    /// it. The number of partitions is that of [`RddContext::default_parallelism`](crate::RddContext::default_parallelism)
    /// unless it is chosen behind it. Source: Spark's `countByValueAndWindow`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let counts = |letters: DStream<char>| letters.count_by_value_and_window(seconds(2));
    /// let letters = [vec!['a'], vec!['b', 'b'], vec!['a', 'b']];
    /// check(letters, counts, [vec![('a', 1)], vec![('a', 1), ('b', 2)], vec![('a', 1), ('b', 3)]]);
    /// ```
    #[track_caller]
    pub fn count_by_value_and_window(&self, window: impl Into<Window>) -> DStream<(T, u64)> {
        let window = self.checked_window("count_by_value_and_window", window.into());
        let count = WindowReduce::new(|a, b| a + b, |a, b| a - b, window).filter(|_, count| *count != 0);
        self.map(|record| (record, 1)).reduce_by_key_and_window_with(count)
    }
}
