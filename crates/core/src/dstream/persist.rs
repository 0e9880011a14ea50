//! `persist` on a stream: every batch's RDD keeps its partitions, for several outputs and for later batches that read
//! it. What is kept goes when the batch is forgotten.

use super::DStream;
use super::node::{AnyDStream, DStreamNode};
use crate::rdd::Rdd;
use crate::time::{DurationExt, Time};
use crate::{Data, Record, StorageLevel};
use std::sync::Arc;

/// How a node keeps the RDDs that it makes: set with the first level or interval, when the type is known to be `Data`.
pub(super) struct Keeping<T> {
    persist: fn(&Rdd<T>, StorageLevel) -> Rdd<T>,
    checkpoint: fn(&Rdd<T>) -> Rdd<T>,
}

impl<T: Record> DStream<T> {
    /// Keeps the partitions of each batch's RDD at `level` once they are computed, so that several outputs, or windows
    /// over several batches, compute them once. They go when the batch is forgotten. It is a setting of the operator,
    /// and so of every handle to it; the last call counts. On the stream of [`DStream::window`] it is a setting of the
    /// stream that the window reads. An RDD that is persisted already, which `transform` may return, stays at its level.
    /// Refused after the start. Source: Spark's `persist`.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |numbers: DStream<i32>| {
    ///     let squares = numbers.map(|n| n * n).persist(StorageLevel::MEMORY_AND_DISK);
    ///     squares.count().print();
    ///     squares.filter(|n| n % 2 == 0)
    /// };
    /// check([vec![1, 2], vec![4]], program, [vec![4], vec![16]]);
    /// ```
    pub fn persist(&self, level: StorageLevel) -> DStream<T>
    where
        T: Data,
    {
        if self.graph.may_change(self.node.header(), "changing the storage level of a DStream") {
            self.node.set_level(level);
        }
        self.clone()
    }

    /// [`DStream::persist`] at [`StorageLevel::MEMORY_ONLY_SER`], as bytes in memory: the default of streams, as in Spark.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit::check};
    /// let program = |numbers: DStream<i32>| {
    ///     let squares = numbers.map(|n| n * n).cache();
    ///     assert_eq!(squares.storage_level(), StorageLevel::MEMORY_ONLY_SER);
    ///     squares
    /// };
    /// check([vec![1, 2]], program, [vec![1, 4]]);
    /// ```
    pub fn cache(&self) -> DStream<T>
    where
        T: Data,
    {
        self.persist(StorageLevel::MEMORY_ONLY_SER)
    }

    /// Where the RDDs of this stream keep their partitions; [`StorageLevel::NONE`] unless told otherwise.
    ///
    /// ```
    /// use headwater::{prelude::*, testkit};
    /// let (ssc, _clock) = testkit::streaming_context();
    /// let numbers = testkit::test_input(&ssc, vec![Some(vec![1])], 1);
    /// assert_eq!(numbers.storage_level(), StorageLevel::NONE);
    /// assert_eq!(numbers.cache().persist(StorageLevel::DISK_ONLY).storage_level(), StorageLevel::DISK_ONLY);
    /// ```
    pub fn storage_level(&self) -> StorageLevel {
        self.node.header().level()
    }
}

impl<T: Record> DStreamNode<T> {
    /// The operator may be told to keep its RDDs.
    pub(super) fn let_keep(&self)
    where
        T: Data,
    {
        self.keeping.get_or_init(|| Keeping { persist: Rdd::persist, checkpoint: Rdd::checkpoint });
    }
    /// The level of what the stream keeps: its own RDDs, or those that a window reads.
    pub(super) fn set_level(&self, level: StorageLevel)
    where
        T: Data,
    {
        let keeper = self.keeper();
        keeper.let_keep();
        keeper.header.set_level(level);
    }
    /// As `set_level`, unless a level was chosen before, or the graph has started.
    pub(super) fn persist_by_default(&self, level: StorageLevel)
    where
        T: Data,
    {
        let keeper = self.keeper();
        if keeper.header.chosen_level().is_none() && keeper.header.zero().is_none() {
            keeper.set_level(level);
        }
    }
    /// `parent`, whose RDDs make up this window's, keeps them for it.
    pub(super) fn persist_parent(&self, parent: &Arc<DStreamNode<T>>) {
        self.persists.get_or_init(|| parent.clone());
    }
    fn keeper(&self) -> &DStreamNode<T> {
        self.persists.get().map_or(self, |parent| parent.keeper())
    }
    /// The RDD that was made for `time`, which keeps its partitions if the operator was told so. One that is cut off
    /// from its lineage keeps them in any case.
    pub(super) fn kept(&self, made: Rdd<T>, time: Time, zero: Time) -> Rdd<T> {
        let Some(keeping) = self.keeping.get() else { return made };
        match (self.header.checkpoint_interval(), self.header.level()) {
            (Some(interval), _) if (time - zero).is_multiple_of_duration(interval) => (keeping.checkpoint)(&made),
            (_, level) if made.storage_level() == StorageLevel::NONE => (keeping.persist)(&made, level),
            _ => made,
        }
    }
}
