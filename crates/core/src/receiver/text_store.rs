//! [`TextReceiverStore`]: where a receiver of text puts its bytes and a batch finds them as blocks of lines.

use super::ReceivedBlockTracker;
use crate::env::{Clock, Console};
use crate::lines::{LineBlocks, LineLimit};
use crate::rdd::RddContext;
use crate::text::{Block, BlockPool};
use crate::time::Time;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The limits of a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// Bytes of a line; a longer one is thrown away with a warning.
    pub line_bytes_max: usize,
    /// Bytes that are received and not yet processed; at the limit the receiver waits, and so does its peer.
    pub buffered_bytes_max: usize,
}

/// The bytes that one receiver of text has taken in.
pub struct TextReceiverStore {
    limits: StoreLimits,
    clock: Arc<dyn Clock>,
    warnings: Arc<Warnings>,
    state: Mutex<State>,
}
struct State {
    lines: LineBlocks,
    blocks: Blocks,
}

/// The blocks whose batch is not done.
#[derive(Default)]
struct Blocks {
    tracker: ReceivedBlockTracker<CountedBlock>,
    bytes: usize,
    /// Whether lines are counted as blocks come: that costs a look at every byte, for nothing without listeners.
    counting: bool,
    /// Whether anyone asked for the last batch's lines.
    asked: bool,
}
#[derive(Clone)]
struct CountedBlock {
    block: Block,
    /// Unknown until it is asked for, or counted.
    lines: Option<usize>,
}

impl Blocks {
    fn add(&mut self, block: Block) {
        self.bytes += block.len();
        let lines = self.counting.then(|| block.count_lines());
        self.tracker.add_block(CountedBlock { block, lines });
    }
}

impl TextReceiverStore {
    /// A store for what warnings call `source`.
    pub fn new(source: String, context: &RddContext, limits: StoreLimits) -> TextReceiverStore {
        let (clock, console) = (context.env().clock.clone(), context.env().console.clone());
        TextReceiverStore::with_pool(source, limits, clock, console, context.blocks().clone())
    }
    fn with_pool(
        source: String,
        limits: StoreLimits,
        clock: Arc<dyn Clock>,
        console: Arc<dyn Console>,
        pool: BlockPool,
    ) -> TextReceiverStore {
        let warnings = Arc::new(Warnings { console, kept: Mutex::default() });
        let limit = LineLimit { bytes: limits.line_bytes_max, name: "Conf::line_bytes_max" };
        let lines = LineBlocks::new(source, pool, warnings.clone(), limit);
        TextReceiverStore { limits, clock, warnings, state: Mutex::new(State { lines, blocks: Blocks::default() }) }
    }

    /// Takes in what was received. Waits while the store is full; once `stopped`, takes it in all the same, for it is
    /// the last. Whether to receive more.
    pub fn store(&self, bytes: &[u8], stopped: &dyn Fn() -> bool) -> bool {
        let has_room = || self.lock().blocks.bytes < self.limits.buffered_bytes_max;
        if !has_room() {
            self.clock.wait(None, &mut || stopped() || has_room());
        }
        self.take_in(bytes);
        self.warnings.pass_on();
        !stopped()
    }

    fn take_in(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        state.lines.push(bytes, &mut |block| state.blocks.add(block));
    }

    /// The stream has ended: what follows comes over a new connection, so an unfinished last line is a line.
    pub fn end_of_stream(&self) {
        let mut state = self.lock();
        let last = state.lines.finish();
        last.into_iter().for_each(|block| state.blocks.add(block));
        drop(state);
        self.warnings.pass_on();
    }

    /// Batch `time` gets the whole lines that came in so far.
    pub fn allocate(&self, time: Time) {
        let mut state = self.lock();
        let whole = state.lines.take_whole();
        whole.into_iter().for_each(|block| state.blocks.add(block));
        state.blocks.tracker.allocate_blocks_to_batch(time);
        state.blocks.counting = std::mem::take(&mut state.blocks.asked);
        drop(state);
        self.warnings.pass_on();
    }
    /// The blocks of batch `time`.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<Block> {
        self.counted_blocks(time).into_iter().map(|counted| counted.block).collect()
    }
    /// The number of lines of batch `time`. From the first question on, lines are counted as they come, until a batch
    /// passes without one.
    pub fn lines_of_batch(&self, time: Time) -> u64 {
        {
            let blocks = &mut self.lock().blocks;
            (blocks.asked, blocks.counting) = (true, true);
        }
        let lines = |counted: CountedBlock| counted.lines.unwrap_or_else(|| counted.block.count_lines()) as u64;
        self.counted_blocks(time).into_iter().map(lines).sum()
    }
    fn counted_blocks(&self, time: Time) -> Vec<CountedBlock> {
        self.lock().blocks.tracker.blocks_of_batch(time)
    }
    /// Whether something came in that no batch has.
    pub fn has_unallocated(&self) -> bool {
        let state = self.lock();
        state.blocks.tracker.has_unallocated_blocks() || state.lines.has_whole()
    }
    /// Bytes of whole lines that no finished batch had.
    pub fn unprocessed(&self) -> usize {
        let state = self.lock();
        state.blocks.bytes + state.lines.whole_bytes()
    }
    /// Batch `time` is done: its bytes make room.
    pub fn processed(&self, time: Time) {
        let done = {
            let mut state = self.lock();
            let done = state.blocks.tracker.forget_batch(time);
            state.blocks.bytes -= done.iter().map(|counted| counted.block.len()).sum::<usize>();
            done
        };
        if !done.is_empty() {
            self.clock.notify();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Warnings that come up under the store's lock, until it is free: a console may wake who waits for the store.
struct Warnings {
    console: Arc<dyn Console>,
    kept: Mutex<Vec<String>>,
}

/// Warnings of one piece of input that are passed on; the rest of them say the same.
const WARNINGS_MAX: usize = 100;

impl Warnings {
    fn pass_on(&self) {
        let kept = std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.iter().for_each(|message| self.console.warn(message));
    }
}
impl Console for Warnings {
    fn print(&self, text: &str) {
        self.console.print(text);
    }
    fn warn(&self, message: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < WARNINGS_MAX {
            kept.push(message.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::ManualClock;

    struct Silent;
    impl Console for Silent {
        fn print(&self, _text: &str) {}
        fn warn(&self, _message: &str) {}
    }

    #[test]
    fn lines_are_counted_only_when_they_are_asked_for() {
        let limits = StoreLimits { line_bytes_max: 100, buffered_bytes_max: 1000 };
        let (clock, pool) = (Arc::new(ManualClock::new(Time::from_millis(0))), BlockPool::new(1 << 10, 1));
        let store = TextReceiverStore::with_pool("a test".to_owned(), limits, clock, Arc::new(Silent), pool);
        let counted = |batch: i64, lines: &[u8]| {
            let time = Time::from_millis(1000 * batch);
            store.store(lines, &|| false);
            store.allocate(time);
            let blocks = store.counted_blocks(time);
            (blocks.iter().map(|counted| counted.lines).collect::<Vec<_>>(), time)
        };
        assert_eq!(counted(1, b"one\ntwo\n").0, [None]);
        let (unknown, second) = counted(2, b"three\n\nfour\n");
        assert_eq!((unknown, store.lines_of_batch(second)), (vec![None], 3));
        // Who asked for one batch is expected to ask for the next.
        assert_eq!(counted(3, b"five\n").0, [Some(1)]);
        assert_eq!(counted(4, b"six\nseven\n").0, [Some(2)]);
        assert_eq!(counted(5, b"eight\n").0, [None]);
    }
}
