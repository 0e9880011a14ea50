//! `reduce_by_window`: all records of a window become one.

use super::{DStream, Window};
use crate::{Closure, Data};

impl<T: Data> DStream<T> {
    /// One record per window: all of its records, reduced by `reduce`, which must be associative and commutative. A
    /// window without records gives none. A batch is reduced once, and the window's record is at hand from then on, as in
    /// [`DStream::reduce_by_key_and_window`]. See [`DStream::window`] for the window itself. Source: Spark's
    /// `reduceByWindow`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let highest = |degrees: DStream<i32>| degrees.reduce_by_window(i32::max, seconds(2));
    /// check([vec![20, 22], vec![21], vec![], vec![]], highest, [vec![22], vec![22], vec![21], vec![]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_window(&self, reduce: impl Fn(T, T) -> T + Closure, window: impl Into<Window>) -> DStream<T> {
        let window = self.checked_window("reduce_by_window", window.into());
        let one = self.map(|record| ((), record));
        one.reduce_by_key_and_window(reduce, window).with_partitions(1).map(|((), total)| total)
    }
}
