//! Word count on the engine: `flat_map(split)`, `map((word, 1))`, `reduce_by_key`, on `local` threads.

use super::context;
use crate::checksum;
use crate::measure::Contender;
use headwater::prelude::*;
use headwater::rdd::text_blocks;
use headwater::receiver::{ReceiverStore, StoreLimits, TextReceiverStore};
use std::sync::Arc;

/// What a socket receiver reads at a time.
const PIECE_BYTES: usize = 256 << 10;
/// As in `Conf`.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A batch from its first received byte to its end: bytes become blocks, the job counts their words, the blocks'
/// memory becomes free. The result is the total of [`checksum::word`] over all words.
pub(crate) fn ours(text: &Arc<Vec<u8>>, local: usize) -> Contender<'static> {
    let (text, context) = (text.clone(), context::rdds(local));
    // The batch is received before it is processed, so the store must hold all of it.
    let limits = StoreLimits { line_bytes_max: LINE_BYTES_MAX, buffered_bytes_max: usize::MAX };
    let store = TextReceiverStore::new("the generated text", &context, limits);
    let mut time = Time::from_millis(0);
    Contender::new("the engine", move || {
        time += seconds(1);
        for piece in text.chunks(PIECE_BYTES) {
            assert!(store.store(piece, &|| false), "a store takes bytes until it is stopped");
        }
        store.end_of_stream(&|| false);
        store.allocate(time);
        let lines = text_blocks(&context, store.blocks_of_batch(time));
        let total = count(&lines);
        store.processed(time);
        total
    })
}

/// The program of the guide's first example, and a checksum of what it gives.
fn count(lines: &Rdd<Text>) -> u64 {
    let counts = lines.flat_map(|line| line.split(' ')).map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b);
    let entries = counts.map(|(word, count)| checksum::word(word.len(), count));
    entries.reduce(u64::wrapping_add).expect("the job ends well").unwrap_or_default()
}
