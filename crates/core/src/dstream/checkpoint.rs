//! `checkpoint` on a stream: every so often a batch's RDD is cut off from its lineage.

use super::DStream;
use super::node::{AnyDStream, Header};
use crate::time::DurationExt;
use crate::{Data, Error, Record, Result, StorageLevel};
use std::time::Duration;

impl<T: Record> DStream<T> {
    /// Cuts the lineage of the RDD of every `interval`, counted from the start, as [`Rdd::checkpoint`] does: for a
    /// stream whose RDDs are made from its earlier ones. `interval` is a multiple of the slide duration; Spark's guide
    /// advises five to ten times as long. The other RDDs are persisted at [`StorageLevel::MEMORY_ONLY_SER`], unless a
    /// later [`DStream::persist`] says otherwise, and the stream remembers its RDDs for twice the interval at least.
    ///
    /// It is a setting of the operator, and so of every handle to it; the last call counts. An interval that cannot be
    /// is an error of the start; after the start it is refused. The records stay in memory, so that no folder is needed
    /// (Spark writes them to the context's checkpoint folder). Source: Spark's `checkpoint`.
    ///
    /// [`Rdd::checkpoint`]: crate::Rdd::checkpoint
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |numbers: DStream<i32>| {
    ///     let cut = numbers.map(|n| n + 1).checkpoint(Duration::from_secs(2));
    ///     let is_cut = |rdd: Rdd<i32>, _| {
    ///         rdd.count().unwrap();
    ///         let is_cut = rdd.is_checkpointed();
    ///         rdd.map(move |_| is_cut)
    ///     };
    ///     cut.transform(is_cut)
    /// };
    /// check([vec![1], vec![2], vec![3], vec![4]], program, [vec![false], vec![true], vec![false], vec![true]]);
    /// ```
    pub fn checkpoint(&self, interval: Duration) -> DStream<T>
    where
        T: Data,
    {
        if self.graph.may_change(self.node.header(), "changing the checkpoint interval of a DStream") {
            self.node.let_keep();
            self.node.set_level(StorageLevel::MEMORY_ONLY_SER);
            self.node.header().set_checkpoint_interval(interval);
        }
        self.clone()
    }
}

/// What must hold at the start for an operator that is checkpointed.
pub(super) fn check_interval(operator: &Header) -> Result<()> {
    let Some(interval) = operator.checkpoint_interval() else { return Ok(()) };
    let (place, slide) = (operator.place(), operator.slide);
    let message = if interval < slide {
        format!("{place}: the checkpoint interval of {interval:?} is shorter than the slide duration of {slide:?}")
    } else if !interval.is_multiple_of_duration(slide) {
        format!("{place}: the checkpoint interval of {interval:?} is no multiple of the slide duration of {slide:?}")
    } else if operator.chosen_level() == Some(StorageLevel::NONE) {
        format!(
            "{place}: the stream is checkpointed, but persist(StorageLevel::NONE) keeps it from being persisted; choose \
             another level"
        )
    } else {
        return Ok(());
    };
    Err(Error::program(message))
}
