//! Snapshots of all states: a thread walks over them while batches go on, and writes a log of its own for each snapshot.
//! What changes meanwhile is in the log of changes.

use super::event::{Millis, StateSnapshot};
use super::record::Record;
use headwater_core::dstream::DStreamGraph;
use headwater_core::env::{Env, Storage, Thread};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result, panic_message};
use headwater_storage::{LogOptions, LogReader, LogWriter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes between two syncs of a snapshot: small, so that a commit does not wait long for the disk behind one.
const GROUP_BYTES: usize = 4 << 20;

/// Where the snapshots of an application are.
#[derive(Clone)]
pub(super) struct SnapshotFolder {
    pub(super) storage: Arc<dyn Storage>,
    /// `DIR/state/snapshots`
    pub(super) path: String,
    pub(super) application: String,
    pub(super) epoch: u64,
}

impl SnapshotFolder {
    pub(super) fn of(&self, number: u64) -> String {
        format!("{}/{number:020}", self.path)
    }
    fn options(&self) -> LogOptions {
        LogOptions::new(&self.application, self.epoch)
    }
    /// Gives `load` every record; an error of the kind `Data` if it is damaged or not whole.
    pub(super) fn read(&self, snapshot: &StateSnapshot, mut load: impl FnMut(&Record) -> Result<()>) -> Result<()> {
        let folder = self.of(snapshot.number);
        let mut reader = LogReader::open(self.storage.clone(), &folder, self.options())?;
        let mut records = 0;
        while let Some((_, record)) = reader.next()? {
            load(&Record::decode(&record)?)?;
            records += 1;
        }
        if records == snapshot.records {
            return Ok(());
        }
        let message = format!("the snapshot {folder} has {records} of {} records", snapshot.records);
        Err(Error::new(ErrorKind::Data, message))
    }
    pub(super) fn remove(&self, number: u64) -> Result<()> {
        let folder = self.of(number);
        let files = self.storage.list(&folder)?;
        files.iter().try_for_each(|file| self.storage.remove(&format!("{folder}/{}", file.name)))
    }
}

/// A snapshot that is being written.
pub(super) struct Snapshotting {
    thread: Box<dyn Thread>,
    shared: Arc<Shared>,
    pub(super) number: u64,
}
#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    outcome: Mutex<Option<Result<StateSnapshot>>>,
}

impl Snapshotting {
    /// Begins to write the snapshot `number` of the states of `operators`.
    pub(super) fn begin(
        env: &Env,
        folder: SnapshotFolder,
        graph: Arc<DStreamGraph>,
        operators: Vec<OperatorId>,
        number: u64,
    ) -> Result<Snapshotting> {
        let shared = Arc::new(Shared::default());
        let (of_thread, clock) = (shared.clone(), env.clock.clone());
        let body = move || {
            let write = || write(&folder, &graph, &operators, number, &of_thread.cancelled);
            // The user's own code writes his types.
            let outcome = catch_unwind(AssertUnwindSafe(write)).unwrap_or_else(|panic| {
                Err(Error::new(ErrorKind::Data, format!("writing a state panicked: {}", panic_message(&*panic))))
            });
            *of_thread.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            clock.notify();
        };
        Ok(Snapshotting { thread: env.spawner.spawn("state-snapshot", Box::new(body))?, shared, number })
    }
    /// What came of it, once it has ended.
    pub(super) fn outcome(&self) -> Option<Result<StateSnapshot>> {
        self.shared.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
    /// Ends it, and waits for that.
    pub(super) fn end(self) {
        self.shared.cancelled.store(true, Ordering::Release);
        self.thread.join();
    }
}

fn write(
    folder: &SnapshotFolder,
    graph: &DStreamGraph,
    operators: &[OperatorId],
    number: u64,
    cancelled: &AtomicBool,
) -> Result<StateSnapshot> {
    let path = folder.of(number);
    let reader = LogReader::open(folder.storage.clone(), &path, folder.options())?;
    let taken = || Error::new(ErrorKind::Fenced, format!("another process writes to {path}"));
    let mut out = Writing { log: reader.write()?.ok_or_else(taken)?, unsynced: 0, records: 0, bytes: 0 };
    let (mut since, mut until) = (None, None);
    for operator in operators {
        let times = graph.state_image(*operator, &mut |partition, piece| {
            if cancelled.load(Ordering::Acquire) {
                return Err(Error::new(ErrorKind::Cancelled, "the program stops"));
            }
            let (epoch, time) = (folder.epoch, Time::from_millis(0));
            out.record(&Record { epoch, time, partition: partition as u32, operator: operator.as_str(), piece: &piece })
        })?;
        if let Some((oldest, newest)) = times {
            since = Some(since.map_or(oldest, |since: Time| since.min(oldest)));
            until = until.max(Some(newest));
        }
    }
    out.log.sync()?;
    let Some((since, until)) = since.zip(until) else {
        return Err(Error::new(ErrorKind::Internal, "a snapshot of states without a batch"));
    };
    let (since, until): (Millis, Millis) = (since.into(), until.into());
    Ok(StateSnapshot { number, since, until, records: out.records, bytes: out.bytes })
}

struct Writing {
    log: LogWriter,
    unsynced: usize,
    records: u64,
    bytes: u64,
}
impl Writing {
    fn record(&mut self, record: &Record) -> Result<()> {
        let position = self.log.append_parts(&[&record.head(), record.piece])?;
        self.records += 1;
        self.bytes += u64::from(position.bytes);
        self.unsynced += position.bytes as usize;
        if self.unsynced >= GROUP_BYTES {
            self.unsynced = 0;
            self.log.sync()?;
        }
        Ok(())
    }
}
