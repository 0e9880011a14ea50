//! [`StateLogs`]: what batches change in keyed states, on its way to the disk. Tasks hand changes over, in memory; before a
//! batch is committed the driver writes them with one append for each log, and syncs.

use super::record::Record;
use headwater_core::env::Storage;
use headwater_core::state::{StateChange, StateLog, StateStore};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::{LogOptions, LogReader, LogWriter, Position};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of changes that wait for their batch's commit; a task that has more writes them itself.
const WAITING_BYTES_MAX: u64 = 128 << 20;

/// Bytes that are appended before a sync at most.
const GROUP_BYTES: u64 = 64 << 20;

/// The two logs, in the order of their numbers here.
pub(super) const LOGS: [(StateLog, &str); 2] = [(StateLog::Changes, "changes"), (StateLog::Windows, "windows")];

pub(super) struct StateLogs {
    epoch: u64,
    waiting: Mutex<Waiting>,
    logs: Mutex<[ChangeLog; 2]>,
    /// Bytes that were written to the log of changes since the last snapshot began.
    since_snapshot: AtomicU64,
}

/// Records that are not written.
#[derive(Default)]
struct Waiting {
    records: [Vec<Waits>; 2],
    bytes: u64,
}
/// A record, whose piece is copied once: into what is written.
struct Waits {
    time: Time,
    head: Vec<u8>,
    piece: Vec<u8>,
}
impl Waits {
    fn bytes(&self) -> u64 {
        (self.head.len() + self.piece.len()) as u64
    }
}

/// A log, and the newest batch of each of its segments.
struct ChangeLog {
    writer: LogWriter,
    newest: BTreeMap<u64, Time>,
    /// Segment and offset of the newest record.
    end: Option<(u64, u64)>,
}

impl StateLogs {
    /// Reads the logs below `folder`, from the segments `first` on, gives `load` every record in order, and goes on behind
    /// them. Errors as those of [`LogReader`]; of the kind `Fenced` if another process goes on there at the same time.
    pub(super) fn open(
        storage: &Arc<dyn Storage>,
        folder: &str,
        (application, epoch): (&str, u64),
        (first, ends): ([u64; 2], [Option<(u64, u64)>; 2]),
        warn: &dyn Fn(String),
        load: &mut dyn FnMut(StateLog, &Record) -> Result<()>,
    ) -> Result<StateLogs> {
        let mut bytes = 0;
        let mut open = |at: usize| -> Result<ChangeLog> {
            let (mut newest, of) = (BTreeMap::new(), (application, epoch, first[at]));
            let (reader, end) = read_log(storage, folder, of, (at, ends[at]), &mut |log, record, position| {
                let of_segment = newest.entry(position.segment).or_insert(record.time);
                *of_segment = record.time.max(*of_segment);
                bytes += u64::from(position.bytes) * u64::from(log == StateLog::Changes);
                load(log, record)
            })?;
            reader.torn().into_iter().for_each(|torn| warn(torn.to_string()));
            let replaced = || Error::new(ErrorKind::Fenced, format!("another process writes to {folder}"));
            Ok(ChangeLog { writer: reader.write()?.ok_or_else(replaced)?, newest, end })
        };
        let logs = Mutex::new([open(0)?, open(1)?]);
        let since_snapshot = AtomicU64::new(bytes);
        Ok(StateLogs { epoch, waiting: Mutex::default(), logs, since_snapshot })
    }

    /// Makes durable what was handed over. After an error nothing is lost: call again when what it says is mended.
    pub(super) fn sync(&self) -> Result<()> {
        // In this order: what another thread has taken must not overtake.
        let mut logs = self.logs();
        let Waiting { records, .. } = std::mem::take(&mut *self.waiting());
        let mut left = [Vec::new(), Vec::new()];
        let mut result = Ok(());
        for (at, records) in records.into_iter().enumerate() {
            left[at] = records;
            if result.is_ok() {
                result = logs[at].write(&mut left[at]).map(|bytes| {
                    self.since_snapshot.fetch_add(bytes * u64::from(at == 0), Ordering::Relaxed);
                });
            }
        }
        if result.is_err() {
            let mut waiting = self.waiting();
            for (at, left) in left.into_iter().enumerate() {
                waiting.bytes += left.iter().map(Waits::bytes).sum::<u64>();
                waiting.records[at].splice(..0, left);
            }
        }
        result
    }
    /// Where the newest record of each log begins.
    pub(super) fn ends(&self) -> [Option<(u64, u64)>; 2] {
        self.logs().each_ref().map(|log| log.end)
    }
    pub(super) fn bytes_since_snapshot(&self) -> u64 {
        self.since_snapshot.load(Ordering::Relaxed)
    }
    pub(super) fn snapshot_begins(&self) {
        self.since_snapshot.store(0, Ordering::Relaxed);
    }
    /// The first segment of each log that has something of a batch behind `times`.
    pub(super) fn first_needed(&self, times: [Time; 2]) -> [u64; 2] {
        let logs = self.logs();
        let first = |at: usize| {
            let ChangeLog { writer, newest, .. } = &logs[at];
            let needed = newest.iter().find(|(_, newest)| **newest > times[at]);
            needed.map_or(writer.segment(), |(segment, _)| *segment)
        };
        [first(0), first(1)]
    }
    /// Removes the segments before these.
    pub(super) fn remove_before(&self, first: [u64; 2]) -> Result<()> {
        let mut logs = self.logs();
        logs.iter_mut().zip(first).try_for_each(|(log, first)| {
            log.newest = log.newest.split_off(&first);
            log.writer.remove_before(first)
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn logs(&self) -> MutexGuard<'_, [ChangeLog; 2]> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That a log, read from segment `first` on to the record at `end`, has what was committed: the record at `wanted`.
pub(super) fn check_end(log: &str, first: u64, wanted: Option<(u64, u64)>, end: Option<(u64, u64)>) -> Result<()> {
    let Some((segment, offset)) = wanted.filter(|wanted| wanted.0 >= first && end < Some(*wanted)) else {
        return Ok(());
    };
    let ends = end
        .map_or("has no record".to_owned(), |(segment, offset)| format!("ends at byte {offset} of segment {segment}"));
    let message = format!(
        "the log {log} {ends}, and what was committed goes on to byte {offset} of segment {segment}; was the folder copied in \
         part? Restore it from a copy"
    );
    Err(Error::new(ErrorKind::Data, message))
}

/// Reads log `at` of [`LOGS`], of that application, as a process of that epoch, from that segment on, and makes sure that it
/// goes as far as what was committed: to `wanted`. The reader, and where the last record begins.
pub(super) fn read_log(
    storage: &Arc<dyn Storage>,
    folder: &str,
    (application, epoch, first): (&str, u64, u64),
    (at, wanted): (usize, Option<(u64, u64)>),
    each: &mut dyn FnMut(StateLog, &Record, Position) -> Result<()>,
) -> Result<(LogReader, Option<(u64, u64)>)> {
    let ((log, name), mut end) = (LOGS[at], None);
    // 0 is that of a log that was never trimmed: it begins with 1, and a beginning that is lost is damage.
    let options = LogOptions::new(application, epoch).first(first.max(1));
    let mut reader = LogReader::open(storage.clone(), &format!("{folder}/{name}"), options)?;
    while let Some((position, record)) = reader.next()? {
        each(log, &Record::decode(&record)?, position)?;
        end = Some((position.segment, position.offset));
    }
    check_end(&format!("{folder}/{name}"), first, wanted, end)?;
    Ok((reader, end))
}

impl ChangeLog {
    /// Writes and syncs `records`, which are taken out as they are durable; how many bytes those had.
    fn write(&mut self, records: &mut Vec<Waits>) -> Result<u64> {
        let mut written = 0;
        while !records.is_empty() {
            let (mut bytes, mut count, mut segments) = (0, 0, Vec::new());
            let mut append = |record: &Waits| -> Result<()> {
                let position = self.writer.append_parts(&[&record.head, &record.piece])?;
                segments.push((position.segment, position.offset, record.time));
                bytes += record.bytes();
                count += 1;
                Ok(())
            };
            let of_group = records.iter().scan(0, |sum, record| {
                let before = *sum;
                *sum += record.bytes();
                (before < GROUP_BYTES).then_some(record)
            });
            let appended = of_group.into_iter().try_for_each(&mut append);
            if let Err(error) = appended.and_then(|()| self.writer.sync()) {
                self.writer.forget_unsynced();
                return Err(error);
            }
            for (segment, offset, time) in segments {
                self.end = Some((segment, offset));
                let newest = self.newest.entry(segment).or_insert(time);
                *newest = time.max(*newest);
            }
            records.drain(..count);
            written += bytes;
        }
        Ok(written)
    }
}

impl StateStore for StateLogs {
    fn put(&self, changes: Vec<StateChange>) {
        let mut full = false;
        for StateChange { operator, partition, time, log, piece } in changes {
            let (operator, partition) = (operator.as_str(), partition as u32);
            let head = Record { epoch: self.epoch, time, partition, operator, piece: &piece }.head();
            let record = Waits { time, head, piece };
            let mut waiting = self.waiting();
            waiting.bytes += record.bytes();
            full |= waiting.bytes > WAITING_BYTES_MAX;
            waiting.records[LOGS.iter().position(|(known, _)| *known == log).expect("there are two logs")].push(record);
        }
        if full {
            // Should it fail, the commit fails too, and tells.
            let _tried_again = self.sync();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_core::OperatorId;
    use headwater_storage::{Failure, FaultPlan, FaultyStorage, MemoryStorage};

    fn change(time: i64, log: StateLog, byte: u8) -> StateChange {
        let operator: OperatorId = named("sums");
        StateChange { operator, partition: 1, time: Time::from_millis(time), log, piece: vec![byte] }
    }
    /// Ids are made by graphs; the bytes of one make another.
    fn named(name: &str) -> OperatorId {
        headwater_core::wire::decode(&headwater_core::wire::encode(name).unwrap()).unwrap()
    }
    fn opened(storage: &Arc<dyn Storage>, epoch: u64, first: [u64; 2]) -> (StateLogs, Vec<(StateLog, i64, u8)>) {
        let mut read = Vec::new();
        let logs = StateLogs::open(storage, "s", ("test", epoch), (first, [None; 2]), &|_| (), &mut |log, record| {
            read.push((log, record.time.milliseconds(), record.piece[0]));
            Ok(())
        });
        (logs.unwrap(), read)
    }

    #[test]
    fn what_was_synced_is_read_in_order_and_what_was_not_is_gone() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (logs, read) = opened(&storage, 1, [0, 0]);
        assert!(read.is_empty());
        logs.put(vec![change(10, StateLog::Changes, 1), change(10, StateLog::Windows, 2)]);
        logs.put(vec![change(20, StateLog::Changes, 3)]);
        logs.sync().unwrap();
        logs.put(vec![change(30, StateLog::Changes, 4)]);
        let (_, read) = opened(&storage, 2, [0, 0]);
        assert_eq!(read, [(StateLog::Changes, 10, 1), (StateLog::Changes, 20, 3), (StateLog::Windows, 10, 2)]);
    }

    #[test]
    fn a_failed_sync_keeps_what_it_could_not_write() {
        for step in 1..12 {
            let memory = MemoryStorage::new();
            let plan = FaultPlan::new(step).fail(step, Failure::DiskFull);
            let storage: Arc<dyn Storage> = Arc::new(FaultyStorage::new(memory.clone(), plan));
            let tried = StateLogs::open(&storage, "s", ("test", 1), ([0, 0], [None; 2]), &|_| (), &mut |_, _| Ok(()));
            let Ok(logs) = tried else { continue };
            logs.put(vec![change(10, StateLog::Changes, 1), change(10, StateLog::Windows, 2)]);
            if logs.sync().is_err() {
                logs.put(vec![change(20, StateLog::Changes, 3)]);
            }
            logs.sync().unwrap();
            let (_, read) = opened(&(Arc::new(memory) as Arc<dyn Storage>), 2, [0, 0]);
            let bytes: Vec<u8> = read.iter().map(|(.., byte)| *byte).collect();
            assert!(bytes == [1, 2] || bytes == [1, 3, 2], "step {step}: {bytes:?}");
        }
    }

    #[test]
    fn old_segments_go_when_nothing_in_them_is_needed() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut first = [0, 0];
        for epoch in 1..6 {
            let (logs, read) = opened(&storage, epoch, first);
            assert!(read.len() <= 2, "{read:?}");
            logs.put(vec![change(epoch as i64 * 10, StateLog::Changes, 1)]);
            logs.sync().unwrap();
            first = logs.first_needed([Time::from_millis(epoch as i64 * 10 - 10), Time::from_millis(0)]);
            logs.remove_before(first).unwrap();
        }
    }
}
