//! `window`: the batches of the last while as one, again and again.

use super::node::AnyDStream;
use super::{DStream, Window};
use crate::{Data, Record, Result, StorageLevel};
use std::time::Duration;

impl<T: Record> DStream<T> {
    /// The records of all batches of the window that ends with this batch, in the order of the batches: of those at
    /// `t - length + slide` to `t`, both included, where `slide` is this stream's slide duration. There is a window
    /// every slide duration of `window`, counted from the start. The first ones hold what there is so far.
    ///
    /// `window` is a length, with a window per batch, or `(length, slide)`; see [`Window`]. Lengths that are no multiple
    /// of this stream's slide duration fail the start. A batch without an RDD adds nothing; where none of the window has
    /// one, its RDD is empty. Where all batches are spread by the same partitioner, so is the window. Time is the time
    /// of batches: when a record came in, not what it says.
    ///
    /// What is read by several windows is computed once: the batches of *this* stream are kept, as bytes in memory
    /// ([`StorageLevel::MEMORY_ONLY_SER`]) unless [`DStream::persist`] chose another level, and remembered for as long
    /// as a window reads them. `persist` on the window's stream sets the level of this one, and its own stays
    /// [`StorageLevel::NONE`]. Source: Spark's `window` and `WindowedDStream`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let last_three_every_two = |numbers: DStream<i32>| numbers.window((seconds(3), seconds(2)));
    /// check([vec![1], vec![2], vec![3], vec![4]], last_three_every_two, [vec![1, 2], vec![2, 3, 4]]);
    /// ```
    #[track_caller]
    pub fn window(&self, window: impl Into<Window>) -> DStream<T>
    where
        T: Data,
    {
        let (length, slide) = self.checked_window("window", window.into());
        self.windowed("window", length, slide)
    }

    /// As [`DStream::window`], for the operator `kind`, with what `checked_window` gave.
    #[track_caller]
    pub(super) fn windowed(&self, kind: &'static str, length: Duration, slide: Duration) -> DStream<T>
    where
        T: Data,
    {
        let (parent, context, step) = (self.node.clone(), self.context().clone(), self.slide_duration());
        let windowed = self.attach_sliding(kind, vec![self.node.clone()], slide, length, move |tick| {
            let first = tick.time - length + step;
            // Before the start there is nothing, however long the window is.
            let first = parent.header().zero().map_or(first, |zero| first.max(zero + step));
            let rdds = first.to(tick.time, step)?.map(|time| parent.get_or_compute(time));
            let rdds: Vec<_> = rdds.filter_map(Result::transpose).collect::<Result<_>>()?;
            Ok(Some(context.union(rdds)))
        });
        if length > slide {
            // A batch is read by several windows, which counts where it is not kept.
            self.node.header().add_reader();
        }
        self.node.persist_by_default(StorageLevel::MEMORY_ONLY_SER);
        windowed.node.persist_parent(&self.node);
        windowed
    }
}
