//! A server that is killed while batches are committed, and started again.

use crate::conformance::entries;
use crate::server::{Process, Server};
use headwater::prelude::*;
use headwater::sink::FailurePolicy;
use headwater_core::ErrorKind;
use headwater_redis::{MaxLen, RedisSink};
use std::sync::mpsc;

const BATCHES: u64 = 60;
const RECORDS: u64 = 3000;
/// Each behind 10 ms, while the server is away.
const TRIES_MAX: u64 = 3000;

#[test]
#[ignore = "starts a Redis"]
fn a_server_that_is_killed_in_the_middle_of_commits_loses_and_doubles_nothing() {
    let server = Server::start();
    let sink = RedisSink::new(server.described()).stream("s", MaxLen::unlimited(), |n: u64| [("n", n)]);
    let process = Process::new(sink, None);
    process.recover().unwrap();
    let clock = headwater::system_env().clock;
    let (began, begins) = mpsc::sync_channel(0);
    let mut failures = 0;
    std::thread::scope(|scope| {
        let server = &server;
        // The commit goes on while the server is killed and comes back.
        scope.spawn(move || {
            while begins.recv().is_ok() {
                server.kill();
                server.start_again();
            }
        });
        for batch in 1..=BATCHES {
            let records = || (batch * RECORDS..(batch + 1) * RECORDS).collect();
            // Every third batch, so that some connections live for more than one.
            if batch % 3 == 0 {
                began.send(()).unwrap();
            }
            let mut tries = 0;
            while let Err(error) = process.write(batch, records()) {
                assert!(error.kind() == ErrorKind::Outside && tries < TRIES_MAX, "{tries}: {error}");
                clock.wait(Some(clock.now() + milliseconds(10)), &mut || false);
                tries += 1;
            }
            failures += tries;
        }
        drop(began);
    });
    assert!(failures > 0, "no commit was hit");
    assert_eq!(entries(&server, "s"), (RECORDS..(BATCHES + 1) * RECORDS).collect::<Vec<_>>());
}

/// Batches of numbers, written by a durable program.
fn program(folder: &str, url: &str) -> headwater::Result<StreamingContext> {
    let conf = Conf::new().master("local[2]").app_name("numbers");
    let ssc = StreamingContext::get_or_create(folder, || StreamingContext::new(conf.clone(), milliseconds(50)))?;
    ssc.rate_stream(2000, 2, |n| n)
        .write_to(RedisSink::new(url).stream("s", MaxLen::unlimited(), |n: u64| [("n", n)]))
        .uid("numbers")
        .on_failure(FailurePolicy::retry(12, milliseconds(20)));
    Ok(ssc)
}

#[test]
#[ignore = "starts a Redis"]
fn a_program_that_is_started_again_and_whose_server_is_killed_writes_each_record_once() {
    let server = Server::start();
    let folder = headwater::testkit::temporary_folder();
    for _ in 0..3 {
        let running = program(&folder, server.url()).unwrap().start().unwrap();
        running.await_batches(5).unwrap();
        server.kill();
        server.start_again();
        running.await_batches(10).unwrap();
        running.stop().unwrap();
    }
    let mut written = entries(&server, "s");
    written.sort();
    assert!(written.len() >= 30 * 100, "{}", written.len());
    assert_eq!(written, (0..written.len() as u64).collect::<Vec<_>>());
}
