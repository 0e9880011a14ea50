//! Records that are written together, one after the other, and not at all.

use super::*;
use crate::env::ManualClock;
use crate::time::Time;
use std::sync::mpsc::{Receiver, Sender, channel};

/// A log that keeps what it is given, write by write, when the test lets it.
struct Recording {
    writes: Mutex<Vec<Vec<Vec<u8>>>>,
    /// What the next writes do; without it they work.
    answers: Mutex<Option<Receiver<Answer>>>,
    entered: Sender<()>,
}
enum Answer {
    Work,
    Fail,
    Panic,
}
impl WriteAheadLog for Recording {
    fn read_all(
        &self,
        _from: Option<&RecordHandle>,
        _each: &mut dyn FnMut(RecordHandle, Vec<u8>) -> Result<()>,
    ) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn write(&self, records: &[&[u8]]) -> Result<Vec<RecordHandle>> {
        self.entered.send(()).unwrap();
        let answer = self.answers.lock().unwrap().as_ref().map_or(Answer::Work, |answers| answers.recv().unwrap());
        match answer {
            Answer::Work => {}
            Answer::Fail => return Err(Error::new(ErrorKind::Resources, "the disk is full")),
            Answer::Panic => panic!("a defect"),
        }
        self.writes.lock().unwrap().push(records.iter().map(|record| record.to_vec()).collect());
        records.iter().map(|record| RecordHandle::new(record)).collect()
    }
    fn read(&self, handle: &RecordHandle) -> Result<Vec<u8>> {
        Ok(handle.as_bytes().to_vec())
    }
    fn clean(&self, _before: &RecordHandle) -> Result<()> {
        Ok(())
    }
}

fn writer(answers: Option<Receiver<Answer>>) -> (Arc<Recording>, BatchingWriter<u64>, Receiver<()>) {
    let (entered, enters) = channel();
    let log = Arc::new(Recording { writes: Mutex::default(), answers: Mutex::new(answers), entered });
    (log.clone(), BatchingWriter::new(log, Arc::new(ManualClock::new(Time::from_millis(0)))), enters)
}
fn push(writer: &BatchingWriter<u64>, record: &str) -> u64 {
    writer.push(|number| (record.as_bytes().to_vec(), number)).unwrap()
}
fn written(log: &Recording) -> Vec<Vec<String>> {
    let text = |record: &Vec<u8>| String::from_utf8(record.clone()).unwrap();
    log.writes.lock().unwrap().iter().map(|write| write.iter().map(text).collect()).collect()
}

/// Spark's "BatchedWriteAheadLog - records get added to a queue" and "batching multiple records".
#[test]
fn what_comes_in_during_a_write_is_written_together() {
    let (answer, answers) = channel();
    let (log, writer, enters) = writer(Some(answers));
    let durable = Mutex::new(Vec::new());
    let flush = |number| writer.flush(number, &mut |_, entry| durable.lock().unwrap().push(entry)).unwrap();
    std::thread::scope(|scope| {
        let first = push(&writer, "a");
        scope.spawn(move || flush(first));
        enters.recv().unwrap();
        let more = ["b", "c", "d"].map(|record| push(&writer, record));
        for number in more {
            scope.spawn(move || flush(number));
        }
        assert!(writer.has_queued());
        answer.send(Answer::Work).unwrap();
        answer.send(Answer::Work).unwrap();
    });
    assert_eq!(written(&log), [vec!["a"], vec!["b", "c", "d"]]);
    assert_eq!(*durable.lock().unwrap(), [0, 1, 2, 3]);
    assert!(!writer.has_queued());
}

/// Spark's "WAL failure keeps blocks queued", and a write that throws.
#[test]
fn what_could_not_be_written_stays_queued_in_its_order() {
    let (answer, answers) = channel();
    let (log, writer, _enters) = writer(Some(answers));
    [Answer::Fail, Answer::Panic, Answer::Work].into_iter().for_each(|step| answer.send(step).unwrap());
    let mut durable = Vec::new();
    push(&writer, "a");
    let last = push(&writer, "b");
    let error = writer.flush(last, &mut |_, entry| durable.push(entry)).unwrap_err();
    assert_eq!(error.to_string(), "the disk is full");
    push(&writer, "c");
    let error = writer.try_flush(&mut |_, entry| durable.push(entry)).unwrap_err();
    assert_eq!(error.to_string(), "the write-ahead log panicked: a defect");
    writer.flush(last, &mut |_, entry| durable.push(entry)).unwrap();
    assert_eq!(written(&log), [["a", "b", "c"]]);
    assert_eq!(durable, [0, 1, 2]);
    writer.try_flush(&mut |_, _| unreachable!("nothing is queued")).unwrap();
}

#[test]
fn the_queue_is_bounded_and_a_closed_one_takes_nothing() {
    let (log, writer, _enters) = writer(None);
    let large = |bytes: usize| writer.push(|number| (vec![0; bytes], number));
    assert_eq!(large(super::super::RECORD_BYTES_MAX + 1).unwrap_err().kind(), ErrorKind::Resources);
    (0..WAITING_RECORDS_MAX).for_each(|_| assert!(large(1).is_ok()));
    assert!(!writer.has_room());
    let full = large(1).unwrap_err();
    assert!(full.kind() == ErrorKind::Resources && full.to_string().contains("4096"), "{full}");
    writer.close();
    assert_eq!(large(1).unwrap_err().kind(), ErrorKind::Fenced);
    assert_eq!(writer.flush(0, &mut |_, _| ()).unwrap_err().kind(), ErrorKind::Fenced);
    assert!(!writer.has_queued() && log.writes.lock().unwrap().is_empty());
}
