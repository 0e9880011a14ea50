//! Logs of the program's own, torn ones and damaged ones.

use super::peer::Peer;
use super::process::{Journal, Process, Step};
use crate::conf::Conf;
use crate::context::StreamingContext;
use headwater_core::dstream::DStream;
use headwater_core::env::{Network, Storage};
use headwater_core::receiver::{RecordHandle, WriteAheadLog};
use headwater_core::{Error, ErrorKind, Result, Text};
use headwater_storage::MemoryStorage;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn lines(ssc: &StreamingContext) -> DStream<Text> {
    ssc.socket_text_stream("peer", 9999)
}
fn network(peer: &Peer) -> Arc<dyn Network> {
    Arc::new(peer.clone())
}

/// Records by number, in memory: as simple as a log can be. A write may work and say that it has not.
#[derive(Clone, Default)]
struct OwnLog {
    records: Arc<Mutex<BTreeMap<u32, Vec<u8>>>>,
    fails: Arc<AtomicBool>,
    fails_with_effect: Arc<AtomicBool>,
}
impl WriteAheadLog for OwnLog {
    fn read_all(
        &self,
        _from: Option<&RecordHandle>,
        each: &mut dyn FnMut(RecordHandle, Vec<u8>) -> Result<()>,
    ) -> Result<Vec<String>> {
        let records = self.records.lock().unwrap().clone();
        records.into_iter().try_for_each(|(number, record)| each(RecordHandle::new(&number.to_be_bytes())?, record))?;
        Ok(vec!["what a log of one's own has to say".to_owned()])
    }
    fn write(&self, records: &[&[u8]]) -> Result<Vec<RecordHandle>> {
        let failed = || Err(Error::new(ErrorKind::Outside, "the own log fails"));
        if self.fails.load(Ordering::SeqCst) {
            return failed();
        }
        let mut kept = self.records.lock().unwrap();
        let handles = records.iter().map(|record| {
            let number = kept.last_key_value().map_or(0, |(last, _)| last + 1);
            kept.insert(number, record.to_vec());
            RecordHandle::new(&number.to_be_bytes())
        });
        let handles = handles.collect();
        if self.fails_with_effect.swap(false, Ordering::SeqCst) { failed() } else { handles }
    }
    fn read(&self, handle: &RecordHandle) -> Result<Vec<u8>> {
        let number = u32::from_be_bytes(handle.as_bytes().try_into().expect("our own handle"));
        self.records.lock().unwrap().get(&number).cloned().ok_or_else(|| Error::new(ErrorKind::Data, "cleaned"))
    }
    fn clean(&self, before: &RecordHandle) -> Result<()> {
        let number = u32::from_be_bytes(before.as_bytes().try_into().expect("our own handle"));
        self.records.lock().unwrap().retain(|kept, _| *kept >= number);
        Ok(())
    }
}

/// The program of [`lines`] with a log of its own.
fn lines_in(log: &OwnLog) -> impl Fn(&StreamingContext) -> DStream<Text> + use<> {
    let log = log.clone();
    move |ssc| {
        let log = log.clone();
        ssc.write_ahead_log(move |_folder| Ok(Arc::new(log.clone()) as Arc<dyn WriteAheadLog>));
        lines(ssc)
    }
}

#[test]
fn a_log_of_the_programs_own_takes_the_place_of_ours() {
    let (storage, peer, mut journal, log) =
        (MemoryStorage::new(), Peer::default(), Journal::default(), OwnLog::default());
    let program = lines_in(&log);
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, &program).unwrap();
    process.env.await_warning("what a log of one's own has to say");
    peer.send(b"to be\n");
    peer.await_read();
    process.batch_until(&mut journal, Step::Journaled).unwrap();
    // A write works and says that it has not: the same record is there twice, and counts once.
    log.fails_with_effect.store(true, Ordering::SeqCst);
    peer.send(b"or not\n");
    process.await_error();
    while log.records.lock().unwrap().len() < 3 {
        process.env.clock.advance(Duration::from_secs(8));
        std::thread::yield_now();
    }
    peer.await_read();
    drop(process);
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, &program).unwrap();
    process.recover(&mut journal).unwrap();
    process.batch(&mut journal).unwrap();
    process.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["to be", "or not"]);
    assert_eq!(storage.paths(), []);
    assert!(log.records.lock().unwrap().keys().eq(&[1, 2]), "what is done was cleaned, but for the newest block");
}

/// Spark's "WAL failure keeps blocks queued": they go to a batch when they are durable, and a stop loses none that can be
/// written.
#[test]
fn blocks_that_cannot_be_written_wait_for_a_later_batch() {
    let (storage, peer, mut journal, log) =
        (MemoryStorage::new(), Peer::default(), Journal::default(), OwnLog::default());
    let program = lines_in(&log);
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, program).unwrap();
    log.fails.store(true, Ordering::SeqCst);
    peer.send(b"to be\n");
    process.await_error();
    process.batch(&mut journal).unwrap();
    assert!(process.input().has_unallocated() && journal.records().is_empty());
    process.input().stop();
    log.fails.store(false, Ordering::SeqCst);
    process.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["to be"]);
    assert!(!process.input().has_unallocated());
    assert_eq!(process.errors().len(), 1, "{:?}", process.errors());
}

/// The files of three batches, of which the first is committed and the second not.
fn written() -> (MemoryStorage, Journal<Text>) {
    let (storage, peer, mut journal) = (MemoryStorage::new(), Peer::default(), Journal::default());
    let process = Process::start_with(Conf::new(), &storage, &network(&peer), &mut journal, lines).unwrap();
    for (batch, step) in [("one\n", Step::Committed), ("two\n", Step::Journaled), ("three\n", Step::Allocated)] {
        peer.send(batch.as_bytes());
        peer.await_read();
        process.batch_until(&mut journal, step).unwrap();
    }
    drop(process);
    (storage, journal)
}
const LOG: &str = "run/lines/00000000000000000001.log";

#[test]
fn a_torn_tail_is_cut_with_a_warning() {
    let (storage, mut journal) = written();
    let bytes = storage.read(LOG).unwrap().unwrap();
    storage.put(LOG, &bytes[..bytes.len() - 1]).unwrap();
    let process = Process::start_with(Conf::new(), &storage, &network(&Peer::default()), &mut journal, lines).unwrap();
    process.env.await_warning("ends in a torn write");
    process.recover(&mut journal).unwrap();
    process.batch(&mut journal).unwrap();
    assert_eq!(journal.records(), ["one", "two"]);
}

#[test]
fn damage_in_the_middle_is_an_error_that_names_the_newest_good_point() {
    let (storage, mut journal) = written();
    let bytes = storage.read(LOG).unwrap().unwrap();
    let at = bytes.windows(4).position(|bytes| bytes == b"two\n").unwrap();
    storage.flip_bit(LOG, 8 * at as u64);
    let damage = Process::start_with(Conf::new(), &storage, &network(&Peer::default()), &mut journal, lines);
    let damage = damage.err().unwrap();
    assert_eq!(damage.kind(), ErrorKind::Data);
    let message = damage.to_string();
    assert!(
        message.starts_with("the received blocks of socket peer:9999: the log is damaged: run/lines/0"),
        "{message}"
    );
    assert!(message.contains("the newest good point is byte") && message.contains("behind 1 records"), "{message}");
}
