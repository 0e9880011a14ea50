//! A ledger that is lost, at the start and while the application runs.

use crate::server::{LEDGER, Process, Server};
use headwater_core::ErrorKind;
use headwater_redis::RedisSink;

fn sink(server: &Server) -> RedisSink<u64> {
    RedisSink::new(server.described()).hash("h", |n: u64| (n, n))
}

#[test]
#[ignore = "starts a Redis"]
fn a_ledger_that_says_less_than_the_journal_fails_the_start_until_that_is_accepted() {
    let server = Server::start();
    for (stored, says) in [(None, "says nothing"), (Some(1000), "says 1000")] {
        server.ask::<()>("FLUSHALL");
        if let Some(stored) = stored {
            server.ask::<()>(&format!("SET {LEDGER} {stored}"));
        }
        let error = Process::new(sink(&server), Some(2)).recover::<u64>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        let text = error.to_string();
        assert!(text.contains(LEDGER) && text.contains(says) && text.contains("2000 ms was committed"), "{text}");
        assert!(text.contains("RedisSink::accept_lost_ledger"), "{text}");

        let accepting = Process::new(sink(&server).accept_lost_ledger(), Some(2));
        accepting.recover::<u64>().unwrap();
        assert!(accepting.env.warnings()[0].contains(says), "{:?}", accepting.env.warnings());
        // The next process need not accept it, and a batch that was committed is not written.
        let next = Process::new(sink(&server), Some(2));
        next.recover::<u64>().unwrap();
        next.write(2, vec![2]).unwrap();
        next.write(3, vec![3]).unwrap();
        assert_eq!(server.ask::<Vec<u64>>("HKEYS h"), [3]);
    }
}

#[test]
#[ignore = "starts a Redis"]
fn a_database_that_is_flushed_while_the_application_runs_fails_the_next_batch() {
    let server = Server::start();
    let process = Process::new(sink(&server), None);
    process.recover::<u64>().unwrap();
    process.write(1, vec![1]).unwrap();
    server.ask::<()>("FLUSHALL");
    for _ in 0..2 {
        let error = process.write(2, vec![2]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Program);
        assert!(error.to_string().contains("says nothing, and all up to 1000 ms was committed"), "{error}");
        assert!(!server.exists("h"));
    }
}

#[test]
#[ignore = "starts a Redis"]
fn a_loss_while_the_application_runs_is_a_warning_where_it_is_accepted() {
    let server = Server::start();
    let process = Process::new(sink(&server).accept_lost_ledger(), None);
    process.recover::<u64>().unwrap();
    process.write(1, vec![1]).unwrap();
    assert!(process.env.warnings().is_empty());
    server.ask::<()>("FLUSHALL");
    process.write(2, vec![2]).unwrap();
    process.write(3, vec![3]).unwrap();
    let warnings = process.env.warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("says nothing"), "{warnings:?}");
    assert_eq!(server.ask::<u64>("HLEN h"), 2);
}

#[test]
#[ignore = "starts a Redis"]
fn a_server_that_keeps_nothing_on_disk_is_found_out_when_it_comes_back_empty() {
    let server = Server::with(&[("REDIS_PERSIST", "no")]);
    let process = Process::new(sink(&server), None);
    process.recover::<u64>().unwrap();
    process.write(1, vec![1]).unwrap();
    server.kill();
    server.start_again();
    assert_eq!(process.write(2, vec![2]).unwrap_err().kind(), ErrorKind::Program);
}

#[test]
#[ignore = "starts a Redis"]
fn a_ledger_that_is_none_is_named() {
    let server = Server::start();
    let process = Process::new(sink(&server), None);
    process.recover::<u64>().unwrap();
    server.ask::<()>(&format!("SET {LEDGER} yesterday"));
    let at_commit = process.write(1, vec![1]).unwrap_err();
    let at_start = Process::new(sink(&server), None).recover::<u64>().unwrap_err();
    for error in [at_commit, at_start] {
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("is \"yesterday\" and no batch time"), "{error}");
    }
    server.ask::<()>(&format!("DEL {LEDGER}"));
    server.ask::<()>(&format!("HSET {LEDGER} f v"));
    assert_eq!(process.write(1, vec![1]).unwrap_err().kind(), ErrorKind::Data);
    assert!(!server.exists("h"));
}
