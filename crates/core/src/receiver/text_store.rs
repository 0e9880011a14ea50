//! [`TextReceiverStore`]: where a receiver of text puts its bytes and a batch finds them as blocks of lines. Where the
//! application is durable, bytes are in a log before a batch has them.

use super::block_log::{BlockLog, NewBlock};
use super::block_record::BlockKind;
use super::received_block::{BlockFormat, decode_text};
use super::sender_positions::{SenderPositions, note};
use super::{ReceivedBlock, ReceivedBlockTracker, ReceiverStore, WriteAheadLog};
use crate::env::{Clock, Console};
use crate::input::{InputHost, Unprocessed};
use crate::lines::{LineBlocks, LineLimit};
use crate::rdd::RddContext;
use crate::text::{Block, BlockPool};
use crate::time::Time;
use crate::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The limits of a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// Bytes of a line; a longer one is thrown away with a warning.
    pub line_bytes_max: usize,
    /// Bytes that are received and not yet processed; at the limit the receiver waits, and so does its peer.
    pub buffered_bytes_max: usize,
}

const FORMAT: BlockFormat<Block> = BlockFormat { kind: BlockKind::Text, decode: decode_text };

/// The bytes that one receiver of text has taken in.
///
/// ```
/// use headwater::receiver::{ReceiverStore, StoreLimits, TextReceiverStore};
/// use headwater::{prelude::*, rdd::text_blocks};
/// let context = headwater::testkit::context();
/// let limits = StoreLimits { line_bytes_max: 100, buffered_bytes_max: 1000 };
/// let store = TextReceiverStore::new("a test", &context, limits);
/// store.store(b"to be\nor n", &|| false);
/// store.allocate(Time::from_millis(1000));
/// assert_eq!(text_blocks(&context, store.blocks_of_batch(Time::from_millis(1000))).collect()?, ["to be"]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct TextReceiverStore {
    source: String,
    limits: StoreLimits,
    clock: Arc<dyn Clock>,
    warnings: Arc<Warnings>,
    state: Mutex<State>,
    /// Where the application is durable.
    log: OnceLock<BlockLog<Block>>,
}
struct State {
    lines: LineBlocks,
    blocks: Blocks,
}

/// The blocks whose batch is not done.
#[derive(Default)]
struct Blocks {
    tracker: ReceivedBlockTracker<ReceivedBlock<Block>>,
    /// Of blocks in memory.
    bytes: usize,
    /// Whether lines are counted as blocks come: that costs a look at every byte, for nothing without listeners.
    counting: bool,
    /// Whether anyone asked for the last batch's lines.
    asked: bool,
    /// Behind the blocks that are here and all before them, where senders number their messages.
    senders: SenderPositions,
}

impl Blocks {
    fn add(&mut self, block: Block) {
        let records = self.counting.then(|| block.count_lines() as u64);
        self.take_over(ReceivedBlock { held: Some(block), logged: None, records });
    }
    fn take_over(&mut self, block: ReceivedBlock<Block>) {
        self.bytes += block.held.as_ref().map_or(0, Block::len);
        self.tracker.add_block(block);
    }
}

impl TextReceiverStore {
    /// A store for what warnings call `source`.
    pub fn new(source: impl Into<String>, context: &RddContext, limits: StoreLimits) -> TextReceiverStore {
        let (clock, console) = (context.env().clock.clone(), context.env().console.clone());
        TextReceiverStore::with_pool(source.into(), limits, clock, console, context.blocks().clone())
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
        let lines = LineBlocks::new(source.clone(), pool, warnings.clone(), limit);
        let state = Mutex::new(State { lines, blocks: Blocks::default() });
        TextReceiverStore { source, limits, clock, warnings, state, log: OnceLock::new() }
    }

    /// Takes in what was received. Waits while the store is full; once `stopped`, takes it in all the same, for it is
    /// the last. Where there is a log, the whole lines at hand are durable on return, or `stopped` is true. Whether to
    /// receive more.
    pub fn store(&self, bytes: &[u8], stopped: &dyn Fn() -> bool) -> bool {
        self.wait_for_room(stopped);
        match self.log.get() {
            None => self.take_in(bytes),
            Some(log) => {
                let cut = |lines: &mut LineBlocks, cut: &mut dyn FnMut(Block)| {
                    lines.push(bytes, cut);
                    lines.take_whole().into_iter().for_each(cut);
                };
                self.write_lines(log, cut, stopped);
            }
        }
        self.warnings.pass_on();
        !stopped()
    }

    /// Takes in messages of a sender that numbers them, up to the one with the number `sequence`: `text` is whole lines.
    /// Waits while the store is full. Whether they are stored, durably where there is a log: then they may be
    /// acknowledged. `false` only where `stopped` is true, or another process has taken over.
    pub fn store_messages(&self, text: &[u8], (sender, sequence): (&[u8], u64), stopped: &dyn Fn() -> bool) -> bool {
        self.wait_for_room(stopped);
        let (block, replaced) = Block::from_utf8_lossy(text);
        if replaced > 0 {
            let source = &self.source;
            self.warnings
                .console
                .warn(&format!("{source}: {replaced} byte sequences are not UTF-8; each was replaced by U+FFFD"));
        }
        match self.log.get() {
            None => {
                let blocks = &mut self.lock().blocks;
                blocks.add(block);
                blocks.senders.advance(sender, sequence);
                true
            }
            Some(log) => self.write(log, block, note(sender, sequence), stopped),
        }
    }
    /// The number of the last message that is stored of a sender; 0 if none is known.
    pub fn position_of(&self, sender: &[u8]) -> u64 {
        self.lock().blocks.senders.position(sender)
    }
    /// Something is wrong with the input that the program has to hear of.
    pub fn report(&self, error: Error) {
        match self.log.get() {
            Some(log) => log.report(error),
            None => self.warnings.console.warn(&format!("{}: {error}", self.source)),
        }
    }

    fn wait_for_room(&self, stopped: &dyn Fn() -> bool) {
        let has_room = || self.lock().blocks.bytes < self.limits.buffered_bytes_max;
        if !has_room() {
            self.clock.wait(None, &mut || stopped() || has_room());
        }
    }
    fn take_in(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        state.lines.push(bytes, &mut |block| state.blocks.add(block));
    }
    /// Writes what `cut` cuts.
    fn write_lines(
        &self,
        log: &BlockLog<Block>,
        cut: impl FnOnce(&mut LineBlocks, &mut dyn FnMut(Block)),
        stopped: &dyn Fn() -> bool,
    ) {
        let mut blocks = Vec::new();
        cut(&mut self.lock().lines, &mut |block| blocks.push(block));
        for block in blocks {
            self.write(log, block, Vec::new(), stopped);
        }
    }
    fn write(&self, log: &BlockLog<Block>, block: Block, note: Vec<u8>, stopped: &dyn Fn() -> bool) -> bool {
        let (content, records) = (block.clone(), block.count_lines() as u64);
        let new = NewBlock { block, content: content.as_str().as_bytes(), records, note };
        log.write(new, stopped, &mut |block, note| self.durable(block, note))
    }
    fn durable(&self, block: ReceivedBlock<Block>, note: &[u8]) {
        let blocks = &mut self.lock().blocks;
        blocks.take_over(block);
        blocks.senders.apply(note).expect("notes are written as they are read");
    }

    /// The stream has ended: what follows comes over a new connection, so an unfinished last line is a line.
    pub fn end_of_stream(&self, stopped: &dyn Fn() -> bool) {
        match self.log.get() {
            None => {
                let mut state = self.lock();
                let last = state.lines.finish();
                last.into_iter().for_each(|block| state.blocks.add(block));
            }
            Some(log) => self.write_lines(log, |lines, cut| lines.finish().into_iter().for_each(cut), stopped),
        }
        self.warnings.pass_on();
    }

    /// The blocks of batch `time`.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<ReceivedBlock<Block>> {
        self.lock().blocks.tracker.blocks_of_batch(time)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReceiverStore for TextReceiverStore {
    fn keep_in(&self, log: Arc<dyn WriteAheadLog>) {
        let world = (self.clock.clone(), self.warnings.console.clone());
        // An input is told once.
        let _ = self.log.set(BlockLog::new(self.source.clone(), world, log, FORMAT));
    }
    fn restore(&self, time: Time, allocation: &[u8]) -> Result<()> {
        super::kept(self.log.get(), &self.source)?.restore(time, allocation)
    }
    fn start(&self, host: Arc<dyn InputHost>) -> Result<()> {
        let Some(log) = self.log.get() else { return Ok(()) };
        let warnings = {
            let Blocks { tracker, senders, .. } = &mut self.lock().blocks;
            log.start(host, tracker, &mut |note| senders.apply(note))?
        };
        warnings.iter().for_each(|warning| self.warnings.console.warn(warning));
        Ok(())
    }
    fn allocate(&self, time: Time) {
        match self.log.get() {
            None => {
                let mut state = self.lock();
                let whole = state.lines.take_whole();
                whole.into_iter().for_each(|block| state.blocks.add(block));
                state.blocks.tracker.allocate_blocks_to_batch(time);
                state.blocks.counting = std::mem::take(&mut state.blocks.asked);
            }
            Some(log) => {
                log.try_flush(&mut |block, note| self.durable(block, note));
                let Blocks { tracker, senders, .. } = &mut self.lock().blocks;
                tracker.allocate_blocks_to_batch(time);
                log.allocated(time, tracker, senders.to_bytes());
            }
        }
        self.warnings.pass_on();
    }
    fn allocation(&self, time: Time) -> Option<Vec<u8>> {
        self.log.get()?.allocation(time)
    }
    /// The number of lines of batch `time`. From the first question on, lines are counted as they come, until a batch
    /// passes without one.
    fn records_of_batch(&self, time: Time) -> u64 {
        if let Some(log) = self.log.get() {
            return log.records_of_batch(time);
        }
        {
            let blocks = &mut self.lock().blocks;
            (blocks.asked, blocks.counting) = (true, true);
        }
        let lines = |block: &ReceivedBlock<Block>| {
            block.records.unwrap_or_else(|| block.held.as_ref().map_or(0, Block::count_lines) as u64)
        };
        self.blocks_of_batch(time).iter().map(lines).sum()
    }
    fn has_unallocated(&self) -> bool {
        let is_queued = self.log.get().is_some_and(BlockLog::has_queued);
        let state = self.lock();
        is_queued || state.blocks.tracker.has_unallocated_blocks() || state.lines.has_whole()
    }
    fn unprocessed(&self) -> Unprocessed {
        let state = self.lock();
        Unprocessed::new(state.blocks.bytes + state.lines.whole_bytes(), "bytes")
    }
    fn processed(&self, time: Time) {
        let done = {
            let mut state = self.lock();
            let done = state.blocks.tracker.forget_batch(time);
            let bytes = done.iter().filter_map(|block| block.held.as_ref()).map(Block::len).sum::<usize>();
            state.blocks.bytes -= bytes;
            done
        };
        if !done.is_empty() {
            self.clock.notify();
        }
        if let Some(log) = self.log.get() {
            log.processed(time);
        }
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
            let blocks = store.blocks_of_batch(time);
            (blocks.iter().map(|block| block.records).collect::<Vec<_>>(), time)
        };
        assert_eq!(counted(1, b"one\ntwo\n").0, [None]);
        let (unknown, second) = counted(2, b"three\n\nfour\n");
        assert_eq!((unknown, store.records_of_batch(second)), (vec![None], 3));
        // Who asked for one batch is expected to ask for the next.
        assert_eq!(counted(3, b"five\n").0, [Some(1)]);
        assert_eq!(counted(4, b"six\nseven\n").0, [Some(2)]);
        assert_eq!(counted(5, b"eight\n").0, [None]);
    }
}
