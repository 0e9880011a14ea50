//! A journal whose process, and machine, end before and after every step, and at pairs of steps: what was synced is
//! there, and nothing that was never recorded, or was recorded once and is there twice.

use crate::support::{assert_prefix, both, history, open, recovered, run};
use headwater_core::env::Storage;
use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};

/// Of a process: enough for several segments, and for snapshots that take the place of others.
const EVENTS: u32 = 24;
/// Where two crashes meet.
const EVENTS_OF_PAIRS: u32 = 12;

/// Runs a process until it ends or is ended. Returns how many events are surely durable, by it or before it.
fn process(storage: &FaultyStorage, events: u32, before: usize) -> usize {
    let mut synced = before;
    if let Ok((journal, _)) = open(storage, "process") {
        assert_prefix(&history(&journal), before, "opened");
        // What a recovery has read stays, whatever happens from there on.
        let end = run(&journal, events, &mut synced);
        assert_eq!(end.is_err(), storage.has_crashed(), "{:?}", end.err());
    }
    synced
}

/// The steps of a whole run.
fn steps(files: &MemoryStorage, events: u32) -> u64 {
    let storage = FaultyStorage::new(files.copy(), FaultPlan::new(0));
    process(&storage, events, 0);
    assert!(!storage.has_crashed());
    storage.steps()
}

/// Crash points around a step.
fn crashes(seed: u64, step: u64) -> [FaultPlan; 2] {
    [FaultPlan::new(seed).crash_before(step), FaultPlan::new(seed).crash_after(step)]
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_synced() {
    for files in both() {
        for step in 1..=steps(&files, EVENTS) {
            for seed in 0..8 {
                for plan in crashes(seed, step) {
                    let what = format!("{plan:?}, appends: {}", files.appends());
                    let storage = FaultyStorage::new(files.copy(), plan);
                    let synced = process(&storage, EVENTS, 0);
                    assert!(storage.has_crashed(), "{what}");
                    assert_prefix(&recovered(&storage.crash()), synced, &what);
                }
            }
        }
    }
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    for files in both() {
        for first in 1..=steps(&files, EVENTS_OF_PAIRS) {
            for plan in crashes(first, first) {
                let storage = FaultyStorage::new(files.copy(), plan);
                let synced = process(&storage, EVENTS_OF_PAIRS, 0);
                let image = storage.crash();
                // As far as it gets: a second crash behind its end does not happen.
                for second in 1.. {
                    let mut ended = false;
                    for plan in crashes(first + second, second) {
                        let what = format!("crash at {first}, then {plan:?}");
                        let storage = FaultyStorage::new(image.copy(), plan);
                        let synced = process(&storage, EVENTS_OF_PAIRS, synced);
                        ended = !storage.has_crashed();
                        assert_prefix(&recovered(&storage.crash()), synced, &what);
                    }
                    if ended {
                        break;
                    }
                }
            }
        }
    }
}

/// The process ends and the machine goes on: the next process reads what was never synced. Once it counts it must be
/// durable, also if the machine crashes then.
#[test]
fn what_the_next_process_reads_survives_a_crash_of_the_machine() {
    for files in both() {
        for first in 1..=steps(&files, EVENTS) {
            for plan in crashes(0, first) {
                let storage = FaultyStorage::new(files.copy(), plan);
                let synced = process(&storage, EVENTS, 0);
                for seed in 0..8 {
                    let what = format!("killed at {first}, seed {seed}");
                    let storage = FaultyStorage::new(files.copy(), FaultPlan::new(0).crash_after(first));
                    process(&storage, EVENTS, 0);
                    let next = storage.process(FaultPlan::new(seed));
                    let (journal, _) = open(&next, "next").unwrap();
                    let read = history(&journal);
                    assert_prefix(&read, 0, &what);
                    assert_prefix(&recovered(&next.crash()), read.len(), &what);
                }
                assert_prefix(&recovered(&storage.process(FaultPlan::new(0))), synced, "killed");
            }
        }
    }
}
