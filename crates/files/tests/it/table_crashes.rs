//! A table, with files that roll and are merged, when processes end, disks fail and processes overtake each other at every
//! step.

use crate::lives::{Application, BATCHES, bytes_of, disk_fails_at_any_step, numbers_of};
use crate::simulated_disk::{Crash, Fault, SimulatedDisk};
use headwater::ErrorKind;
use headwater::env::FileSystem;
use headwater_files::{FileSink, TableReader, formats::TextLines};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A number is a line of three bytes: files have three lines at most, and those of one are merged as soon as there are
/// enough.
fn application() -> Application {
    Application::new(|| Box::new(FileSink::table("out", TextLines).roll_bytes(7).compact(9)))
}
fn reader(disk: &SimulatedDisk) -> TableReader<TextLines> {
    TableReader::open(Arc::new(disk.process(None)), "out", TextLines).unwrap()
}
/// What a reader of the manifest sees: the number of batches. Panics unless it is all of the first batches, once.
fn batches_seen(disk: &SimulatedDisk, context: &str) -> u64 {
    let mut seen: Vec<u64> = reader(disk).records().map(Result::unwrap).collect();
    seen.sort_unstable();
    let batches = (0..=BATCHES).find(|batches| (1..=*batches).flat_map(numbers_of).eq(seen.iter().copied()));
    // What is listed is committed, too.
    let listed = listed(disk).into_iter().flat_map(|path| {
        let text = String::from_utf8(bytes_of(&disk.process(None), &path)).unwrap();
        text.lines().map(|line| line.parse::<u64>().unwrap()).collect::<Vec<_>>()
    });
    listed.for_each(|number| assert!(seen.contains(&number), "{context}: {number} is listed and not committed"));
    batches.unwrap_or_else(|| panic!("{context}: {seen:?}"))
}
fn listed(disk: &SimulatedDisk) -> Vec<String> {
    let files = disk.process(None);
    let entries = if files.exists("out").unwrap() { files.list("out").unwrap() } else { Vec::new() };
    entries.into_iter().filter(|entry| !entry.is_folder).map(|entry| format!("out/{}", entry.name)).collect()
}
#[track_caller]
fn all_are_seen(disk: &SimulatedDisk, context: &str) {
    assert_eq!(batches_seen(disk, context), BATCHES, "{context}");
}
/// Nothing is left that does not count.
#[track_caller]
fn nothing_else_is_left(disk: &SimulatedDisk, context: &str) {
    let (reader, files) = (reader(disk), disk.process(None));
    let mut of_manifest: Vec<_> = reader.files().iter().map(|file| file.path.clone()).collect();
    of_manifest.sort();
    assert_eq!(listed(disk), of_manifest, "{context}");
    let hidden = format!("out/_headwater/{}", files.list("out/_headwater").unwrap()[0].name);
    for folder in ["pending", "prepared", "garbage"] {
        let path = format!("{hidden}/{folder}");
        let left = if files.exists(&path).unwrap() { files.list(&path).unwrap() } else { Vec::new() };
        assert!(left.is_empty(), "{context}: {folder}: {left:?}");
    }
}
fn all_steps() -> u64 {
    let application = application();
    let (files, ended) = application.live(None, 1);
    ended.unwrap();
    all_are_seen(&application.disk, "without a fault");
    nothing_else_is_left(&application.disk, "without a fault");
    files.steps()
}

#[test]
fn files_roll_and_small_ones_are_merged() {
    let application = application();
    application.live(None, 1).1.unwrap();
    let reader = reader(&application.disk);
    let sizes: Vec<_> = reader.files().iter().map(|file| (file.records, file.bytes)).collect();
    // Batches of 1 + 3 + 1, 1, 1 + 3 + 1 and 1 + 3 + 1 numbers.
    assert_eq!(sizes.iter().map(|(records, _)| records).sum::<u64>(), 16);
    assert!(sizes.iter().all(|(records, bytes)| *records <= 3 && *bytes == records * 3), "{sizes:?}");
    assert!(sizes.len() < 8, "{sizes:?}");
}

#[test]
fn a_process_that_ends_at_any_step_loses_and_doubles_nothing() {
    for step in 1..=all_steps() {
        for crash in [Crash::OfProcess, Crash::OfMachine, Crash::BetweenNamesAndBytes] {
            for fault in [Fault::CrashBefore, Fault::CrashAfter] {
                let (application, context) = (application(), format!("{crash:?} at {step}"));
                let (files, _) = application.live(Some((step, fault)), 1);
                assert!(files.has_ended(), "{context}");
                application.disk.crash(crash);
                let noted = application.journal.load(Ordering::SeqCst);
                assert!(batches_seen(&application.disk, &context) >= noted, "{context}: {noted}");
                application.live(None, 1).1.unwrap();
                all_are_seen(&application.disk, &context);
                nothing_else_is_left(&application.disk, &context);
            }
        }
    }
}

#[test]
fn a_second_process_may_end_at_any_step_too() {
    let steps = all_steps();
    for first in (1..=steps).step_by(9) {
        for second in 1..=steps {
            let (application, context) = (application(), format!("at {first} and {second}"));
            for step in [first, second] {
                let _ended = application.live(Some((step, Fault::CrashAfter)), 1);
                application.disk.crash(Crash::OfMachine);
                batches_seen(&application.disk, &context);
            }
            application.live(None, 1).1.unwrap();
            all_are_seen(&application.disk, &context);
            nothing_else_is_left(&application.disk, &context);
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_step_is_tried_again_and_loses_and_doubles_nothing() {
    disk_fails_at_any_step(all_steps(), application, all_are_seen, |disk, context| {
        all_are_seen(disk, context);
        nothing_else_is_left(disk, context);
    });
}

#[test]
fn a_process_that_is_overtaken_at_any_step_makes_nothing_visible_any_more() {
    for step in 1..=all_steps() {
        let (application, context) = (application(), format!("overtaken at {step}"));
        let next = application.clone();
        let overtaken = Fault::Meanwhile(Box::new(move || next.live(None, 1).1.unwrap()));
        let (_, ended) = application.live(Some((step, overtaken)), 1);
        all_are_seen(&application.disk, &context);
        if let Err(error) = ended {
            assert!(matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Program), "{context}: {error}");
        }
        // What the old one has left goes with the next process.
        application.live(None, 1).1.unwrap();
        all_are_seen(&application.disk, &context);
        nothing_else_is_left(&application.disk, &context);
    }
}
