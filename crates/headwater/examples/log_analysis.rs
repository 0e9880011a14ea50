//! Analyses a log: parses its lines, counts them by level in every batch, and raises an alarm over a threshold.
//!
//! ```text
//! cargo run --release --example log_analysis
//! ```
//!
//! It prints:
//!
//! ```text
//! 1795274766200 ms: [(Info, 2), (Warn, 1)]
//! 1795274766400 ms: [(Error, 3)]
//! ALARM: 3 errors in the batch of 1795274766400 ms
//! lines that do not parse: 1
//! ```

use headwater::LongAccumulator;
use headwater::prelude::*;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Errors in a batch that are no reason for an alarm.
const ERRORS_MAX: u64 = 2;

/// A key is hashed and compared, and crosses a shuffle; the order is for showing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

/// Reads a line as `09:30:01 WARN disk: 91 % full`.
impl FromStr for Level {
    type Err = String;
    fn from_str(line: &str) -> Result<Level, String> {
        match line.split(' ').nth(1) {
            Some("INFO") => Ok(Level::Info),
            Some("WARN") => Ok(Level::Warn),
            Some("ERROR") => Ok(Level::Error),
            other => Err(format!("{other:?} is no level")),
        }
    }
}

/// How many lines of each level a batch has, and how many lines did not parse so far.
pub(crate) fn count_by_level(lines: &DStream<Text>) -> (DStream<(Level, u64)>, LongAccumulator) {
    let unreadable = lines.context().long_accumulator("lines that do not parse");
    let counter = unreadable.clone();
    // A bad line must not fail its batch: it is counted, and leaves nothing, since an `Err` yields no record.
    let levels = lines.flat_map(move |line| line.parse::<Level>().inspect_err(|_| counter.add(1)));
    (levels.count_by_value(), unreadable)
}

fn main() -> headwater::Result<()> {
    let ssc = StreamingContext::new(Conf::new().master("local[2]").app_name("LogAnalysis"), milliseconds(200))?;
    let queue = RddQueue::new();
    let quiet = ["09:30:01 INFO web: up", "09:30:01 INFO web: GET /", "09:30:02 WARN disk: 91 % full"];
    let loud = ["09:30:03 ERROR disk: full", "09:30:03 ERROR web: 500", "- garbled", "09:30:03 ERROR web: 500"];
    for lines in [&quiet[..], &loud[..]] {
        queue.push(ssc.context().parallelize(lines.iter().copied().map(Text::from).collect(), 2))?;
    }

    let (counts, unreadable) = count_by_level(&ssc.queue_stream(&queue));
    counts.foreach_rdd(|batch, time| -> headwater::Result<()> {
        let mut counts = batch.collect()?;
        counts.sort();
        println!("{time}: {counts:?}");
        if let Some((_, errors)) = counts.iter().find(|(level, errors)| *level == Level::Error && *errors > ERRORS_MAX)
        {
            println!("ALARM: {errors} errors in the batch of {time}");
        }
        Ok(())
    });

    let running = ssc.start()?;
    running.await_batches(2)?;
    running.stop()?;
    println!("lines that do not parse: {}", unreadable.value());
    Ok(())
}
