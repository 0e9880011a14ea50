//! A journal stays as small as its documentation says.

use crate::support::Event;
use headwater_core::Result;
use headwater_core::env::Storage;
use headwater_storage::{Fence, JOURNAL_SEGMENTS_MAX, Journal, JournalOptions, JournalState, MemoryStorage};
use std::sync::Arc;

/// A state of 1,000 numbers.
struct Slots(Vec<u32>);

impl JournalState for Slots {
    type Event = Event;
    fn apply(&mut self, event: &Event) {
        self.0[event.0 as usize % 1000] = event.0;
    }
    fn snapshot(&self) -> Vec<u8> {
        self.0.iter().flat_map(|slot| slot.to_le_bytes()).collect()
    }
    fn restore(bytes: &[u8]) -> Result<Slots> {
        Ok(Slots(bytes.chunks(4).map(|slot| u32::from_le_bytes(slot.try_into().unwrap())).collect()))
    }
}

/// Runs the batches; returns the largest size and the size by the formula.
fn largest(storage: &MemoryStorage, batches: u32, options: JournalOptions, snapshot_after: u64) -> (u64, u64) {
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let fence = Arc::new(Fence::take(Arc::clone(&shared), "fence", "test").unwrap());
    let (journal, _) = Journal::open(shared, "journal", options, fence, || Slots(vec![0; 1000])).unwrap();
    let mut largest = 0;
    for batch in 0..batches {
        journal.record(&Event(batch)).unwrap();
        journal.record(&Event(batch * 7)).unwrap();
        journal.sync().unwrap();
        if batch % 97 == 0 {
            largest = largest.max(storage.paths().iter().map(|(_, bytes)| bytes).sum());
        }
    }
    let (header, snapshot, group) = (51 + 4, 14 + 16 + 5 + 8 + 4000 + 4, 2 * 20);
    let log = snapshot_after.max(snapshot);
    (largest, 3 * snapshot + 2 * (log + group) + 2 * (JOURNAL_SEGMENTS_MAX + 2) * header)
}

#[test]
fn a_hundred_thousand_batches_leave_what_the_formula_says() {
    let (largest_size, bound) = largest(&MemoryStorage::new(), 100_000, JournalOptions::new("test"), 64 << 10);
    assert!(largest_size <= bound, "{largest_size} bytes, at most {bound} by the formula");
    assert!(largest_size > bound / 2, "the formula is not far off: {largest_size} of {bound}");
}

#[test]
fn so_it_is_on_a_store_without_append() {
    let options = JournalOptions::new("test").snapshot_after(5000);
    let (largest_size, bound) = largest(&MemoryStorage::new().without_append(), 20_000, options, 5000);
    assert!(largest_size <= bound, "{largest_size} bytes, at most {bound} by the formula");
}

#[test]
fn starts_without_work_do_not_make_it_grow() {
    let storage = MemoryStorage::new();
    for _ in 0..600 {
        largest(&storage, 0, JournalOptions::new("test"), 0);
    }
    let files = storage.paths().len() as u64;
    assert!(files <= 2 * (JOURNAL_SEGMENTS_MAX + 2), "{files} files");
}
