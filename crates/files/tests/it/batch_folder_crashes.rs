//! Batches in folders, when processes end, disks fail and processes overtake each other at every step.

use crate::lives::{Application, BATCHES, bytes_of, disk_fails_at_any_step, numbers_of};
use crate::simulated_disk::{Crash, Fault, SimulatedDisk};
use headwater::ErrorKind;
use headwater::env::FileSystem;
use headwater_files::FileSink;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

fn application() -> Application {
    Application::new(|| Box::new(FileSink::text("out/numbers")))
}

/// The batches that a reader sees now. Each is whole, or this panics.
fn seen(disk: &SimulatedDisk) -> BTreeMap<u64, Vec<u64>> {
    let files = disk.process(None);
    let folders = if files.exists("out").unwrap() { files.list("out").unwrap() } else { Vec::new() };
    let mut seen = BTreeMap::new();
    for folder in folders.into_iter().filter(|folder| !folder.name.starts_with(['_', '.'])) {
        let path = format!("out/{}", folder.name);
        let names: Vec<_> = files.list(&path).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [".headwater", "_SUCCESS", "part-00000", "part-00001"], "{path}");
        let text = [0, 1].map(|part| bytes_of(&files, &format!("{path}/part-0000{part}"))).concat();
        let numbers = String::from_utf8(text).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        let batch = folder.name.strip_prefix("numbers-").unwrap().parse::<u64>().unwrap() / 1000;
        assert_eq!(&numbers, &numbers_of(batch), "{path}");
        seen.insert(batch, numbers);
    }
    seen
}
#[track_caller]
fn all_are_seen(disk: &SimulatedDisk, context: &str) {
    assert!(seen(disk).into_keys().eq(1..=BATCHES), "{context}");
}
/// What a reader gets who takes all folders away but the newest.
fn take(disk: &SimulatedDisk) -> Vec<u64> {
    let mut taken: Vec<u64> = seen(disk).into_keys().collect();
    taken.pop();
    let files = disk.process(None);
    taken.iter().for_each(|batch| files.remove_folder(&format!("out/numbers-{batch}000")).unwrap());
    taken
}
/// How many steps a process makes that meets no fault.
fn all_steps() -> u64 {
    let application = application();
    let (files, ended) = application.live(None, 1);
    ended.unwrap();
    all_are_seen(&application.disk, "without a fault");
    files.steps()
}

#[test]
fn a_process_that_ends_at_any_step_loses_and_doubles_nothing() {
    for step in 1..=all_steps() {
        for crash in [Crash::OfProcess, Crash::OfMachine, Crash::BetweenNamesAndBytes] {
            for fault in [Fault::CrashBefore, Fault::CrashAfter] {
                let application = application();
                let (files, _) = application.live(Some((step, fault)), 1);
                assert!(files.has_ended(), "step {step}");
                application.disk.crash(crash);
                let (noted, left) = (application.journal.load(Ordering::SeqCst), seen(&application.disk));
                assert!((1..=noted).all(|batch| left.contains_key(&batch)), "{crash:?} at {step}: {noted} of {left:?}");
                application.live(None, 1).1.unwrap();
                all_are_seen(&application.disk, &format!("{crash:?} at {step}"));
            }
        }
    }
}

#[test]
fn a_second_process_may_end_at_any_step_too() {
    let steps = all_steps();
    for first in (1..=steps).step_by(5) {
        for second in 1..=steps {
            let application = application();
            for step in [first, second] {
                let _ended = application.live(Some((step, Fault::CrashBefore)), 1);
                application.disk.crash(Crash::OfMachine);
            }
            application.live(None, 1).1.unwrap();
            all_are_seen(&application.disk, &format!("at {first} and {second}"));
        }
    }
}

#[test]
fn a_reader_that_takes_folders_away_gets_each_batch_once() {
    for step in 1..=all_steps() {
        let application = application();
        let _ended = application.live(Some((step, Fault::CrashBefore)), 1);
        application.disk.crash(Crash::OfMachine);
        let mut taken = take(&application.disk);
        application.live(None, 1).1.unwrap();
        taken.extend(seen(&application.disk).into_keys());
        assert!(taken.iter().copied().eq(1..=BATCHES), "at {step}: {taken:?}");
    }
}

#[test]
fn a_disk_that_fails_at_any_step_is_tried_again_and_loses_and_doubles_nothing() {
    disk_fails_at_any_step(all_steps(), application, all_are_seen, all_are_seen);
}

#[test]
fn a_process_that_is_overtaken_at_any_step_makes_nothing_visible_any_more() {
    for step in 1..=all_steps() {
        let application = application();
        let next = application.clone();
        let (sender, taken) = channel();
        let overtaken = Fault::Meanwhile(Box::new(move || {
            next.live(None, 1).1.unwrap();
            sender.send(take(&next.disk)).unwrap();
        }));
        let (files, ended) = application.live(Some((step, overtaken)), 1);
        let mut all = taken.recv().unwrap();
        all.extend(seen(&application.disk).into_keys());
        assert!(all.iter().copied().eq(1..=BATCHES), "overtaken at {step}: {all:?}");
        // One that was done with its last batch, or found it done, need not hear of it.
        if let Err(error) = ended {
            assert!(matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Program), "at {step}: {error}");
        }
        assert!(!files.has_ended());
    }
}
