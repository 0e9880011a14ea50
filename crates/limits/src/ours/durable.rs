//! Batches of a durable application on the real disk and the real clock: when their outputs had run, and when their
//! commits were synced.

use super::context;
use super::idle::lateness;
use crate::disk::Counting;
use crate::{checksum, data, process};
use headwater::StopHandle;
use headwater::env::{Clock, Env};
use headwater::prelude::*;
use headwater::testkit::MemorySource;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Batches that are not counted, while all threads and files come to be.
const WARM_UP: usize = 10;
/// Different keys of the records, which are added up by key.
const KEYS: u64 = 1000;

/// What is run.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) interval_ms: u64,
    /// Of a batch.
    pub(crate) records: u64,
    pub(crate) local: usize,
}

/// Seconds from the times of batches, and bytes.
#[derive(Default)]
pub(crate) struct Run {
    /// Until its outputs had run, of each batch.
    pub(crate) computed: Vec<f64>,
    /// Until its commit was synced, of each batch.
    pub(crate) committed: Vec<f64>,
    /// Bytes that a batch's events have in the journal.
    pub(crate) journal_bytes: f64,
    /// Bytes that went to the disk for a batch, in whole pages; none where the system does not tell.
    pub(crate) disk_bytes: Option<f64>,
}

impl Program {
    /// Runs for so long, with a checkpoint folder or without one.
    pub(crate) fn run(&self, folder: Option<String>, time: Duration) -> Result<Run, String> {
        let failed = |error: headwater::Error| error.to_string();
        let (storage, real) = (Arc::new(Counting::new()), headwater::system_env());
        let clock = Arc::new(Commits { clock: real.clock, handle: Mutex::default(), seen: Mutex::default() });
        let env = Env { clock: clock.clone(), storage: storage.clone(), ..real };
        let ssc = context::streaming(self.local, milliseconds(self.interval_ms), env);
        let is_durable = folder.is_some();
        folder.into_iter().for_each(|folder| ssc.checkpoint(folder));
        let ended: Arc<Mutex<Vec<(Time, f64)>>> = Arc::default();
        let noted = ended.clone();
        self.sums(&ssc).foreach_rdd(move |rdd, time| {
            // The last one may be cut off.
            if rdd.count().is_ok() {
                lock(&noted).push((time, lateness(time)));
            }
        });
        let running = ssc.start().map_err(failed)?;
        *lock(&clock.handle) = Some(running.stop_handle());
        let (journal, disk) = (storage.written().journal, process::disk_bytes());
        std::thread::sleep(time);
        let batches = lock(&ended).len().max(1) as f64;
        let journal_bytes = (storage.written().journal - journal) as f64 / batches;
        let disk_bytes = disk.zip(process::disk_bytes()).map(|(before, after)| (after - before) as f64 / batches);
        running.stop().map_err(failed)?;
        // It holds the context, which holds the clock.
        lock(&clock.handle).take();
        let (ended, seen) = (lock(&ended), lock(&clock.seen));
        let computed = ended.iter().skip(WARM_UP).map(|(_, late)| *late).collect();
        let committed = ended.iter().zip(seen.iter()).skip(WARM_UP);
        let committed = committed.map(|((time, _), at)| at - time.milliseconds() as f64 / 1000.0);
        let committed = if is_durable { committed.collect() } else { Vec::new() };
        Ok(Run { computed, committed, journal_bytes, disk_bytes })
    }

    fn sums(&self, ssc: &StreamingContext) -> DStream<u64> {
        let pairs = match self.records {
            0 => ssc.direct_stream(MemorySource::new("nothing", self.local)),
            records => ssc.rate_stream(records * 1000 / self.interval_ms, self.local, |n| data::pair(n, KEYS)),
        };
        pairs.reduce_by_key(u64::wrapping_add).map(|(key, sum)| checksum::reduced(key, sum))
    }
}

/// The machine's clock, which notes when batches count as committed: the generator wakes who waits as soon as it has
/// counted them, behind the sync of their commits.
struct Commits {
    clock: Arc<dyn Clock>,
    handle: Mutex<Option<StopHandle>>,
    /// When each batch was seen to be committed, in seconds.
    seen: Mutex<Vec<f64>>,
}

impl Clock for Commits {
    fn now(&self) -> Time {
        self.clock.now()
    }
    fn wait(&self, deadline: Option<Time>, ready: &mut dyn FnMut() -> bool) -> bool {
        self.clock.wait(deadline, ready)
    }
    fn notify(&self) {
        if let Some(handle) = &*lock(&self.handle) {
            let completed = handle.progress().completed as usize;
            let mut seen = lock(&self.seen);
            if completed > seen.len() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                seen.resize(completed, now.as_secs_f64());
            }
        }
        self.clock.notify();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
