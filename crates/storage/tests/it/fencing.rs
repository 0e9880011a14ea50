//! Two processes on one journal, the one paused at every operation while the other works. What either was told is
//! committed is there in the end, once, and after the new one has begun the old one commits nothing.

use crate::support::{Event, both, history, open, recovered};
use headwater_core::ErrorKind;
use headwater_core::env::Storage;
use headwater_storage::{FaultPlan, FaultyStorage};
use std::sync::{Arc, Mutex};

type Committed = Arc<Mutex<Vec<u32>>>;

/// Opens, and commits events from `from` on, one by one, until `count` are committed or one is refused.
fn commit(storage: &(impl Storage + Clone + 'static), from: u32, count: u32, committed: &Committed) {
    let (journal, _) = match open(storage, "process") {
        Ok(opened) => opened,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}"),
    };
    // What it has read it may act on: that counts as committed as well.
    {
        let read = history(&journal);
        let committed = committed.lock().unwrap();
        assert!(committed.iter().all(|event| read.contains(event)), "{committed:?} was committed, {read:?} is read");
    }
    for event in from..from + count {
        journal.record(&Event(event)).unwrap();
        match journal.sync() {
            Ok(()) => committed.lock().unwrap().push(event),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}"),
        }
    }
}

fn assert_once(history: &[u32], committed: &[u32], what: &str) {
    let mut sorted = history.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), history.len(), "{what}: an event is there twice: {history:?}");
    let mut rest = history.iter();
    let in_order = committed.iter().all(|event| rest.any(|found| found == event));
    assert!(in_order, "{what}: {committed:?} was committed, {history:?} is there");
}

#[test]
fn an_old_process_commits_nothing_once_a_new_one_has_begun() {
    for files in both() {
        let operations = {
            let storage = FaultyStorage::new(files.copy(), FaultPlan::new(0));
            commit(&storage, 0, 8, &Committed::default());
            storage.operations()
        };
        for paused in 1..=operations {
            for seed in 0..3 {
                let what = format!("paused before operation {paused}");
                let committed = Committed::default();
                let disk = FaultyStorage::new(files.copy(), FaultPlan::new(seed));
                let (new, of_new) = (disk.process(FaultPlan::new(seed)), Arc::clone(&committed));
                let plan = FaultPlan::new(seed).before_operation(paused, move || commit(&new, 100, 8, &of_new));
                let old = disk.process(plan);
                commit(&old, 0, 8, &committed);
                let mut committed = committed.lock().unwrap().clone();
                let begun = committed.iter().position(|event| *event >= 100).unwrap_or_else(|| panic!("{what}"));
                if paused > 3 {
                    // The old one has its epoch, so the new one's is later. What the old one had committed when it was
                    // paused, and not yet told, is one sync.
                    let told_late = committed[begun..].iter().filter(|event| **event < 100).count();
                    assert!(told_late <= 1, "{what}: {committed:?}");
                    committed.sort_unstable();
                }
                assert_once(&recovered(&disk), &committed, &what);
                assert_once(&recovered(&old.crash()), &committed, &what);
            }
        }
    }
}

/// The new process is paused at each of its operations, and the old one goes on for a while.
#[test]
fn what_an_old_process_commits_while_a_new_one_begins_is_read_or_refused() {
    for files in both() {
        for paused in 1..60 {
            for count in 1..4 {
                let what = format!("the new one paused before operation {paused}, {count} more commits");
                let disk = FaultyStorage::new(files.copy(), FaultPlan::new(paused));
                let (journal, _) = open(&disk, "old").unwrap();
                let committed = Committed::default();
                let add = move |from: u32, count: u32, committed: &Committed| {
                    for event in from..from + count {
                        journal.record(&Event(event)).unwrap();
                        match journal.sync() {
                            Ok(()) => committed.lock().unwrap().push(event),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Fenced, "{error:?}"),
                        }
                    }
                };
                add(0, 5, &committed);
                let of_old = Arc::clone(&committed);
                let plan = FaultPlan::new(paused).before_operation(paused, move || add(5, count, &of_old));
                let new = disk.process(plan);
                let (journal, _) = open(&new, "new").unwrap_or_else(|error| panic!("{what}: {error}"));
                for event in 100..108 {
                    journal.record(&Event(event)).unwrap();
                    journal.sync().unwrap_or_else(|error| panic!("{what}: {error}"));
                    committed.lock().unwrap().push(event);
                }
                let mut committed = committed.lock().unwrap().clone();
                committed.sort_unstable();
                assert_once(&recovered(&disk), &committed, &what);
                assert_once(&recovered(&new.crash()), &committed, &what);
            }
        }
    }
}
