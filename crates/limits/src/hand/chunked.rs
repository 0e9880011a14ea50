//! Word count as one loop over the engine's own text and table: what is left above it is what the engine itself costs.
//! Each block is copied, checked and counted before the next, and one table takes all; an engine receives a whole batch
//! first, and has a table in each task.

use super::shares;
use crate::checksum;
use headwater::hash::HashSeed;
use headwater::rdd::CHUNK;
use headwater::rdd::aggregator::Reducing;
use headwater::rdd::combine_table::CombineTable;
use headwater::text::{Block, BlockPool, Text};

/// Bytes of a block, and so of the longest line. Blocks of 8 MiB could not be told from these under noise.
const BLOCK_BYTES: usize = 256 << 10;
const SEED: u64 = 2013;

/// The memory that texts are copied to; kept from round to round.
pub(crate) fn pool(local: usize) -> BlockPool {
    BlockPool::new(BLOCK_BYTES, local)
}

/// Counts the words between single spaces. Malformed bytes are replaced, and of a text whose line fits no block there is
/// an error: the engine would throw the line away, and the results would differ.
pub(crate) fn count(text: &[u8], pool: &BlockPool, local: usize) -> u64 {
    let sum = Reducing(|a: u64, b: u64| a + b);
    let mut tables = shares::each(shares::of_lines(text, local), |share| table(share, pool)).into_iter();
    let mut all = tables.next().expect("there is at least one share");
    for table in tables {
        all.combine_entries(&mut table.into_entries().collect(), &sum);
    }
    checksum::total(all.entries().iter().map(|entry| checksum::word(entry.key.len(), entry.value)))
}

fn table(mut text: &[u8], pool: &BlockPool) -> CombineTable<Text, u64> {
    let mut table = CombineTable::with_capacity(HashSeed::new(SEED), CHUNK);
    let (mut lines, mut words) = (Vec::with_capacity(CHUNK), Vec::with_capacity(CHUNK));
    while !text.is_empty() {
        let block = next_block(&mut text, pool);
        count_block(&block, &mut lines, &mut words, &mut table);
    }
    table
}

/// Copies as many whole lines as a block holds, and moves `text` behind them.
fn next_block(text: &mut &[u8], pool: &BlockPool) -> Block {
    let mut builder = pool.take();
    let taken = builder.extend_from_slice(text);
    let whole = if taken == text.len() {
        taken
    } else {
        1 + memchr::memrchr(b'\n', &text[..taken]).expect("lines are shorter than a block")
    };
    builder.truncate(whole);
    *text = &text[whole..];
    builder.freeze_lossy().0
}

fn count_block(
    block: &Block,
    lines: &mut Vec<Text>,
    words: &mut Vec<(Text, u64)>,
    table: &mut CombineTable<Text, u64>,
) {
    let sum = Reducing(|a: u64, b: u64| a + b);
    let mut position = 0;
    while position < block.len() {
        block.next_lines(&mut position, block.len(), CHUNK, lines);
        for line in lines.drain(..) {
            for word in line.split(' ') {
                words.push((word, 1));
                if words.len() == CHUNK {
                    table.merge_chunk(words, &sum);
                }
            }
        }
    }
    // Words over 15 letters hold on to the block, whose memory the next one shall use.
    table.merge_chunk(words, &sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_as_the_plain_loop_does() {
        let text = crate::data::Vocabulary::new(1000).text(1_000_000);
        let plain = super::super::word_count::count(&text, 1);
        assert_eq!((count(&text, &pool(1), 1), count(&text, &pool(2), 2)), (plain, plain));
    }
}
