//! [`RecordReceiverStore`]: where a receiver of typed records puts them and a batch finds them as blocks.

use super::ReceivedBlockTracker;
use crate::env::Clock;
use crate::time::Time;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records of a block at most: what a batch has beyond it becomes a block of its own, and so can be a task of its own.
const BLOCK_RECORDS: usize = 1 << 16;

/// Records in the order in which they were received.
pub type RecordBlock<T> = Arc<Vec<T>>;

/// The records that one receiver has taken in.
pub struct RecordReceiverStore<T> {
    /// Records that are received and not yet processed; at the limit the receiver waits.
    records_max: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State<T>>,
}
struct State<T> {
    open: Vec<T>,
    tracker: ReceivedBlockTracker<RecordBlock<T>>,
    /// Records of the open block and of blocks whose batch is not done.
    records: usize,
}

impl<T> State<T> {
    fn close_block(&mut self) {
        if !self.open.is_empty() {
            self.tracker.add_block(Arc::new(std::mem::take(&mut self.open)));
        }
    }
}

impl<T> RecordReceiverStore<T> {
    /// An empty store that holds `records_max` records at most.
    pub fn new(records_max: usize, clock: Arc<dyn Clock>) -> RecordReceiverStore<T> {
        let state = State { open: Vec::new(), tracker: ReceivedBlockTracker::default(), records: 0 };
        RecordReceiverStore { records_max, clock, state: Mutex::new(state) }
    }

    /// Waits until there is room for a record, or for `stopped`.
    pub fn wait_for_room(&self, stopped: &dyn Fn() -> bool) {
        let has_room = || self.lock().records < self.records_max;
        if !has_room() {
            self.clock.wait(None, &mut || stopped() || has_room());
        }
    }
    /// Takes in a record; whether there is room for another.
    pub fn store(&self, record: T) -> bool {
        let mut state = self.lock();
        state.open.push(record);
        state.records += 1;
        if state.open.len() == BLOCK_RECORDS {
            state.close_block();
        }
        state.records < self.records_max
    }

    /// Batch `time` gets the records that came in so far.
    pub fn allocate(&self, time: Time) {
        let mut state = self.lock();
        state.close_block();
        state.tracker.allocate_blocks_to_batch(time);
    }
    /// The blocks of batch `time`.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<RecordBlock<T>> {
        self.lock().tracker.blocks_of_batch(time)
    }
    /// Whether something came in that no batch has.
    pub fn has_unallocated(&self) -> bool {
        let state = self.lock();
        !state.open.is_empty() || state.tracker.has_unallocated_blocks()
    }
    /// Records that no finished batch had.
    pub fn unprocessed(&self) -> usize {
        self.lock().records
    }
    /// Batch `time` is done: its records make room.
    pub fn processed(&self, time: Time) {
        let done = {
            let mut state = self.lock();
            let done = state.tracker.forget_batch(time);
            state.records -= done.iter().map(|block| block.len()).sum::<usize>();
            done
        };
        if !done.is_empty() {
            self.clock.notify();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::ManualClock;

    #[test]
    fn a_batch_gets_what_came_before_it_in_blocks_of_bounded_size() {
        let store = RecordReceiverStore::new(usize::MAX, Arc::new(ManualClock::new(Time::from_millis(0))));
        let (first, second) = (Time::from_millis(1000), Time::from_millis(2000));
        assert!((0..BLOCK_RECORDS + 2).all(|record| store.store(record)));
        store.allocate(first);
        store.store(7);
        let sizes = |time| store.blocks_of_batch(time).iter().map(|block| block.len()).collect::<Vec<_>>();
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
        let store = RecordReceiverStore::new(2, Arc::new(ManualClock::new(Time::from_millis(0))));
        let time = Time::from_millis(1000);
        assert_eq!([store.store(1), store.store(2)], [true, false]);
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
