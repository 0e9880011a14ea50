//! The records of received blocks: a partition is a run of blocks.

use super::text_blocks::partitions_max;
use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::Record;
use crate::receiver::{ReceivedBlock, RecordBlock};

/// The records of `blocks`, in order; each job gets copies. Partitions are cut as those of
/// [`text_blocks`](super::text_blocks).
///
/// ```
/// # use headwater_core::rdd::record_blocks;
/// # let context = headwater::testkit::context();
/// let blocks = [vec![1, 2], vec![3]];
/// assert_eq!(record_blocks(&context, blocks).glom().collect()?, [vec![1, 2], vec![3]]);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn record_blocks<T: Record + Clone>(
    context: &RddContext,
    blocks: impl IntoIterator<Item = impl Into<ReceivedBlock<RecordBlock<T>>>>,
) -> Rdd<T> {
    let blocks: Vec<ReceivedBlock<RecordBlock<T>>> = blocks.into_iter().map(Into::into).collect();
    let partitions = blocks.len().min(partitions_max(context.engine().default_parallelism()));
    Rdd::from_node(context, RecordBlocks { blocks, partitions })
}

struct RecordBlocks<T> {
    blocks: Vec<ReceivedBlock<RecordBlock<T>>>,
    partitions: usize,
}
impl<T: Record + Clone> Node<T> for RecordBlocks<T> {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        let cut = |partition: usize| partition * self.blocks.len() / self.partitions;
        let run = &self.blocks[cut(task.partition())..cut(task.partition() + 1)];
        let mut chunk = Vec::with_capacity(CHUNK);
        for block in run {
            for records in block.get()?.chunks(CHUNK) {
                task.check()?;
                chunk.extend_from_slice(records);
                sink(&mut chunk)?;
            }
        }
        Ok(())
    }
}
