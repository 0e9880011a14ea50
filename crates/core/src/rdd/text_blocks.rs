//! The lines of received blocks: a partition is a run of blocks.

use super::{CHUNK, FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task};
use crate::receiver::ReceivedBlock;
use crate::text::{Block, Text};

/// Partitions that a batch of blocks is cut into at most. Every map task builds a table of its own, so few large tasks
/// cost less; with two for each thread, one that comes late holds up the stage by half of a thread's share. A single
/// thread has nobody to wait for.
pub(super) fn partitions_max(threads: usize) -> usize {
    if threads == 1 { 1 } else { 2 * threads }
}

/// The lines of `blocks`, in order. A line is a counted slice of its block. A partition is a block, or a run of blocks
/// where there are more than two for each of several task threads, or more than one for a single thread. A block that is
/// not in memory is read by its task.
///
/// ```
/// # use headwater_core::{rdd::text_blocks, text::Block};
/// # let context = headwater::testkit::context();
/// let blocks = vec![Block::from_utf8(b"to be\nor not").unwrap(), Block::from_utf8(b"to be\n").unwrap()];
/// assert_eq!(text_blocks(&context, blocks).collect()?, ["to be", "or not", "to be"]);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn text_blocks(
    context: &RddContext,
    blocks: impl IntoIterator<Item = impl Into<ReceivedBlock<Block>>>,
) -> Rdd<Text> {
    let blocks: Vec<ReceivedBlock<Block>> = blocks.into_iter().map(Into::into).collect();
    let partitions = blocks.len().min(partitions_max(context.engine().default_parallelism()));
    Rdd::from_node(context, TextBlocks { blocks, partitions })
}

struct TextBlocks {
    blocks: Vec<ReceivedBlock<Block>>,
    partitions: usize,
}
impl Node<Text> for TextBlocks {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, Text>) -> Outcome {
        let cut = |partition: usize| partition * self.blocks.len() / self.partitions;
        let run = &self.blocks[cut(task.partition())..cut(task.partition() + 1)];
        run.iter().try_for_each(|block| push_lines(&block.get()?, task, sink))
    }
}

/// Pushes the lines of `block` in chunks.
pub(super) fn push_lines(block: &Block, task: &Task<'_>, sink: Sink<'_, Text>) -> Outcome {
    let mut lines = Vec::with_capacity(CHUNK);
    let mut position = 0;
    while position < block.len() {
        task.check()?;
        block.next_lines(&mut position, block.len(), CHUNK, &mut lines);
        sink(&mut lines)?;
    }
    Ok(())
}
