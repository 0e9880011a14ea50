//! Grep on the engine: `filter(|line| line.contains(needle))`, `count`, on `local` threads.

use super::context;
use crate::hand::shares;
use crate::measure::Contender;
use headwater::rdd::{BLOCK_BYTES, text_blocks};
use headwater::text::Block;
use std::sync::Arc;

/// Its result is the number of lines that contain `needle`. The blocks are received and checked beforehand.
pub(crate) fn ours(text: &[u8], needle: &str, local: usize) -> Contender<'static> {
    let (needle, context): (Arc<str>, _) = (needle.into(), context::rdds(local));
    let shares = shares::of_lines(text, text.len().div_ceil(BLOCK_BYTES).max(1));
    let blocks: Vec<Block> = shares.into_iter().map(|share| Block::from_utf8_lossy(share).0).collect();
    Contender::new("the engine", move || {
        let needle = needle.clone();
        let lines = text_blocks(&context, blocks.clone());
        lines.filter(move |line| line.contains(&*needle)).count().expect("the job ends well")
    })
}
