//! What a new process finds of the blocks of the last one, for lines and for typed records.

use super::peer::Peer;
use super::process::{Journal, Process, Step};
use crate::conf::Conf;
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::env::{Network, Storage};
use headwater_core::{ErrorKind, Text};
use headwater_storage::MemoryStorage;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

fn lines(ssc: &StreamingContext) -> DStream<Text> {
    ssc.socket_text_stream("peer", 9999)
}
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Order {
    item: String,
    count: usize,
}
fn orders(ssc: &StreamingContext) -> DStream<Order> {
    let order = |line: io::Result<String>| line.map(|item| Order { count: item.len(), item });
    ssc.socket_stream("peer", 9999, move |bytes: Box<dyn Read + Send>| BufReader::new(bytes).lines().map(order))
}
fn network(peer: &Peer) -> Arc<dyn Network> {
    Arc::new(peer.clone())
}
fn both() -> [MemoryStorage; 2] {
    [MemoryStorage::new(), MemoryStorage::new().without_append()]
}
fn text(journal: &Journal<Text>) -> Vec<String> {
    journal.records().iter().map(ToString::to_string).collect()
}
fn segments(storage: &MemoryStorage) -> usize {
    storage.paths().iter().filter(|(path, _)| path.ends_with(".log")).count()
}

/// Spark's ReceivedBlockTrackerSuite, "recovery with write ahead logs should remove only allocated blocks": allocated
/// blocks are the batch's again, others go to the next batch, in their order.
#[test]
fn batches_have_their_lines_again_and_the_rest_goes_to_the_next() {
    for storage in both() {
        let (peer, mut journal) = (Peer::default(), Journal::default());
        let process = Process::start(&storage, &network(&peer), &mut journal, lines).unwrap();
        for (batch, step) in [("to be\n", Step::Committed), ("or\nnot\n", Step::Run), ("to be\n", Step::Allocated)] {
            peer.send(batch.as_bytes());
            peer.await_read();
            process.batch_until(&mut journal, step).unwrap();
        }
        peer.send(b"that is\nhalf a l");
        peer.await_read();
        drop(process);
        let process = Process::start(&storage, &network(&peer), &mut journal, lines).unwrap();
        assert!(process.input().has_unallocated());
        process.recover(&mut journal).unwrap();
        process.batch(&mut journal).unwrap();
        peer.send(b"the question\n");
        peer.await_read();
        process.batch(&mut journal).unwrap();
        // The half line came over a connection that ended, by the end of its process.
        assert_eq!(text(&journal), ["to be", "or", "not", "to be", "that is", "the question"]);
        let batches: Vec<usize> = journal.written.lock().unwrap().values().map(Vec::len).collect();
        assert_eq!(batches, [1, 2, 2, 1]);
    }
}

#[test]
fn typed_records_come_back_too() {
    for storage in both() {
        let (peer, mut journal) = (Peer::default(), Journal::default());
        let process = Process::start(&storage, &network(&peer), &mut journal, orders).unwrap();
        for batch in ["tea\nmilk\n", "jam\n"] {
            peer.send(batch.as_bytes());
            peer.await_read();
            process.batch_until(&mut journal, Step::Journaled).unwrap();
        }
        peer.send(b"salt\n");
        peer.await_read();
        drop(process);
        // Records of the open block are durable when a batch has them, and are lost before.
        let process = Process::start(&storage, &network(&peer), &mut journal, orders).unwrap();
        process.recover(&mut journal).unwrap();
        peer.send(b"oil\n");
        peer.await_read();
        process.batch(&mut journal).unwrap();
        let orders = ["tea", "milk", "jam", "oil"].map(|item| Order { item: item.to_owned(), count: item.len() });
        assert_eq!(journal.records(), orders);
    }
}

/// Many batches with restarts in between: segments of every process go when their blocks are done.
#[test]
fn the_log_stays_small_over_processes() {
    for storage in both() {
        let (peer, mut journal, mut most) = (Peer::default(), Journal::default(), 0);
        for round in 0..12 {
            let process = Process::start(&storage, &network(&peer), &mut journal, lines).unwrap();
            process.recover(&mut journal).unwrap();
            for batch in 0..5 {
                peer.send(format!("{round} {batch} {}\n", "x".repeat(40)).as_bytes());
                peer.await_read();
                // The last of each process runs, and is not committed.
                process.batch_until(&mut journal, if batch == 4 { Step::Run } else { Step::Committed }).unwrap();
            }
            most = most.max(segments(&storage));
        }
        assert_eq!(journal.records().len(), 60);
        let limit = if storage.appends() { 6 } else { 9 };
        assert!(most <= limit, "{most} segments at once");
    }
}

/// Spark's "100 000 blocks": what is left over, or was given to a batch, comes back in order.
#[test]
fn a_hundred_thousand_blocks_come_back() {
    let (storage, peer, mut journal) = (MemoryStorage::new(), Peer::default(), Journal::default());
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, lines).unwrap();
    for number in 0..100_000 {
        peer.send(format!("{number}\n").as_bytes());
        peer.await_read();
        if number == 49_999 {
            process.batch_until(&mut journal, Step::Journaled).unwrap();
        }
    }
    peer.await_read();
    drop(process);
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, lines).unwrap();
    process.recover(&mut journal).unwrap();
    process.batch(&mut journal).unwrap();
    assert!(journal.records().iter().map(ToString::to_string).eq((0..100_000).map(|number| number.to_string())));
}

/// Without its key the input is as in an application that is not durable, and says so where that cannot be.
#[test]
fn a_log_that_is_turned_off() {
    let (storage, peer, mut journal) = (MemoryStorage::new(), Peer::default(), Journal::default());
    let off = || Conf::new().write_ahead_log(false);
    let process = Process::start_with(off(), &storage, &network(&peer), &mut journal, lines).unwrap();
    peer.send(b"to be\n");
    peer.await_read();
    process.input().allocate(headwater_core::time::Time::from_millis(1000)).unwrap();
    assert_eq!(process.input().allocation(headwater_core::time::Time::from_millis(1000)), None);
    assert_eq!(storage.paths(), []);
    drop(process);
    let process = Process::start(&storage, &network(&peer), &mut journal, lines).unwrap();
    process.batch_until(&mut journal, Step::Journaled).unwrap();
    drop(process);
    let refused = Process::start_with(off(), &storage, &network(&peer), &mut journal, lines).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::Program);
    assert!(refused.to_string().contains("turned off: turn it on (Conf::write_ahead_log)"), "{refused}");
}

/// A program whose input is of another kind, and one whose log has lost a part.
#[test]
fn what_does_not_fit_is_an_error_that_says_why() {
    let (storage, peer, mut journal) = (MemoryStorage::new(), Peer::default(), Journal::default());
    let process = Process::start(&storage, &network(&peer), &mut journal, lines).unwrap();
    peer.send(b"to be\n");
    peer.await_read();
    process.batch_until(&mut journal, Step::Journaled).unwrap();
    drop(process);
    let mut other = Journal { allocations: journal.allocations.clone(), epoch: journal.epoch, ..Journal::default() };
    let other = Process::start(&storage.copy(), &network(&peer), &mut other, orders).err().unwrap();
    assert!(other.to_string().contains("a block of another kind of input was stored (1, not 2"), "{other}");

    storage.remove("run/lines/00000000000000000001.log").unwrap();
    let process = Process::start(&storage, &network(&peer), &mut journal, lines);
    let missing = process.and_then(|process| process.recover(&mut journal)).unwrap_err().to_string();
    assert!(missing.contains("received block 0: it is not in the write-ahead log"), "{missing}");
}
