//! `reduce_by_window`: all records of a window become one.

use super::{DStream, Window};
use crate::{Closure, Data, Record};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// One record per window: all of its records, reduced by `reduce`, which must be associative and commutative. A
    /// window without records gives none. Each batch is reduced once, and a window reduces what came of its batches. See
    /// [`DStream::window`] for the window itself. Source: Spark's `reduceByWindow`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let highest = |degrees: DStream<i32>| degrees.reduce_by_window(i32::max, seconds(2));
    /// check([vec![20, 22], vec![21], vec![], vec![]], highest, [vec![22], vec![22], vec![21], vec![]]);
    /// ```
    #[track_caller]
    pub fn reduce_by_window(&self, reduce: impl Fn(T, T) -> T + Closure, window: impl Into<Window>) -> DStream<T>
    where
        T: Data,
    {
        const KIND: &str = "reduce_by_window";
        let (length, slide) = self.checked_window(KIND, window.into());
        let reduce = Arc::new(reduce);
        self.reduced(KIND, reduce.clone()).windowed(KIND, length, slide).reduced(KIND, reduce)
    }
}
