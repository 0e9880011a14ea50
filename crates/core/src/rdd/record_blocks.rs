//! The records of received blocks: a partition is a run of blocks.

use super::text_blocks::partitions_max;
use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::Record;
use crate::receiver::RecordBlock;

/// The records of `blocks`, in order; each job gets copies. Partitions are cut as those of
/// [`text_blocks`](super::text_blocks).
///
/// ```
/// # use headwater_core::rdd::record_blocks;
/// # let context = headwater::testkit::context();
/// let blocks = vec![vec![1, 2].into(), vec![3].into()];
/// assert_eq!(record_blocks(&context, blocks).glom().collect()?, [vec![1, 2], vec![3]]);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn record_blocks<T: Record + Clone>(context: &RddContext, blocks: Vec<RecordBlock<T>>) -> Rdd<T> {
    let partitions = blocks.len().min(partitions_max(context.engine().default_parallelism()));
    Rdd::from_node(context, RecordBlocks { blocks, partitions })
}

struct RecordBlocks<T> {
    blocks: Vec<RecordBlock<T>>,
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
        for records in run.iter().flat_map(|block| block.chunks(CHUNK)) {
            task.check()?;
            chunk.extend_from_slice(records);
            sink(&mut chunk)?;
        }
        Ok(())
    }
}
