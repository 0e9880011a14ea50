//! The rows of `recovery`: a process with state is killed in the middle of a batch; how long the next one takes from its
//! start to its first new batch, and whether its state is right.

use crate::arguments::Arguments;
use crate::disk::{self, Folder};
use crate::ours::recovery::{COMMITTED, Process, RIGHT};
use crate::quantiles::{median, quantile};
use crate::report::{Aim, Row, announce};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const KEYS: usize = 1_000_000;
/// How long a process runs before it is killed: long enough for some snapshots; a little more each time.
const LIFE: Duration = Duration::from_secs(5);
const LONGER: Duration = Duration::from_millis(730);

/// Seconds.
const AIM: f64 = 1.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (keys, updates) = (arguments.keys.unwrap_or(KEYS), arguments.updates);
    let rows = measure(keys, updates, LIFE, arguments)?;
    rows.iter().for_each(announce);
    Ok(rows)
}

fn measure(keys: usize, updates: usize, life: Duration, arguments: &Arguments) -> Result<Vec<Row>, String> {
    let folder = Folder::new(arguments.dir.as_deref())?;
    let path = folder.path("run");
    let start = |old| Process::start(&path, keys, updates, old, arguments.local);
    let mut process = start(0)?;
    process.told(RIGHT)?;
    let (mut seconds, mut caught_up, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..arguments.rounds {
        process.kill_after(life + LONGER * round as u32)?;
        let megabytes = disk::bytes_below(&path) as f64 / 1e6;
        process = start(now())?;
        let new = process.told(COMMITTED)?;
        // Which also says that nothing is lost or doubled.
        let right = process.told(RIGHT)?;
        seconds.push(new.seconds);
        caught_up.push(right.seconds);
        notes.push(format!("{:.3} s of {megabytes:.0} MB behind {:.1} M records", new.seconds, right.numbers[0] / 1e6));
    }
    let name = |what| format!("{keys} keys, {updates} updates every 100 ms: {what}");
    let row = Row::value(name("from the start of a process to its first new batch"), "s", median(&seconds));
    let checked = Row::value(name("to a sum over all keys, which is right"), "s", median(&caught_up));
    let longest = Row::value(name("the longest of the first"), "s", quantile(&seconds, 1.0));
    Ok(vec![row.aim(Aim::Ours(AIM)).note(&notes.join(", ")), checked.uncounted(), longest.uncounted()])
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}
