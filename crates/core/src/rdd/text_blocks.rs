//! The lines of received blocks: a partition is a block.

use super::{CHUNK, Node, Outcome, Rdd, RddContext, Shuffle, Sink, Task};
use crate::text::{Block, Text};
use std::sync::Arc;

/// The lines of `blocks`, one partition each, in order. A line is a counted slice of its block.
///
/// ```
/// # use headwater_core::{rdd::text_blocks, text::Block};
/// # let context = headwater::testkit::context();
/// let blocks = vec![Block::from_utf8(b"to be\nor not").unwrap(), Block::from_utf8(b"to be\n").unwrap()];
/// assert_eq!(text_blocks(&context, blocks).collect()?, ["to be", "or not", "to be"]);
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn text_blocks(context: &RddContext, blocks: Vec<Block>) -> Rdd<Text> {
    Rdd::from_node(context, TextBlocks { blocks })
}

struct TextBlocks {
    blocks: Vec<Block>,
}
impl Node<Text> for TextBlocks {
    fn num_partitions(&self) -> usize {
        self.blocks.len()
    }
    fn shuffles(&self, _found: &mut Vec<Arc<dyn Shuffle>>) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, Text>) -> Outcome {
        push_lines(&self.blocks[task.partition()], task, sink)
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
