//! Steps that fail while the process goes on: the caller syncs again, and nothing is lost or there twice.

use crate::support::{Event, both, history, open, recovered};
use headwater_core::ErrorKind;
use headwater_storage::{Failure, FaultPlan, FaultyStorage, Journal, MemoryStorage};

use crate::support::History;

/// How often a process tries what fails.
const TRIES: u64 = 6;

fn open_at_last(storage: &FaultyStorage) -> Journal<History> {
    (0..TRIES).find_map(|_| open(storage, "process").ok()).expect("it opens in the end").0
}

/// Records twelve events, each with a sync, and tries again what fails. Returns the steps it took.
fn run(files: &MemoryStorage, plan: FaultPlan, kind: Option<ErrorKind>) -> u64 {
    let what = format!("{plan:?}");
    let storage = FaultyStorage::new(files.copy(), plan);
    let journal = open_at_last(&storage);
    for event in 0..12 {
        journal.record(&Event(event)).unwrap();
        let mut tries = (0..TRIES).map(|_| journal.sync());
        assert!(tries.any(|result| result.inspect_err(|error| assert_eq!(Some(error.kind()), kind)).is_ok()), "{what}");
        // What was synced survives a crash right here.
        let events: Vec<u32> = (0..=event).collect();
        assert_eq!(recovered(&storage.process(FaultPlan::new(event.into())).crash()), events, "{what}");
    }
    assert_eq!(history(&journal), recovered(&storage.crash()), "{what}");
    storage.steps()
}

#[test]
fn a_full_disk_loses_nothing_that_was_synced() {
    for files in both() {
        let steps = run(&files, FaultPlan::new(0), None);
        for step in 1..=steps {
            let kind = Some(ErrorKind::Resources);
            run(&files, FaultPlan::new(step).fail(step, Failure::DiskFull), kind);
            // Full for a while.
            let full =
                (step..step + TRIES - 1).fold(FaultPlan::new(step), |plan, step| plan.fail(step, Failure::DiskFull));
            run(&files, full, kind);
        }
    }
}

#[test]
fn steps_that_fail_or_seem_to_lose_and_double_nothing() {
    for files in both() {
        let steps = run(&files, FaultPlan::new(0), None);
        for step in 1..=steps {
            let kind = Some(ErrorKind::Outside);
            run(&files, FaultPlan::new(step).fail(step, Failure::Io), kind);
            run(&files, FaultPlan::new(step).fail_after(step, Failure::Io), kind);
            for second in step + 1..step + 5 {
                run(&files, FaultPlan::new(step).fail_after(step, Failure::Io).fail_after(second, Failure::Io), kind);
                run(&files, FaultPlan::new(step).fail_after(step, Failure::Io).fail(second, Failure::Io), kind);
                run(&files, FaultPlan::new(step).fail(step, Failure::Io).fail_after(second, Failure::Io), kind);
            }
        }
    }
}

#[test]
fn a_crash_behind_a_failure_loses_nothing_that_was_synced() {
    for files in both() {
        let steps = run(&files, FaultPlan::new(0), None);
        for step in 1..steps {
            for crash in step + 1..step + 8 {
                let plan = FaultPlan::new(crash).fail_after(step, Failure::Io).crash_after(crash);
                let what = format!("{plan:?}");
                let storage = FaultyStorage::new(files.copy(), plan);
                let Some((journal, _)) = (0..2).find_map(|_| open(&storage, "process").ok()) else { continue };
                let mut synced = 0;
                for event in 0..12 {
                    journal.record(&Event(event)).unwrap();
                    if journal.sync().is_ok() {
                        synced = event as usize + 1;
                    }
                }
                crate::support::assert_prefix(&recovered(&storage.crash()), synced, &what);
            }
        }
    }
}
