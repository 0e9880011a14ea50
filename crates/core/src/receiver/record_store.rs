//! [`RecordReceiverStore`]: where a receiver of typed records puts them and a batch finds them as blocks. Where the
//! application is durable, records are in a log before a batch has them.

use super::block_log::{BlockLog, NewBlock};
use super::block_record::BlockKind;
use super::received_block::{BlockFormat, decode_records, encode_record, records_head};
use super::{ReceivedBlock, ReceivedBlockTracker, ReceiverStore, WriteAheadLog};
use crate::env::{Clock, Console, Env};
use crate::input::{InputHost, Unprocessed};
use crate::time::Time;
use crate::{Data, Result};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Records of a block at most: what a batch has beyond it becomes a block of its own, and so can be a task of its own.
const BLOCK_RECORDS: usize = 1 << 16;

/// Bytes of a block in a log at most, beside those of its last record.
const BLOCK_BYTES: usize = 4 << 20;

/// Records in the order in which they were received.
pub type RecordBlock<T> = Arc<Vec<T>>;

/// The records that one receiver has taken in.
///
/// ```
/// use headwater::receiver::{ReceiverStore, RecordReceiverStore};
/// use headwater::{prelude::*, rdd::record_blocks, testkit};
/// let store = RecordReceiverStore::new("a test", 2, &testkit::TestEnv::new().env());
/// assert_eq!([store.store(7, &|| false), store.store(8, &|| false)], [true, false]);
/// store.allocate(Time::from_millis(1000));
/// let blocks = store.blocks_of_batch(Time::from_millis(1000));
/// assert_eq!(record_blocks(&testkit::context(), blocks).collect()?, [7, 8]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct RecordReceiverStore<T> {
    source: String,
    /// Records that are received and not yet processed; at the limit the receiver waits.
    records_max: usize,
    clock: Arc<dyn Clock>,
    console: Arc<dyn Console>,
    state: Mutex<State<T>>,
    /// Where the application is durable.
    log: OnceLock<BlockLog<RecordBlock<T>>>,
}
struct State<T> {
    open: Vec<T>,
    /// The records of the open block for the log, if there is one, behind room for their head.
    encoded: Vec<u8>,
    tracker: ReceivedBlockTracker<ReceivedBlock<RecordBlock<T>>>,
    /// Records in memory: of the open block and of blocks whose batch is not done.
    records: usize,
}

impl<T> State<T> {
    /// The records of the open block, and their content for the log.
    fn close_block(&mut self) -> Option<(RecordBlock<T>, Vec<u8>)> {
        if self.open.is_empty() {
            return None;
        }
        let (records, mut content) = (std::mem::take(&mut self.open), std::mem::take(&mut self.encoded));
        let head = records_head(records.len());
        if let Some(room) = content.get_mut(..head.len()) {
            room.copy_from_slice(&head);
        }
        Some((Arc::new(records), content))
    }
    fn close_in_memory(&mut self) {
        if let Some((records, _)) = self.close_block() {
            self.tracker.add_block(records.into());
        }
    }
}

impl<T: Data> RecordReceiverStore<T> {
    /// An empty store, for what errors call `source`, that holds `records_max` records at most.
    pub fn new(source: impl Into<String>, records_max: usize, env: &Env) -> RecordReceiverStore<T> {
        RecordReceiverStore::with_world(source.into(), records_max, env.clock.clone(), env.console.clone())
    }
    fn with_world(
        source: String,
        records_max: usize,
        clock: Arc<dyn Clock>,
        console: Arc<dyn Console>,
    ) -> RecordReceiverStore<T> {
        let (open, encoded, tracker) = (Vec::new(), Vec::new(), ReceivedBlockTracker::default());
        let state = Mutex::new(State { open, encoded, tracker, records: 0 });
        RecordReceiverStore { source, records_max, clock, console, state, log: OnceLock::new() }
    }

    /// Waits until there is room for a record, or for `stopped`.
    pub fn wait_for_room(&self, stopped: &dyn Fn() -> bool) {
        let has_room = || self.has_room(self.lock().records);
        if !has_room() {
            self.clock.wait(None, &mut || stopped() || has_room());
        }
    }
    fn has_room(&self, records: usize) -> bool {
        records < self.records_max && self.log.get().is_none_or(BlockLog::has_room)
    }
    /// Takes in a record; whether there is room for another. Where there is a log, one whose `Serialize` fails is dropped
    /// with an error, and a full block is written at once, which is tried until it has worked or `stopped` is true.
    pub fn store(&self, record: T, stopped: &dyn Fn() -> bool) -> bool {
        let Some(log) = self.log.get() else { return self.store_in_memory(record) };
        let mut encoded = Vec::new();
        if let Err(error) = encode_record(&record, &mut encoded) {
            log.report(error);
            return true;
        }
        let (queued, has_room) = {
            let mut state = self.lock();
            if state.encoded.is_empty() {
                state.encoded.extend(records_head(0));
            }
            state.encoded.extend(encoded);
            state.open.push(record);
            state.records += 1;
            let is_full = state.open.len() == BLOCK_RECORDS || state.encoded.len() >= BLOCK_BYTES;
            (if is_full { self.queue_open(log, &mut state) } else { None }, self.has_room(state.records))
        };
        match queued {
            None => {}
            Some(Ok(number)) => drop(log.flush(number, stopped, &mut |block, _| self.durable(block))),
            Some(Err(error)) => log.tell(error),
        }
        has_room
    }
    fn store_in_memory(&self, record: T) -> bool {
        let mut state = self.lock();
        state.open.push(record);
        state.records += 1;
        if state.open.len() == BLOCK_RECORDS {
            state.close_in_memory();
        }
        state.records < self.records_max
    }
    /// Queues the open block, if it has records; the caller holds the lock, so that no later record is before these.
    fn queue_open(&self, log: &BlockLog<RecordBlock<T>>, state: &mut State<T>) -> Option<Result<u64>> {
        let (block, content) = state.close_block()?;
        let records = block.len() as u64;
        Some(log.queue(NewBlock { block, content: &content, records, note: Vec::new() }))
    }

    /// The blocks of batch `time`.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<ReceivedBlock<RecordBlock<T>>> {
        self.lock().tracker.blocks_of_batch(time)
    }

    fn durable(&self, block: ReceivedBlock<RecordBlock<T>>) {
        self.lock().tracker.add_block(block);
    }
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Data> ReceiverStore for RecordReceiverStore<T> {
    fn keep_in(&self, log: Arc<dyn WriteAheadLog>) {
        let world = (self.clock.clone(), self.console.clone());
        let format = BlockFormat { kind: BlockKind::Records, decode: decode_records::<T> };
        // An input is told once.
        let _ = self.log.set(BlockLog::new(self.source.clone(), world, log, format));
    }
    fn restore(&self, time: Time, allocation: &[u8]) -> Result<()> {
        super::kept(self.log.get(), &self.source)?.restore(time, allocation)
    }
    fn start(&self, host: Arc<dyn InputHost>) -> Result<()> {
        let Some(log) = self.log.get() else { return Ok(()) };
        let warnings = log.start(host, &mut self.lock().tracker, &mut |_| Ok(()))?;
        warnings.iter().for_each(|warning| self.console.warn(warning));
        Ok(())
    }
    fn allocate(&self, time: Time) {
        let Some(log) = self.log.get() else {
            let mut state = self.lock();
            state.close_in_memory();
            state.tracker.allocate_blocks_to_batch(time);
            return;
        };
        // Without room the open block stays open: the receiver waits, and what is queued is tried again.
        let queued = if log.has_room() { self.queue_open(log, &mut self.lock()) } else { None };
        let durable = &mut |block, _: &[u8]| self.durable(block);
        match queued {
            None => log.try_flush(durable),
            // The error is told; these records stay for a later batch.
            Some(Ok(number)) => drop(log.flush_once(number, durable)),
            Some(Err(error)) => log.tell(error),
        }
        let mut state = self.lock();
        state.tracker.allocate_blocks_to_batch(time);
        log.allocated(time, &state.tracker, Vec::new());
    }
    fn allocation(&self, time: Time) -> Option<Vec<u8>> {
        self.log.get()?.allocation(time)
    }
    fn records_of_batch(&self, time: Time) -> u64 {
        match self.log.get() {
            Some(log) => log.records_of_batch(time),
            None => self.blocks_of_batch(time).iter().map(|block| held(block) as u64).sum(),
        }
    }
    fn has_unallocated(&self) -> bool {
        let is_queued = self.log.get().is_some_and(BlockLog::has_queued);
        let state = self.lock();
        is_queued || !state.open.is_empty() || state.tracker.has_unallocated_blocks()
    }
    fn unprocessed(&self) -> Unprocessed {
        Unprocessed::new(self.lock().records, "records")
    }
    fn processed(&self, time: Time) {
        let done = {
            let mut state = self.lock();
            let done = state.tracker.forget_batch(time);
            state.records -= done.iter().map(held).sum::<usize>();
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

/// Records in memory.
fn held<T>(block: &ReceivedBlock<RecordBlock<T>>) -> usize {
    block.held.as_ref().map_or(0, |records| records.len())
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

    fn store(records_max: usize) -> RecordReceiverStore<usize> {
        let clock = Arc::new(ManualClock::new(Time::from_millis(0)));
        RecordReceiverStore::with_world("a test".to_owned(), records_max, clock, Arc::new(Silent))
    }

    #[test]
    fn a_batch_gets_what_came_before_it_in_blocks_of_bounded_size() {
        let store = store(usize::MAX);
        let (first, second) = (Time::from_millis(1000), Time::from_millis(2000));
        assert!((0..BLOCK_RECORDS + 2).all(|record| store.store(record, &|| false)));
        store.allocate(first);
        store.store(7, &|| false);
        let sizes = |time| store.blocks_of_batch(time).iter().map(held).collect::<Vec<_>>();
        assert_eq!(sizes(first), [BLOCK_RECORDS, 2]);
        assert!(store.has_unallocated());
        store.allocate(second);
        assert!(!store.has_unallocated());
        assert_eq!(sizes(second), [1]);
        store.processed(first);
        assert_eq!((sizes(first), store.lock().records), (vec![], 1));
    }

    #[test]
    fn a_full_store_waits_for_a_batch_to_be_done_or_for_the_stop() {
        let store = store(2);
        let time = Time::from_millis(1000);
        assert_eq!([store.store(1, &|| false), store.store(2, &|| false)], [true, false]);
        store.wait_for_room(&|| true);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| store.wait_for_room(&|| false));
            store.allocate(time);
            store.processed(time);
            waiting.join().unwrap();
        });
        assert_eq!(store.lock().records, 0);
    }
}
