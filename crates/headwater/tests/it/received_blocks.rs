//! Durable applications whose receivers go on where the process before ended.

use headwater::env::{Env, Storage};
use headwater::prelude::*;
use headwater::testkit::{ReliableSender, TestEnv};
use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const MESSAGES: usize = 6;

/// What outputs have written, by batch.
type Written = Arc<Mutex<BTreeMap<Time, Vec<String>>>>;

/// A process that sends what was not sent yet, a message a batch, and ends when everything is written, or with an error.
fn run(
    (env, has_crashed): (&TestEnv, &dyn Fn() -> bool),
    sender: &ReliableSender,
    sent: &mut usize,
    written: &Written,
) -> headwater::Result<()> {
    let network = Arc::new(sender.clone());
    let conf = Conf::new().master("local[2]");
    let ssc = StreamingContext::with_env(conf, seconds(1), Env { network, ..env.env() })?;
    ssc.checkpoint("run");
    let output = written.clone();
    ssc.reliable_socket_text_stream("sender", 9999).foreach_rdd(move |rdd, time| {
        let lines: Vec<String> = rdd.collect()?.iter().map(|line| line.to_string()).collect();
        if let Some(before) = output.lock().unwrap().insert(time, lines.clone()) {
            assert_eq!(before, lines, "batch {time} has other records than before");
        }
        Ok::<(), headwater::Error>(())
    });
    let running = ssc.start()?;
    let mut batches = 0;
    while written.lock().unwrap().values().flatten().count() < MESSAGES {
        if *sent < MESSAGES {
            sender.send(&format!("message {sent}")).unwrap();
            *sent += 1;
        }
        env.clock.advance(seconds(1));
        batches += 1;
        // A driver whose disk is gone tries again by the clock, which stands still.
        while running.progress().completed < batches {
            if has_crashed() {
                return running.stop();
            }
            std::thread::yield_now();
        }
    }
    sender.await_acknowledged();
    running.stop()
}

fn expected() -> Vec<String> {
    (0..MESSAGES).map(|number| format!("message {number}")).collect()
}

/// Every durable step of the whole application, journal and received blocks, is where it may end.
#[test]
fn a_durable_application_that_ends_at_any_step_has_every_message_once() {
    for files in [MemoryStorage::new(), MemoryStorage::new().without_append()] {
        let on = |storage: &FaultyStorage| TestEnv::new().with_storage(Arc::new(storage.clone()) as Arc<dyn Storage>);
        let whole = FaultyStorage::new(files.copy(), FaultPlan::new(0));
        run((&on(&whole), &|| false), &ReliableSender::new("me"), &mut 0, &Written::default()).unwrap();
        for step in 1..=whole.steps() {
            let (sender, written, mut sent) = (ReliableSender::new("me"), Written::default(), 0);
            let storage = FaultyStorage::new(files.copy(), FaultPlan::new(step).crash_after(step));
            let env = on(&storage);
            // It may end behind its last batch, too.
            let _ended = run((&env, &|| storage.has_crashed()), &sender, &mut sent, &written);
            let next = env.with_storage(Arc::new(storage.crash()));
            run((&next, &|| false), &sender, &mut sent, &written)
                .unwrap_or_else(|error| panic!("step {step}: {error}"));
            let lines: Vec<String> = written.lock().unwrap().values().flatten().cloned().collect();
            assert_eq!(lines, expected(), "step {step}");
        }
    }
}
