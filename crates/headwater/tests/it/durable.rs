//! Applications that go on where the process before ended.

use headwater::prelude::*;
use headwater::testkit::TestEnv;
use std::sync::mpsc;

/// Runs `batches` more batches of a program that sums up the numbers of a rate stream by their last digit; what it told.
fn run(env: &TestEnv, batches: u64) -> Vec<(Time, Vec<(u64, u64)>)> {
    let ssc = StreamingContext::with_env(Conf::new().master("local[2]"), seconds(1), env.env()).unwrap();
    ssc.checkpoint("run");
    let numbers = ssc.rate_stream(10, 2, |n| (n % 10, n));
    let sums = numbers.update_state_by_key(|new, old: Option<&u64>| Some(old.unwrap_or(&0) + new.iter().sum::<u64>()));
    let (sent, received) = mpsc::channel();
    sums.foreach_rdd(move |rdd, time| {
        let mut sums = rdd.collect().unwrap();
        sums.sort_unstable();
        sent.send((time, sums)).unwrap();
    });
    let running = ssc.start().unwrap();
    env.clock.advance(seconds(batches));
    running.await_batches(batches).unwrap();
    running.stop().unwrap();
    received.try_iter().collect()
}

#[test]
fn state_and_inputs_go_on_behind_a_restart() {
    let (whole, parts) = (TestEnv::in_memory(), TestEnv::in_memory());
    let expected = run(&whole, 10);
    let told: Vec<_> = [3, 1, 4, 2].iter().flat_map(|batches| run(&parts, *batches)).collect();
    assert_eq!(told, expected);
}

mod crashes;
mod dead_letter_stream;
mod dead_letters;
mod golden;
mod restarts;
mod rules;
mod upgrades;
