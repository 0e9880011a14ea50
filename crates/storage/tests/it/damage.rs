//! Bits that change on the disk, files that are gone: harmless, or found, or another copy is used, but never believed.

use crate::support::{History, JOURNAL, assert_prefix, both, history, open, open_with, options, run};
use headwater_core::ErrorKind;
use headwater_core::env::Storage;
use headwater_storage::{
    FaultPlan, FaultyStorage, JournalOptions, LogDamage, MemoryStorage, cut_journal, cut_log, find_journal_point,
};
use std::error::Error;
use std::sync::Arc;

/// A journal with two snapshots and segments before, between and behind them, and how many events it has.
fn journal(files: &MemoryStorage) -> (MemoryStorage, usize) {
    let storage = files.copy();
    let mut synced = 0;
    for _ in 0..2 {
        run(&open(&storage, "test").unwrap().0, 15, &mut synced).unwrap();
    }
    assert_eq!(files_of(&storage, ".snapshot").len(), 2);
    (storage, synced)
}

fn files_of(storage: &MemoryStorage, suffix: &str) -> Vec<String> {
    let names = storage.list(JOURNAL).unwrap().into_iter().map(|file| file.name);
    names.filter(|name| name.ends_with(suffix)).map(|name| format!("{JOURNAL}/{name}")).collect()
}

#[test]
fn no_changed_bit_is_believed() {
    for files in both() {
        let (storage, events) = journal(&files);
        let mut found = [0; 3];
        for (path, bytes) in storage.paths() {
            for bit in (0..bytes * 8).filter(|bit| bit / 8 % 8 == bit % 8) {
                let damaged = storage.copy();
                damaged.flip_bit(&path, bit);
                match open(&damaged, "test") {
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Data, "{path} bit {bit}: {error}");
                        assert!(error.to_string().contains(JOURNAL), "{error}");
                        found[0] += 1;
                    }
                    Ok((journal, recovery)) => {
                        let complete = history(&journal).len() == events;
                        assert_prefix(&history(&journal), 0, &path);
                        assert!(complete || recovery.torn.is_some(), "{path} bit {bit}: {recovery:?}");
                        found[if complete { 1 } else { 2 }] += 1;
                    }
                }
            }
        }
        let [detected, harmless, torn] = found;
        assert!(detected > 0 && harmless > 0);
        assert_eq!(torn > 0, storage.appends(), "only the end of a segment that grows can look torn");
    }
}

#[test]
fn a_damaged_journal_goes_on_behind_a_cut_and_nothing_is_deleted() {
    for files in both() {
        let (storage, events) = journal(&files);
        let mut cuts = 0;
        for (path, bytes) in storage.paths().into_iter().filter(|(path, _)| path.contains(JOURNAL)) {
            for damaged in (0..bytes).map(Some).chain([None]) {
                let storage = storage.copy();
                match damaged {
                    Some(byte) => storage.flip_bit(&path, byte * 8 + byte % 8),
                    None => storage.remove(&path).unwrap(),
                }
                let (before, shared) = (storage.copy(), Arc::new(storage.clone()) as Arc<dyn Storage>);
                let find =
                    |fits: &dyn Fn(&History) -> bool| find_journal_point(&shared, JOURNAL, History::default, fits);
                let point = find(&|_| true).unwrap().expect("there are two snapshots");
                let starts = open(&storage.copy(), "test").is_ok();
                assert_eq!(point.cut.is_none(), starts, "{damaged:?} of {path}");
                let Some(cut) = point.cut else { continue };
                cut_journal(&*shared, JOURNAL, cut, "aside").unwrap();
                for (path, _) in before.paths().into_iter().filter(|(path, _)| path.contains(JOURNAL)) {
                    let aside = path.replace(JOURNAL, "aside");
                    let kept = [&path, &aside].map(|at| storage.read(at).unwrap());
                    assert!(kept.contains(&before.read(&path).unwrap()), "{path} is there, or in the other folder");
                }
                let (journal, _) = open(&storage, "test").unwrap();
                assert_eq!(history(&journal), point.state.0, "{damaged:?} of {path}");
                assert_prefix(&history(&journal), 0, &path);
                cuts += 1;
            }
        }
        assert!(cuts > 0);
        // A state that must be older than all that is damaged.
        let shared: Arc<dyn Storage> = Arc::new(storage.clone());
        let find = |most: usize| {
            find_journal_point(&shared, JOURNAL, History::default, |state: &History| state.0.len() <= most).unwrap()
        };
        let point = find(events - 1).unwrap();
        assert_eq!((point.state.0.len(), point.cut.is_some()), (events - 1, true));
        assert_eq!(find(0), None, "the beginning was removed behind the second snapshot");
    }
}

#[test]
fn a_damaged_snapshot_is_replaced_by_the_one_before() {
    for files in both() {
        let (storage, events) = journal(&files);
        let [older, newest] = &files_of(&storage, ".snapshot")[..] else { panic!("two snapshots") };
        storage.flip_bit(newest, 300);
        let other = storage.copy();
        // With limits that ask for no snapshot by themselves.
        let (journal, recovery) = open_with(&storage, "test", JournalOptions::new("test")).unwrap();
        assert_prefix(&history(&journal), events, "fallback");
        assert!(recovery.warnings()[0].contains(newest), "{:?}", recovery.warnings());
        // There is a new one in its place at once, so that the next damage finds two again.
        let now = files_of(&storage, ".snapshot");
        assert!(now.len() == 2 && now[0] == *older && now[1] > *newest, "{now:?}");
        storage.flip_bit(&now[1], 300);
        assert_prefix(&history(&open(&storage, "test").unwrap().0), events, "again");
        // Both at once: the log before them is gone.
        other.flip_bit(older, 300);
        let error = open(&other, "test").err().expect("nothing to begin with");
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains(older) && error.to_string().contains(newest), "{error}");
    }
}

#[test]
fn before_the_second_snapshot_the_log_stands_in() {
    for files in both() {
        let storage = files.copy();
        let mut synced = 0;
        let journal = open(&storage, "test").unwrap().0;
        run(&journal, 4, &mut synced).unwrap();
        journal.snapshot().unwrap();
        run(&journal, 2, &mut synced).unwrap();
        storage.flip_bit(&files_of(&storage, ".snapshot")[0], 300);
        let (journal, recovery) = open(&storage, "test").unwrap();
        assert_prefix(&history(&journal), synced, "from the beginning");
        assert_eq!((recovery.snapshot, recovery.damaged_snapshots.len()), (None, 1));
    }
}

#[test]
fn a_folder_that_was_copied_in_part_is_refused() {
    for files in both() {
        let (storage, events) = journal(&files);
        let segments = files_of(&storage, ".log");
        let newest_snapshot: String = files_of(&storage, ".snapshot")[1].replace(".snapshot", ".log");
        for missing in &segments {
            let copied = storage.copy();
            copied.remove(missing).unwrap();
            let last = segments.last() == Some(missing) && *missing != newest_snapshot;
            match open(&copied, "test") {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Data);
                    assert!(error.to_string().contains("copied in part"), "{error}");
                }
                // Behind the newest snapshot only the last segment can be missing without a sign.
                Ok((journal, _)) => {
                    assert!(last || *missing < newest_snapshot);
                    assert_prefix(&history(&journal), if last { 0 } else { events }, missing);
                }
            }
        }
        let logs_only = storage.copy();
        files_of(&storage, ".snapshot").iter().for_each(|path| logs_only.remove(path).unwrap());
        assert!(open(&logs_only, "test").err().unwrap().to_string().contains("copied in part"));
        let snapshots_only = storage.copy();
        segments.iter().for_each(|path| snapshots_only.remove(path).unwrap());
        assert!(open(&snapshots_only, "test").err().unwrap().to_string().contains("copied in part"));
    }
}

#[test]
fn damage_offers_the_newest_good_point() {
    let storage = MemoryStorage::new();
    let mut synced = 0;
    let large = || JournalOptions::new("test");
    run(&open_with(&storage, "test", large()).unwrap().0, 12, &mut synced).unwrap();
    let path = &files_of(&storage, ".log")[0];
    storage.flip_bit(path, 8 * (51 + 4 + 5 * 20 + 3));
    let error = open_with(&storage, "test", large()).err().expect("damage in the middle");
    let damage = error.source().and_then(|source| source.downcast_ref::<LogDamage>()).expect("damage");
    assert_eq!((&damage.path, damage.records), (path, 5));
    let (segment, offset) = damage.good.unwrap();
    cut_log(&storage, JOURNAL, segment, offset).unwrap();
    assert_eq!(history(&open_with(&storage, "test", large()).unwrap().0), [0, 1, 2, 3, 4]);
}

#[test]
fn bits_that_are_written_wrong_are_not_believed_either() {
    for files in both() {
        let steps = {
            let storage = FaultyStorage::new(files.copy(), FaultPlan::new(0));
            run(&open(&storage, "test").unwrap().0, 15, &mut 0).unwrap();
            storage.steps()
        };
        for step in 1..=steps {
            for seed in 0..20 {
                let storage = FaultyStorage::new(files.copy(), FaultPlan::new(seed).flip_bit(step));
                let mut synced = 0;
                run(&open(&storage, "test").unwrap().0, 15, &mut synced).unwrap();
                if let Ok((journal, recovery)) = open(&storage, "test") {
                    let synced = if recovery.torn.is_some() { 0 } else { synced };
                    assert_prefix(&history(&journal), synced, &format!("step {step}, seed {seed}"));
                }
            }
        }
    }
}

#[test]
fn a_folder_of_another_application_is_refused() {
    for files in both() {
        let (storage, _) = journal(&files);
        let other = || JournalOptions::new("other");
        let error = open_with(&storage, "test", other()).err().expect("another application's");
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("belongs to the application `test`, not to `other`"), "{error}");
        files_of(&storage, ".snapshot").iter().for_each(|path| storage.remove(path).unwrap());
        let storage = files.copy();
        run(&open(&storage, "test").unwrap().0, 1, &mut 0).unwrap();
        assert_eq!(open_with(&storage, "test", other()).err().unwrap().kind(), ErrorKind::Program);
        let long = JournalOptions::new(&"x".repeat(256));
        assert_eq!(open_with(&files.copy(), "test", long).err().unwrap().kind(), ErrorKind::Program);
        assert!(open_with(&storage, "test", options()).is_ok());
    }
}

/// A snapshot whose preamble says version 2, with a right checksum.
#[test]
fn a_folder_of_a_newer_release_is_refused() {
    for files in both() {
        let (storage, _) = journal(&files);
        for path in [&files_of(&storage, ".snapshot")[1], files_of(&storage, ".log").last().unwrap()] {
            let newer = storage.copy();
            let mut bytes = newer.read(path).unwrap().unwrap();
            bytes[8] = 2;
            let checksum = crc32c::crc32c(&bytes[..10]).to_le_bytes();
            bytes[10..14].copy_from_slice(&checksum);
            newer.put(path, &bytes).unwrap();
            let error = open(&newer, "test").err().expect("a newer release's");
            assert_eq!(error.kind(), ErrorKind::Program);
            assert!(error.to_string().contains("a newer release of Headwater (format 2"), "{error}");
        }
    }
}
