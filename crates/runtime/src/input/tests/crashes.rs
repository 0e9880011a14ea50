//! A reliable sender's messages, with the receiver's process ended before and after each step of its disk, and between
//! the steps of a batch: every message is in one batch, whatever was lost on the way.

use super::process::{Journal, Process, Step};
use crate::context::StreamingContext;
use crate::testkit::ReliableSender;
use headwater_core::dstream::DStream;
use headwater_core::env::Network;
use headwater_core::{Result, Text};
use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage};
use std::sync::Arc;

const MESSAGES: usize = 8;

fn program(ssc: &StreamingContext) -> DStream<Text> {
    ssc.reliable_socket_text_stream("sender", 9999)
}
fn both() -> [MemoryStorage; 2] {
    [MemoryStorage::new(), MemoryStorage::new().without_append()]
}
fn message(number: usize) -> String {
    format!("message {number}\nand its second line")
}
fn lines() -> Vec<String> {
    (0..MESSAGES).flat_map(|number| message(number).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}
fn records(journal: &Journal<Text>) -> Vec<String> {
    journal.records().iter().map(ToString::to_string).collect()
}

/// Sends what was not sent and runs batches, until everything is written or the process is at its end.
fn run(storage: &FaultyStorage, sender: &ReliableSender, sent: &mut usize, journal: &mut Journal<Text>) -> Result<()> {
    let network: Arc<dyn Network> = Arc::new(sender.clone());
    let process = Process::start(storage, &network, journal, program)?;
    process.recover(journal)?;
    while records(journal).len() < 2 * MESSAGES {
        if *sent < MESSAGES {
            sender.send(&message(*sent))?;
            *sent += 1;
        }
        process.await_received();
        process.batch(journal)?;
        if storage.has_crashed() {
            return Ok(());
        }
    }
    sender.await_acknowledged();
    Ok(())
}
/// The next processes, on a disk that works from here on, have everything once.
fn assert_all_once(
    storage: &FaultyStorage,
    plan: &str,
    sender: &ReliableSender,
    sent: usize,
    mut journal: Journal<Text>,
) {
    let (storage, mut sent) = (FaultyStorage::new(storage.crash(), FaultPlan::new(0)), sent);
    run(&storage, sender, &mut sent, &mut journal).unwrap_or_else(|error| panic!("{plan}: {error}"));
    assert_eq!(records(&journal), lines(), "{plan}");
}

#[test]
fn a_process_that_ends_at_any_step_of_its_disk_loses_and_doubles_nothing() {
    for files in both() {
        let steps = {
            let (storage, sender) = (FaultyStorage::new(files.copy(), FaultPlan::new(0)), ReliableSender::new("me"));
            run(&storage, &sender, &mut 0, &mut Journal::default()).unwrap();
            storage.steps()
        };
        assert!(steps > 15, "segments are made and removed: {steps}");
        for step in 1..=steps {
            let plans = [
                ("before", FaultPlan::new(step).crash_before(step)),
                ("after", FaultPlan::new(step).crash_after(step)),
            ];
            for (when, plan) in plans {
                let (storage, sender) = (FaultyStorage::new(files.copy(), plan), ReliableSender::new("me"));
                let (mut sent, mut journal) = (0, Journal::default());
                // An error says that the disk is gone.
                let _ended = run(&storage, &sender, &mut sent, &mut journal);
                assert_all_once(&storage, &format!("end {when} step {step}"), &sender, sent, journal);
            }
        }
    }
}

#[test]
fn a_process_that_ends_within_a_batch_runs_it_again_with_the_same_records() {
    for files in both() {
        for lost_acknowledgements in [false, true] {
            for step in [Step::Allocated, Step::Journaled, Step::Run, Step::Committed] {
                let (storage, sender) =
                    (FaultyStorage::new(files.copy(), FaultPlan::new(7)), ReliableSender::new("me"));
                let (network, mut journal): (Arc<dyn Network>, _) = (Arc::new(sender.clone()), Journal::default());
                sender.lose_acknowledgements(lost_acknowledgements);
                let process = Process::start(&storage, &network, &mut journal, program).unwrap();
                for sent in 0..3 {
                    sender.send(&message(sent)).unwrap();
                    process.await_received();
                    process.batch_until(&mut journal, if sent == 2 { step } else { Step::Run }).unwrap();
                }
                sender.send(&message(3)).unwrap();
                process.await_received();
                drop(process);
                sender.lose_acknowledgements(false);
                assert_all_once(&storage, &format!("end behind {step:?}"), &sender, 4, journal);
            }
        }
    }
}

/// The disk fails once, with and without effect, and then works: the receiver tries again by the clock.
#[test]
fn a_disk_that_fails_for_a_while_holds_up_and_loses_nothing() {
    for files in both() {
        for (failure, has_effect) in [(Failure::DiskFull, false), (Failure::DiskFull, true), (Failure::Io, true)] {
            let sender = ReliableSender::new("me");
            let (network, mut journal): (Arc<dyn Network>, _) = (Arc::new(sender.clone()), Journal::default());
            let started = FaultyStorage::new(files.copy(), FaultPlan::new(0));
            drop(Process::start(&started, &network, &mut journal, program).unwrap());
            let first = started.steps() + 1;
            let plan = (first..first + 3).fold(FaultPlan::new(1), |plan, step| match has_effect {
                true => plan.fail_after(step, failure),
                false => plan.fail(step, failure),
            });
            let storage = FaultyStorage::new(files.copy(), plan);
            let mut journal = Journal::default();
            let process = Process::start(&storage, &network, &mut journal, program).unwrap();
            sender.send(&message(0)).unwrap();
            process.await_error();
            assert_eq!(sender.unacknowledged(), 1, "nothing is acknowledged that is not durable");
            // The blocks stay queued, and the batch has none of them.
            assert!(process.input().has_unallocated());
            process.batch(&mut journal).unwrap();
            while sender.unacknowledged() > 0 {
                process.env.clock.advance(std::time::Duration::from_secs(8));
                std::thread::yield_now();
            }
            process.batch(&mut journal).unwrap();
            assert_eq!(records(&journal), lines()[..2]);
            let errors = process.errors();
            assert_eq!(errors.len(), 1, "it is told once: {errors:?}");
            assert!(errors[0].starts_with("sender sender:9999: received blocks are not durable"), "{errors:?}");
            drop(process);
            assert_all_once(&storage, &format!("{failure:?} {has_effect}"), &sender, 1, journal);
        }
    }
}
