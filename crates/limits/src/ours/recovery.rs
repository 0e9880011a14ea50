//! A process that is killed in the middle of a batch, and the next one on its checkpoint folder. Both are this program,
//! started with a hidden command.

use super::{context, state};
use crate::data;
use headwater::direct::{BatchRequest, DirectSource, OffsetRange, PartitionOffsets, RateSource};
use headwater::prelude::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Instant;

const CHILD: &str = "child-recovery";
pub(crate) const INTERVAL: Duration = Duration::from_millis(100);

/// A process that runs the program.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    start: Instant,
}

/// What a process tells when its first new batch is committed, or a later one was checked.
pub(crate) struct Told {
    /// From before the process was made.
    pub(crate) seconds: f64,
    pub(crate) numbers: Vec<f64>,
}

impl Process {
    /// On `keys` keys, `updates` records a batch; batches up to `old` milliseconds were an earlier process's.
    pub(crate) fn start(folder: &str, keys: usize, updates: usize, old: i64, local: usize) -> Result<Process, String> {
        let failed = |error: std::io::Error| format!("cannot run {CHILD}: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args([CHILD, &local.to_string(), folder, &keys.to_string(), &updates.to_string(), &old.to_string()]);
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
        let lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        Ok(Process { child, lines, start })
    }

    /// Waits for the line that begins with `word`.
    pub(crate) fn told(&mut self, word: &str) -> Result<Told, String> {
        for line in self.lines.by_ref() {
            let line = line.map_err(|error| format!("cannot read what {CHILD} tells: {error}"))?;
            if let Some(numbers) = line.strip_prefix(word) {
                let seconds = self.start.elapsed().as_secs_f64();
                let numbers = numbers.split_whitespace().map(|number| number.parse().unwrap_or(f64::NAN)).collect();
                return Ok(Told { seconds, numbers });
            }
        }
        Err(format!("{CHILD} ended before it told of `{word}`"))
    }

    /// Kills it, within the next batch behind `time`.
    pub(crate) fn kill_after(mut self, time: Duration) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < time {
            self.told(BATCH)?;
        }
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(drop).map_err(|error| format!("cannot kill {CHILD}: {error}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// What a process tells: a batch runs; a new one is committed, as which of this process; the state was right, behind so
/// many records, behind so many batches.
const BATCH: &str = "batch";
pub(crate) const COMMITTED: &str = "committed";
pub(crate) const RIGHT: &str = "right";

/// The command of this file: runs until it is killed.
pub(super) fn child(name: &str, local: usize, rest: &[String]) -> Option<headwater::Result<()>> {
    (name == CHILD).then(|| run(local, rest))
}

fn run(local: usize, rest: &[String]) -> headwater::Result<()> {
    let folder = rest.first().expect("the parent names the folder");
    let [keys, updates, old] = [1, 2, 3].map(|at| super::child::number(rest, at));
    let old = Time::from_millis(old as i64);
    let ssc = context::streaming(local, INTERVAL, headwater::system_env());
    ssc.checkpoint(folder);
    let per_second = updates * 1000 / INTERVAL.as_millis() as u64;
    let ends = Arc::new(Mutex::default());
    let source = Ranges { source: RateSource::new(per_second, local, move |n| record(n, keys))?, ends: ends.clone() };
    let sums = state::sums(&ssc.direct_stream(source));
    sums.foreach_rdd(|rdd, _| {
        tell(BATCH);
        rdd.count().expect("the job ends well");
    });
    let (checks, (sent, checked)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
    let wanted = checks.clone();
    sums.state_snapshots().map(|(_, sum)| sum).foreach_rdd(move |rdd, time| {
        if wanted.swap(false, Ordering::AcqRel) {
            let sum = rdd.reduce(u64::wrapping_add).expect("the job ends well");
            sent.send((time, sum.unwrap_or_default())).expect("the main thread waits for it");
        }
    });
    let running = ssc.start()?;
    let mut batches = 0;
    while running.progress().last_completed.is_none_or(|last| last <= old) {
        batches += 1;
        running.await_batches(batches)?;
    }
    tell(&format!("{COMMITTED} {batches}"));
    checks.store(true, Ordering::Release);
    let (time, sum) = checked.recv().expect("a batch sends its sum");
    let records = ends.lock().unwrap_or_else(PoisonError::into_inner)[&time];
    let expected = (0..records).fold(0u64, |sum, n| sum.wrapping_add(record(n, keys).1));
    assert_eq!(sum, expected, "the sum of all keys behind {records} records");
    tell(&format!("{RIGHT} {records} {}", running.progress().completed));
    running.await_termination()
}

/// The first records have all keys in turn, and later ones any.
fn record(number: u64, keys: u64) -> (u64, u64) {
    if number < keys { (data::key(number), number) } else { data::pair(number, keys) }
}

/// The parent may have killed this process's readers.
fn tell(line: &str) {
    let _told = writeln!(std::io::stdout().lock(), "{line}");
}

/// A rate source that remembers how many records there are up to each batch.
struct Ranges<F> {
    source: RateSource<F>,
    ends: Arc<Mutex<BTreeMap<Time, u64>>>,
}

impl<F: Fn(u64) -> (u64, u64) + Send + Sync + 'static> DirectSource for Ranges<F>
where
    RateSource<F>: DirectSource<Record = (u64, u64)>,
{
    type Record = (u64, u64);

    fn name(&self) -> String {
        self.source.name()
    }
    fn available(&self, batch: &BatchRequest<'_>) -> headwater::Result<Vec<PartitionOffsets>> {
        let held = self.source.available(batch)?;
        let records = held.iter().map(|held| held.end).sum();
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(batch.time(), records);
        Ok(held)
    }
    fn read(&self, range: &OffsetRange) -> headwater::Result<impl Iterator<Item = headwater::Result<(u64, u64)>>> {
        self.source.read(range)
    }
}
