//! [`TextReceiverStore`]: where a receiver of text puts its bytes and a batch finds them as blocks of lines.

use super::ReceivedBlockTracker;
use crate::env::{Clock, Console};
use crate::lines::{LineBlocks, LineLimit};
use crate::rdd::RddContext;
use crate::text::Block;
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
    tracker: ReceivedBlockTracker<Block>,
    /// Bytes of blocks whose batch is not done.
    block_bytes: usize,
}

impl State {
    fn add(&mut self, block: Option<Block>) {
        if let Some(block) = block {
            self.block_bytes += block.len();
            self.tracker.add_block(block);
        }
    }
}

impl TextReceiverStore {
    /// A store for what warnings call `source`.
    pub fn new(source: String, context: &RddContext, limits: StoreLimits) -> TextReceiverStore {
        let env = context.env();
        let warnings = Arc::new(Warnings { console: env.console.clone(), kept: Mutex::default() });
        let limit = LineLimit { bytes: limits.line_bytes_max, name: "Conf::line_bytes_max" };
        let lines = LineBlocks::new(source, context.blocks().clone(), warnings.clone(), limit);
        let state = State { lines, tracker: ReceivedBlockTracker::default(), block_bytes: 0 };
        TextReceiverStore { limits, clock: env.clock.clone(), warnings, state: Mutex::new(state) }
    }

    /// Takes in what was received. Waits while the store is full; once `stopped`, takes it in all the same, for it is
    /// the last. Whether to receive more.
    pub fn store(&self, bytes: &[u8], stopped: &dyn Fn() -> bool) -> bool {
        let has_room = || self.lock().block_bytes < self.limits.buffered_bytes_max;
        if !has_room() {
            self.clock.wait(None, &mut || stopped() || has_room());
        }
        self.take_in(bytes);
        self.warnings.pass_on();
        !stopped()
    }

    fn take_in(&self, bytes: &[u8]) {
        let state = &mut *self.lock();
        let State { lines, tracker, block_bytes } = state;
        lines.push(bytes, &mut |block| {
            *block_bytes += block.len();
            tracker.add_block(block);
        });
    }

    /// The stream has ended: what follows comes over a new connection, so an unfinished last line is a line.
    pub fn end_of_stream(&self) {
        let mut state = self.lock();
        let last = state.lines.finish();
        state.add(last);
        drop(state);
        self.warnings.pass_on();
    }

    /// Batch `time` gets the whole lines that came in so far.
    pub fn allocate(&self, time: Time) {
        let mut state = self.lock();
        let whole = state.lines.take_whole();
        state.add(whole);
        state.tracker.allocate_blocks_to_batch(time);
        drop(state);
        self.warnings.pass_on();
    }
    /// The blocks of batch `time`.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<Block> {
        self.lock().tracker.blocks_of_batch(time)
    }
    /// Whether something came in that no batch has.
    pub fn has_unallocated(&self) -> bool {
        let state = self.lock();
        state.tracker.has_unallocated_blocks() || state.lines.has_whole()
    }
    /// Batch `time` is done: its bytes make room.
    pub fn processed(&self, time: Time) {
        let done = {
            let mut state = self.lock();
            let done = state.tracker.forget_batch(time);
            state.block_bytes -= done.iter().map(Block::len).sum::<usize>();
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
