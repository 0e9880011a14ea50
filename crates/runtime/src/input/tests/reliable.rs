//! `reliable_socket_text_stream`: what is sent twice is stored once, in memory and on disk, and over real sockets.

use super::process::{Journal, Process};
use crate::context::StreamingContext;
use crate::env::system_env;
use crate::testkit::{ReliableSender, TestEnv};
use headwater_core::dstream::DStream;
use headwater_core::env::{Env, Network};
use headwater_core::receiver::reliable::{Inbox, Outbox};
use headwater_core::{Result, Text};
use headwater_storage::{FaultPlan, FaultyStorage, MemoryStorage};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

fn program(ssc: &StreamingContext) -> DStream<Text> {
    ssc.reliable_socket_text_stream("sender", 9999)
}

#[test]
fn a_lost_acknowledgement_and_a_lost_connection_double_nothing() {
    let (storage, sender) = (MemoryStorage::new(), ReliableSender::new("me"));
    let (network, mut journal): (Arc<dyn Network>, _) = (Arc::new(sender.clone()), Journal::default());
    let process = Process::start(&storage, &network, &mut journal, program).unwrap();
    sender.lose_acknowledgements(true);
    sender.send("to be").unwrap();
    process.await_received();
    sender.lose_acknowledgements(false);
    for connections in 2..4 {
        sender.disconnect();
        process.env.await_warning("trying again in");
        // By its clock the receiver connects again; the position says what need not be sent again.
        while sender.connections() < connections {
            process.env.clock.advance(Duration::from_secs(8));
            std::thread::yield_now();
        }
        sender.await_acknowledged();
        sender.send("or not").unwrap();
        sender.await_acknowledged();
    }
    process.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["to be", "or not", "or not"]);
}

/// In an application that is not durable a message is stored once, too, for as long as the process lives.
#[test]
fn without_a_log_messages_are_acknowledged_from_memory() {
    let (env, sender) = (TestEnv::new(), ReliableSender::new("me"));
    let network: Arc<dyn Network> = Arc::new(sender.clone());
    let conf = crate::Conf::new().master("local[2]");
    let ssc = StreamingContext::with_env(conf, Duration::from_secs(1), Env { network, ..env.env() }).unwrap();
    let (sent, received) = std::sync::mpsc::channel();
    program(&ssc).foreach_rdd(move |rdd, _| sent.send(rdd.collect().unwrap()).unwrap());
    let running = ssc.start().unwrap();
    sender.send("caf\u{e9}\r\n").unwrap();
    sender.send("").unwrap();
    sender.await_acknowledged();
    env.clock.advance(Duration::from_secs(1));
    assert_eq!(received.recv().unwrap(), ["caf\u{e9}", ""]);
    running.stop().unwrap();
}

#[test]
fn numbers_that_never_came_are_told_and_passed_over() {
    let (storage, sender) = (MemoryStorage::new(), ReliableSender::new("me"));
    let (network, mut journal): (Arc<dyn Network>, _) = (Arc::new(sender.clone()), Journal::default());
    let process = Process::start(&storage, &network, &mut journal, program).unwrap();
    sender.send("1").unwrap();
    sender.await_acknowledged();
    process.batch(&mut journal).unwrap();
    drop(process);
    // A sender of the same id that has given up two messages, as none of ours does.
    let other = ReliableSender::new("me");
    (1..=3).for_each(|number| assert!(other.send(&format!("given up {number}")).is_ok()));
    other.send("4").unwrap();
    let mut end = other.connect("", 0, Duration::ZERO).unwrap();
    end.writer().write_all(&[&Inbox::greeting()[..], &Inbox::acknowledgement(3)].concat()).unwrap();
    assert!(end.reader().read(&mut [0; 100]).unwrap() > 0);
    assert_eq!(other.unacknowledged(), 1);
    let network: Arc<dyn Network> = Arc::new(other.clone());
    let process = Process::start(&storage, &network, &mut journal, program).unwrap();
    other.await_acknowledged();
    process.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["1", "4"]);
    let errors = process.errors();
    assert_eq!(errors, ["sender sender:9999: messages 2 to 3 of the sender `me` never came"]);
}

/// Many senders, one after the other, over many restarts: what each has is kept in the allocations.
#[test]
fn a_sender_is_known_when_all_its_blocks_are_gone() {
    let storage = MemoryStorage::new();
    let mut journal = Journal::default();
    for round in 0..4 {
        for id in ["a", "b", "c"] {
            let sender = ReliableSender::new(id);
            (0..=round).for_each(|number| assert!(sender.send(&format!("{id}{number}")).is_ok()));
            let network: Arc<dyn Network> = Arc::new(sender.clone());
            let process = Process::start(&storage, &network, &mut journal, program).unwrap();
            sender.await_acknowledged();
            process.batch(&mut journal).unwrap();
            process.batch(&mut journal).unwrap();
        }
    }
    let mut records: Vec<String> = journal.records().iter().map(ToString::to_string).collect();
    records.sort();
    let expected: Vec<String> =
        ["a", "b", "c"].iter().flat_map(|id| (0..4).map(move |number| format!("{id}{number}"))).collect();
    assert_eq!(records, expected);
}

/// A process that was replaced, and does not know it, acknowledges nothing any more.
#[test]
fn a_process_that_was_replaced_acknowledges_nothing() {
    let disk = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(0));
    let (old_sender, new_sender) = (ReliableSender::new("old"), ReliableSender::new("new"));
    let (old_network, new_network): (Arc<dyn Network>, Arc<dyn Network>) =
        (Arc::new(old_sender.clone()), Arc::new(new_sender.clone()));
    let mut journal = Journal::default();
    let old = Process::start(&disk, &old_network, &mut journal, program).unwrap();
    old_sender.send("before").unwrap();
    old_sender.await_acknowledged();
    let new = Process::start(&disk.process(FaultPlan::new(0)), &new_network, &mut journal, program).unwrap();
    old_sender.send("after").unwrap();
    old.await_error();
    assert_eq!(old_sender.unacknowledged(), 1);
    assert!(old.errors()[0].contains("another process has taken over"), "{:?}", old.errors());
    drop(old);
    new.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["before"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a sender of the test's own")]
fn messages_come_over_a_real_socket() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (storage, mut journal) = (MemoryStorage::new(), Journal::default());
    let network = system_env().network;
    let program = move |ssc: &StreamingContext| ssc.reliable_socket_text_stream("127.0.0.1", port);
    let process = Process::start(&storage, &network, &mut journal, program).unwrap();
    let mut outbox = Outbox::new(b"over a socket").unwrap();
    (0..10_000).for_each(|number| assert!(outbox.push(format!("line {number}").as_bytes()).is_ok()));
    let mut serve = || -> Result<(), std::io::Error> {
        let (mut peer, _) = listener.accept()?;
        let mut bytes = vec![0; 1 << 16];
        outbox.connected();
        while outbox.unacknowledged() > 0 {
            peer.write_all(&outbox.to_send())?;
            let read = peer.read(&mut bytes)?;
            outbox.take_in(&bytes[..read]).map_err(std::io::Error::other)?;
        }
        Ok(())
    };
    serve().unwrap();
    process.batch(&mut journal).unwrap();
    let expected: Vec<String> = (0..10_000).map(|number| format!("line {number}")).collect();
    assert_eq!(journal.records(), expected);
}
