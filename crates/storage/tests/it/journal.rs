//! What a journal does for its callers when nothing goes wrong.

use crate::support::{Event, History, both, history, open, open_with, recovered, run};
use headwater_core::ErrorKind;
use headwater_core::Result;
use headwater_core::env::Storage;
use headwater_storage::{
    FaultPlan, FaultyStorage, Fence, JOURNAL_UNSYNCED_BYTES_MAX, Journal, JournalEvent, JournalOptions, JournalState,
    LOG_RECORD_BYTES_MAX, MemoryStorage,
};
use std::sync::{Arc, OnceLock};
use std::thread;

#[test]
fn a_snapshot_spares_the_next_start_its_events() {
    for storage in both() {
        let (journal, _) = open_with(&storage, "test", JournalOptions::new("test")).unwrap();
        run(&journal, 9, &mut 0).unwrap();
        let (journal, recovery) = open_with(&storage, "test", JournalOptions::new("test")).unwrap();
        assert_eq!((recovery.events, recovery.snapshot), (history(&journal).len() as u64, None));
        journal.snapshot().unwrap();
        let (_, recovery) = open_with(&storage, "test", JournalOptions::new("test")).unwrap();
        assert_eq!(recovery.events, 0);
        assert!(recovery.snapshot.is_some());
    }
}

#[test]
fn threads_record_while_others_sync() {
    let storage = MemoryStorage::new();
    let (journal, _) = open(&storage, "test").unwrap();
    thread::scope(|scope| {
        for first in 0..4u32 {
            let journal = &journal;
            scope.spawn(move || {
                for event in 0..200 {
                    journal.record(&Event(first * 1000 + event)).unwrap();
                    journal.sync().unwrap();
                }
            });
        }
    });
    let found = recovered(&storage);
    assert_eq!(found, history(&journal));
    for first in 0..4u32 {
        let of_thread: Vec<u32> = found.iter().copied().filter(|event| event / 1000 == first).collect();
        assert_eq!(of_thread, (first * 1000..first * 1000 + 200).collect::<Vec<_>>());
    }
}

#[test]
fn what_is_recorded_during_a_sync_is_in_the_next_one_and_in_no_snapshot_before() {
    for files in both() {
        for operation in 1.. {
            let shared = Arc::new(OnceLock::<Journal<History>>::new());
            let hook = Arc::clone(&shared);
            let plan = FaultPlan::new(operation).before_operation(operation, move || {
                hook.get().into_iter().for_each(|journal| journal.record(&Event(1)).unwrap());
            });
            let storage = FaultyStorage::new(files.copy(), plan);
            let (journal, _) = open(&storage, "test").unwrap();
            let journal = shared.get_or_init(|| journal);
            let opened = storage.operations();
            journal.record(&Event(0)).unwrap();
            journal.snapshot().unwrap();
            let synced = storage.operations();
            assert_eq!(recovered(&storage.process(FaultPlan::new(0)).crash()), [0]);
            if operation > synced {
                break;
            }
            if operation > opened {
                assert_eq!(history(journal), [0, 1]);
                journal.sync().unwrap();
                assert_eq!(recovered(&storage.crash()), [0, 1]);
            }
        }
    }
}

/// Of so many bytes.
struct Blob(usize);

/// The sum of the lengths of its events.
#[derive(Default)]
struct Lengths(u64);

impl JournalEvent for Blob {
    fn encode(&self) -> Vec<u8> {
        vec![0; self.0]
    }
    fn decode(bytes: &[u8]) -> Result<Blob> {
        Ok(Blob(bytes.len()))
    }
}
impl JournalState for Lengths {
    type Event = Blob;
    fn apply(&mut self, event: &Blob) {
        self.0 += event.0 as u64;
    }
    fn snapshot(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }
    fn restore(bytes: &[u8]) -> Result<Lengths> {
        Ok(Lengths(u64::from_le_bytes(bytes.try_into().unwrap())))
    }
}

#[test]
fn what_waits_for_a_sync_is_bounded() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let fence = Arc::new(Fence::take(Arc::clone(&storage), "fence", "test").unwrap());
    let (journal, _) = Journal::open(storage, "journal", JournalOptions::new("test"), fence, Lengths::default).unwrap();
    let (events, length) = (16, JOURNAL_UNSYNCED_BYTES_MAX / 16 - 16);
    (0..events).for_each(|_| journal.record(&Blob(length as usize)).unwrap());
    for refused in [0, LOG_RECORD_BYTES_MAX + 1] {
        let error = journal.record(&Blob(refused)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resources);
        assert!(error.to_string().contains("wait for a sync"), "{error}");
    }
    journal.sync().unwrap();
    journal.record(&Blob(1)).unwrap();
    assert_eq!(journal.read(|lengths| lengths.0), events * length + 1);
}

#[test]
fn other_files_in_the_folder_are_left_alone() {
    for storage in both() {
        for name in ["notes.txt", "1.log", "00000000000000000001.log.bak", "x.snapshot"] {
            storage.put(&format!("run/journal/{name}"), b"mine").unwrap();
        }
        run(&open(&storage, "test").unwrap().0, 30, &mut 0).unwrap();
        assert!(recovered(&storage).len() >= 30);
        assert_eq!(storage.paths().iter().filter(|(_, bytes)| *bytes == 4).count(), 4);
    }
}
