//! [`BlockLog`]: one input's blocks in its write-ahead log: what is written becomes a block of the tracker when it is
//! durable, and a new process finds the blocks of its batches, and those that no batch has, again.

use super::allocated_blocks::AllocatedBlocks;
use super::block_record::BlockRecord;
use super::received_block::{BlockFormat, LoggedBlock};
use super::{BatchingWriter, ReceivedBlock, ReceivedBlockTracker, RecordHandle, WriteAheadLog};
use crate::env::{Clock, Console};
use crate::input::InputHost;
use crate::time::Time;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// The wait before a write that failed is tried again, which doubles each time up to the second of them.
const BACK_OFF: Duration = Duration::from_millis(250);
const BACK_OFF_MAX: Duration = Duration::from_secs(8);

/// The durable side of a receiver's store.
pub(super) struct BlockLog<B> {
    /// What errors call the input.
    source: String,
    clock: Arc<dyn Clock>,
    console: Arc<dyn Console>,
    log: Arc<dyn WriteAheadLog>,
    format: BlockFormat<B>,
    /// From the start on.
    running: OnceLock<Running<B>>,
    state: Mutex<State>,
}
struct Running<B> {
    writer: BatchingWriter<Entry<B>>,
    host: Arc<dyn InputHost>,
}
#[derive(Default)]
struct State {
    /// Of the batches that are not done.
    allocations: BTreeMap<Time, AllocatedBlocks>,
    /// The number of the first block that no batch has.
    until: u64,
    /// The durable block that was written last.
    newest: Option<RecordHandle>,
    /// Whether the last write failed, which was told then.
    is_failing: bool,
}

/// A block on its way into the log.
struct Entry<B> {
    number: u64,
    block: B,
    records: u64,
    note: Vec<u8>,
}
/// A block with what the receiver wants to remember behind it, as it becomes durable.
pub(super) struct NewBlock<'a, B> {
    pub(super) block: B,
    pub(super) content: &'a [u8],
    pub(super) records: u64,
    pub(super) note: Vec<u8>,
}
/// Takes over a block that is durable, and its note.
pub(super) type OnDurable<'a, B> = &'a mut dyn FnMut(ReceivedBlock<B>, &[u8]);

impl<B: Clone> BlockLog<B> {
    pub(super) fn new(
        source: String,
        (clock, console): (Arc<dyn Clock>, Arc<dyn Console>),
        log: Arc<dyn WriteAheadLog>,
        format: BlockFormat<B>,
    ) -> BlockLog<B> {
        let (running, state) = (OnceLock::new(), Mutex::default());
        BlockLog { source, clock, console, log, format, running, state }
    }

    /// Batch `time` was given this in an earlier process.
    pub(super) fn restore(&self, time: Time, allocation: &[u8]) -> Result<()> {
        let of_batch = |error: Error| error.within(format!("{}, batch {time}", self.source));
        let allocated = AllocatedBlocks::from_bytes(allocation).map_err(of_batch)?;
        let mut state = self.lock();
        let allocated = match state.allocations.remove(&time) {
            // The batch interval is a multiple of what it was: the blocks of both batches follow each other.
            Some(earlier) => {
                let AllocatedBlocks { until, records, note, .. } = allocated;
                AllocatedBlocks { until, records: earlier.records + records, note, ..earlier }
            }
            None => allocated,
        };
        state.allocations.insert(time, allocated);
        Ok(())
    }

    /// Reads the log: `tracker` gets the batches that were restored, and the blocks behind them. `note` is called with
    /// what was remembered behind the newest batch, and then with the notes of later blocks, in order. Returns warnings.
    pub(super) fn start(
        &self,
        host: Arc<dyn InputHost>,
        tracker: &mut ReceivedBlockTracker<ReceivedBlock<B>>,
        note: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<String>> {
        let of_source = |error: Error| error.within(format!("the received blocks of {}", self.source));
        let mut state = self.lock();
        let newest = state.allocations.last_key_value().map(|(_, newest)| newest.clone());
        let (until, from) = newest.as_ref().map_or((0, None), |newest| (newest.until, newest.from.as_ref()));
        newest.as_ref().map_or(Ok(()), |newest| note(&newest.note)).map_err(of_source)?;
        let mut found: BTreeMap<u64, ReceivedBlock<B>> = BTreeMap::new();
        let warnings = self.log.read_all(from, &mut |handle, bytes| {
            let record = BlockRecord::from_bytes(&bytes, self.format.kind)?;
            let number = record.number;
            match found.last_key_value().map(|(last, _)| *last) {
                // It was written again, since nobody knew that it was there.
                Some(last) if number <= last => return Ok(()),
                Some(last) if number > last + 1 => {
                    let message = format!("blocks {} to {} are missing in the log", last + 1, number - 1);
                    return Err(Error::new(ErrorKind::Data, message));
                }
                _ => {}
            }
            if number >= until {
                note(record.note)?;
            }
            state.newest = Some(handle.clone());
            found.insert(number, self.logged(None, Some(handle), number, record.records));
            Ok(())
        });
        let warnings = warnings.map_err(of_source)?;
        for (time, allocated) in &state.allocations {
            let mut blocks: Vec<_> =
                found.range(allocated.first..allocated.until).map(|(_, block)| block.clone()).collect();
            if (blocks.len() as u64) < allocated.until - allocated.first {
                // Whoever asks for the batch hears of it; nobody may.
                blocks.push(self.logged(None, None, allocated.first + blocks.len() as u64, 0));
            }
            tracker.restore_batch(*time, blocks);
        }
        let next = found.last_key_value().map_or(0, |(last, _)| last + 1).max(until);
        state.until = until;
        found.split_off(&until).into_values().for_each(|block| tracker.add_block(block));
        drop(state);
        let writer = BatchingWriter::starting_at(self.log.clone(), self.clock.clone(), next);
        // An input is started once.
        let _ = self.running.set(Running { writer, host });
        Ok(warnings)
    }

    /// Queues a block and makes it durable: see [`queue`](BlockLog::queue) and [`flush`](BlockLog::flush).
    pub(super) fn write(&self, new: NewBlock<'_, B>, stopped: &dyn Fn() -> bool, durable: OnDurable<'_, B>) -> bool {
        self.clock.wait(None, &mut || self.has_room() || stopped());
        match self.queue(new) {
            Ok(number) => self.flush(number, stopped, durable),
            Err(error) => {
                self.tell(error);
                false
            }
        }
    }
    /// Puts a block behind those that are queued; its number. Wakes nobody, so that a lock may be held.
    pub(super) fn queue(&self, new: NewBlock<'_, B>) -> Result<u64> {
        let NewBlock { block, content, records, note } = new;
        self.running()?.writer.push(|number| {
            let record = BlockRecord { number, records, note: &note, content };
            (record.to_bytes(self.format.kind), Entry { number, block, records, note })
        })
    }
    /// Makes the block of this number durable; `durable` is called for it and for others that become so along with it.
    /// While that fails it is tried again, until `stopped`; whether it is durable then. One that is not stays queued.
    pub(super) fn flush(&self, number: u64, stopped: &dyn Fn() -> bool, durable: OnDurable<'_, B>) -> bool {
        let mut back_off = BACK_OFF;
        loop {
            match self.flush_once(number, durable) {
                Ok(()) => return true,
                Err(ErrorKind::Fenced) => return false,
                Err(_) if self.clock.wait(Some(self.clock.now() + back_off), &mut || stopped()) => return false,
                Err(_) => back_off = (2 * back_off).min(BACK_OFF_MAX),
            }
        }
    }
    /// One attempt, whose error is told.
    pub(super) fn flush_once(&self, number: u64, durable: OnDurable<'_, B>) -> Result<(), ErrorKind> {
        let flushed = self.running().and_then(|running| running.writer.flush(number, &mut self.on_durable(durable)));
        flushed.map_err(|error| self.failed(error))
    }
    /// One attempt to write what is queued, unless somebody is about it.
    pub(super) fn try_flush(&self, durable: OnDurable<'_, B>) {
        let flushed = self.running().and_then(|running| running.writer.try_flush(&mut self.on_durable(durable)));
        if let Err(error) = flushed {
            self.failed(error);
        }
    }
    /// Whether there is something that is not durable yet.
    pub(super) fn has_queued(&self) -> bool {
        self.running.get().is_some_and(|running| running.writer.has_queued())
    }
    /// Whether the queue takes a block.
    pub(super) fn has_room(&self) -> bool {
        self.running.get().is_none_or(|running| running.writer.has_room())
    }
    /// The input cannot go on as it should, and says so.
    pub(super) fn report(&self, error: Error) {
        if let Some(running) = self.running.get() {
            running.host.report_error(error.within(&self.source));
        }
    }

    /// Batch `time` was given its blocks; `note` is what the receiver remembers behind them.
    pub(super) fn allocated(&self, time: Time, tracker: &ReceivedBlockTracker<ReceivedBlock<B>>, note: Vec<u8>) {
        let mut state = self.lock();
        if state.allocations.contains_key(&time) {
            return;
        }
        let blocks = tracker.blocks_of_batch(time);
        let first = state.until;
        state.until += blocks.len() as u64;
        let oldest = tracker.oldest().and_then(|block| block.logged.as_ref()?.handle.clone());
        let from = oldest.or_else(|| state.newest.clone());
        let records = blocks.iter().filter_map(|block| block.records).sum();
        let until = state.until;
        state.allocations.insert(time, AllocatedBlocks { first, until, records, from, note });
    }
    /// What batch `time` has, for a journal.
    pub(super) fn allocation(&self, time: Time) -> Option<Vec<u8>> {
        self.lock().allocations.get(&time).map(AllocatedBlocks::to_bytes)
    }
    /// How many records batch `time` has.
    pub(super) fn records_of_batch(&self, time: Time) -> u64 {
        self.lock().allocations.get(&time).map_or(0, |allocated| allocated.records)
    }
    /// Batch `time` is done, and a journal has its allocation: what nobody needed when it was made may go.
    pub(super) fn processed(&self, time: Time) {
        let from = self.lock().allocations.remove(&time).and_then(|allocated| allocated.from);
        let Some(from) = from else { return };
        if let Err(error) = self.log.clean(&from) {
            let source = &self.source;
            self.console.warn(&format!("{source}: old received blocks stay for now, and are removed later: {error}"));
        }
    }

    fn running(&self) -> Result<&Running<B>> {
        self.running
            .get()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a log is written before its input is started"))
    }
    /// Who was replaced gives up.
    fn failed(&self, error: Error) -> ErrorKind {
        let kind = error.kind();
        if let (ErrorKind::Fenced, Some(running)) = (kind, self.running.get()) {
            running.writer.close();
        }
        self.tell(error);
        kind
    }
    fn on_durable(&self, durable: OnDurable<'_, B>) -> impl FnMut(RecordHandle, Entry<B>) {
        move |handle, entry| {
            {
                let mut state = self.lock();
                state.newest = Some(handle.clone());
                state.is_failing = false;
            }
            let Entry { number, block, records, note } = entry;
            durable(self.logged(Some(block), Some(handle), number, records), &note);
        }
    }
    fn logged(&self, held: Option<B>, handle: Option<RecordHandle>, number: u64, records: u64) -> ReceivedBlock<B> {
        let logged = LoggedBlock { log: self.log.clone(), handle, number, format: self.format };
        ReceivedBlock { held, logged: Some(Arc::new(logged)), records: Some(records) }
    }
    /// Tells of a write that failed, once until one has worked.
    pub(super) fn tell(&self, error: Error) {
        if !std::mem::replace(&mut self.lock().is_failing, true) {
            self.report(error.within("received blocks are not durable, and nothing is acknowledged"));
        }
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
