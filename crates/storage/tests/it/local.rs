//! The local disk: what dead processes leave, what several processes do at once, and what it refuses.
#![allow(clippy::disallowed_methods, reason = "a test's own files")]

use crate::support::{Event, Folder, History, history, options};
use headwater_core::ErrorKind;
use headwater_core::env::Storage;
use headwater_storage::{Fence, Journal, LocalStorage};
use std::fs::{self, File};
use std::sync::Arc;
use std::thread;

#[test]
fn what_a_dead_process_left_is_not_listed_and_goes() {
    let folder = Folder::new();
    let storage = LocalStorage::new();
    storage.put(&folder.path("a"), b"a").unwrap();
    fs::write(folder.path(".b.1-0.tmp"), "half").unwrap();
    let alive = File::create(folder.path(".c.2-0.tmp")).unwrap();
    alive.lock().unwrap();
    let names = |storage: &LocalStorage| -> Vec<String> {
        storage.list(&folder.path("")).unwrap().into_iter().map(|file| file.name).collect()
    };
    assert_eq!(names(&storage), ["a"]);
    assert!(LocalStorage::new().put_new(&folder.path("b"), b"b").unwrap());
    assert_eq!(names(&storage), ["a", "b"]);
    let left: Vec<_> = fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "the file of the process that lives stays: {left:?}");
}

/// No other test here has relative paths.
#[test]
fn a_program_that_changes_its_folder_has_its_files_where_they_were() {
    let folder = Folder::new();
    let (here, there) = (folder.path("here"), folder.path("there"));
    [&here, &there].into_iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
    let before = std::env::current_dir().unwrap();
    std::env::set_current_dir(&here).unwrap();
    let storage = LocalStorage::new();
    storage.put("run/a", b"a").unwrap();
    std::env::set_current_dir(&there).unwrap();
    let names: Vec<String> = storage.list("run").unwrap().into_iter().map(|file| file.name).collect();
    let mut log = storage.append("run/log").unwrap();
    log.append(b"one").and_then(|()| log.sync()).unwrap();
    std::env::set_current_dir(before).unwrap();
    assert_eq!((names, storage.read("run/a").unwrap()), (vec!["a".to_owned()], Some(b"a".to_vec())));
    assert_eq!(fs::read(format!("{here}/run/log")).unwrap(), b"one");
}

#[test]
fn of_many_threads_that_create_a_file_one_wins() {
    let folder = Folder::new();
    for round in 0..10 {
        let path = &folder.path(&format!("round-{round}/file"));
        let won = thread::scope(|scope| {
            let threads: Vec<_> = (0..8u8)
                .map(|number| scope.spawn(move || LocalStorage::new().put_new(path, &[number; 1000]).unwrap()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
        let winner = won.iter().position(|won| *won).unwrap() as u8;
        assert_eq!(fs::read(path).unwrap(), [winner; 1000]);
        assert_eq!(fs::read_dir(folder.path(&format!("round-{round}"))).unwrap().count(), 1, "nothing else is left");
    }
}

#[test]
fn a_journal_survives_its_process() {
    let folder = Folder::new();
    let mut expected = Vec::new();
    for process in 0..5u32 {
        let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new());
        let fence = Fence::take(Arc::clone(&storage), &folder.path("fence"), "test").unwrap();
        let opened = Journal::open(storage, &folder.path("journal"), options(), Arc::new(fence), History::default);
        let (journal, recovery) = opened.unwrap();
        assert_eq!(recovery.warnings(), [""; 0]);
        assert_eq!(history(&journal), expected);
        for event in process * 10..process * 10 + 10 {
            journal.record(&Event(event)).unwrap();
            journal.sync().unwrap();
            expected.push(event);
        }
    }
}

#[test]
fn a_folder_that_is_removed_under_a_running_program_is_noticed() {
    let folder = Folder::new();
    let storage: Arc<dyn Storage> = Arc::new(LocalStorage::new());
    let fence = Fence::take(Arc::clone(&storage), &folder.path("fence"), "test").unwrap();
    let (journal, _) =
        Journal::open(storage, &folder.path("journal"), options(), Arc::new(fence), History::default).unwrap();
    journal.record(&Event(1)).unwrap();
    journal.sync().unwrap();
    fs::remove_dir_all(folder.path("")).unwrap();
    for _ in 0..3 {
        journal.record(&Event(2)).unwrap();
        let error = journal.sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("was removed while it was in use"), "{error}");
    }
}

#[test]
fn what_the_disk_refuses_is_said() {
    let folder = Folder::new();
    let storage = LocalStorage::new();
    storage.put(&folder.path("file"), b"").unwrap();
    let error = storage.put(&folder.path("file/below"), b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Program);
    assert!(error.to_string().contains("a file and a folder have the same name"), "{error}");
    let name = folder.path(&"x".repeat(300));
    let error = storage.put(&name, b"").unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot write {name}")), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_limit_that_was_reached() {
    if fs::exists("/dev/full").unwrap() {
        let mut file = LocalStorage::new().append("/dev/full").unwrap();
        let error = file.append(b"text").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Resources);
        assert!(error.to_string().contains("/dev/full: the disk is full"), "{error}");
        let again = file.append(b"text").unwrap_err();
        assert!(again.to_string().contains("an earlier write to it failed"), "{again}");
    }
}
