//! The rows of `durable`: what a commit costs on the real disk, beside a bare loop that appends as many bytes and syncs
//! them, at the same pace and in the same run.

use crate::arguments::Arguments;
use crate::disk::{self, Folder};
use crate::ours::durable::{Program, Run};
use crate::quantiles::{median, quantile};
use crate::report::{Aim, Row, announce};
use std::time::{Duration, Instant};

const INTERVALS_MS: [u64; 4] = [1, 5, 10, 100];
const RECORDS: [u64; 2] = [0, 10_000];

/// Each of the three runs so often, in turns, for so long: so many batches, but no shorter than that.
const ROUNDS: usize = 3;
const PART_MIN: Duration = Duration::from_millis(1500);
const PART_BATCHES: u32 = 40;

/// The ratio to hold.
const AIM: f64 = 0.5;
/// How much later the last batches may be than the first before we say that batches fall behind; an interval, but not
/// less than this, which is what the machine's own stalls come to.
const GROWTH_MIN: f64 = 10e-3;
/// Bytes of a range at least: its partition, from, until.
const RANGE_BYTES: f64 = 20.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for interval_ms in INTERVALS_MS {
        for records in RECORDS {
            let program = Program { interval_ms, records, local: arguments.local };
            let part = PART_MIN.max(Duration::from_millis(interval_ms) * PART_BATCHES);
            let measured = measure(program, part, arguments)?;
            for row in rows_of(program, &measured) {
                announce(&row);
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

#[derive(Default)]
struct Measured {
    runs: Vec<Run>,
    /// Of append and sync.
    bare: Vec<f64>,
    /// Without a checkpoint folder.
    plain: Vec<f64>,
}

fn measure(program: Program, part: Duration, arguments: &Arguments) -> Result<Measured, String> {
    let mut measured = Measured::default();
    for _ in 0..ROUNDS {
        let folder = Folder::new(arguments.dir.as_deref())?;
        let run = program.run(Some(folder.path("run")), part)?;
        let pace = paced(Duration::from_millis(program.interval_ms), part);
        let bytes = run.journal_bytes.round() as usize;
        measured.bare.extend(disk::append_and_sync(&folder.path("loop"), bytes, pace)?);
        measured.plain.extend(program.run(None, part)?.computed);
        measured.runs.push(run);
    }
    Ok(measured)
}

/// True at each tick, and late where there was no time in between, until `part` is over.
fn paced(interval: Duration, part: Duration) -> impl FnMut() -> bool {
    let start = Instant::now();
    let mut next = Duration::ZERO;
    move || {
        next = (next + interval).max(start.elapsed());
        std::thread::sleep(next.saturating_sub(start.elapsed()));
        next < part
    }
}

fn rows_of(program: Program, measured: &Measured) -> [Row; 3] {
    let Measured { runs, bare, plain } = measured;
    let all = |of: fn(&Run) -> &Vec<f64>| runs.iter().flat_map(of).copied().collect::<Vec<f64>>();
    let (computed, committed) = (all(|run| &run.computed), all(|run| &run.committed));
    let name = |what| format!("{} ms, {} records: {what}", program.interval_ms, program.records);
    let ms = |values: &[f64]| format!("{:.2}/{:.2}", median(values) * 1e3, quantile(values, 0.99) * 1e3);
    let limit = (median(bare) + median(&computed)) * 1e3;
    let growth = median(&runs.iter().map(|run| growth(&run.committed)).collect::<Vec<f64>>());
    let most = GROWTH_MIN.max(program.interval_ms as f64 * 1e-3);
    let note = format!(
        "p50/p99: committed {}, computed {}, without a checkpoint folder {}, append and sync {}",
        ms(&committed),
        ms(&computed),
        ms(plain),
        ms(bare)
    );
    let ours = median(&committed) * 1e3;
    let row = Row { limit: Some(limit), ratio: Some(limit / ours), ..Row::value(name("committed"), "ms", ours) };
    let row = row.aim(Aim::Ratio(AIM)).note(&note);
    // Where batches wait for one another, nothing but that is measured.
    let row = if growth > most { row.uncounted().note("the interval does not hold") } else { row };
    let late = Row::value(name("a batch is later at the end by"), "ms", growth * 1e3).aim(Aim::Ours(most * 1e3));
    let journal = median(&runs.iter().map(|run| run.journal_bytes).collect::<Vec<f64>>());
    let pages = median(&runs.iter().filter_map(|run| run.disk_bytes).collect::<Vec<f64>>());
    let ranges = RANGE_BYTES * program.local as f64;
    let note = format!("{:.1} times its ranges; {pages:.0} bytes in whole pages", journal / ranges);
    let bytes = Row::value(name("bytes of a batch in the journal"), "bytes", journal).note(&note);
    [row, late.uncounted(), bytes.uncounted()]
}

/// From the first tenth to the last.
fn growth(late: &[f64]) -> f64 {
    let tenth = late.len().div_ceil(10);
    median(&late[late.len() - tenth..]) - median(&late[..tenth])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_committed_behind_their_outputs() {
        let arguments = Arguments { dir: Some(std::env::temp_dir()), ..Arguments::default() };
        for records in RECORDS {
            let program = Program { interval_ms: 5, records, local: 1 };
            let measured = measure(program, Duration::from_millis(300), &arguments).unwrap();
            for run in &measured.runs {
                assert!(run.committed.len() <= run.computed.len() && run.journal_bytes > RANGE_BYTES);
                assert!(run.computed.iter().zip(&run.committed).all(|(computed, committed)| computed <= committed));
            }
            assert_eq!(rows_of(program, &measured).len(), 3);
        }
    }
}
