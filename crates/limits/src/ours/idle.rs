//! What a stream costs while no input comes: CPU for each batch, how late a batch ends, and a job without records.

use super::context;
use crate::arguments::Arguments;
use crate::process;
use crate::quantiles::{median, quantile};
use crate::report::{Aim, Row, announce};
use headwater::prelude::*;
use headwater::testkit::TestEnv;
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

const INTERVALS_MS: [u64; 3] = [1, 10, 100];

/// The interval whose CPU decides, beside that of batches back to back. At longer ones a batch costs more.
const COUNTED_MS: u64 = 1;

/// The aims, in seconds.
const BATCH_AIM: f64 = 50e-6;
const JOB_AIM: f64 = 20e-6;

/// How much later, in seconds, the last batches may be than the first before we say that the delay grows.
const GROWTH_AIM: f64 = 100e-6;

/// Batches that are generated before the measured ones, so that all threads and tables are there.
const WARM_UP: u64 = 50;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (local, batches) = (arguments.local, arguments.batches as u64);
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        announce(&row);
        rows.push(row);
    };
    add(empty_job(local, arguments.batches));
    add(back_to_back(local, batches));
    for interval in INTERVALS_MS {
        real(interval, local, batches)?.into_iter().for_each(&mut add);
    }
    Ok(rows)
}

/// Five operators, one of which shuffles, and an output that looks at the result.
pub(super) fn five_operators(ssc: &StreamingContext, output: impl Fn(Time) + Send + Sync + 'static) {
    let lines = ssc.queue_stream(&RddQueue::<Text>::new());
    let words = lines.filter(|line| !line.is_empty()).flat_map(|line| line.split(' '));
    let counts = words.map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b).map(|(word, count)| (count, word));
    counts.foreach_rdd(move |rdd, time| {
        rdd.count().expect("the job ends well");
        output(time);
    });
}

/// One job after another: two empty map tasks, two reduce tasks.
fn empty_job(local: usize, jobs: usize) -> Row {
    let pairs = context::rdds(local).parallelize(Vec::<(u64, u64)>::new(), 2);
    let one = || pairs.reduce_by_key(|a, b| a + b).with_partitions(2).count().expect("the job ends well");
    (0..WARM_UP).for_each(|_| assert_eq!(one(), 0));
    let start = Instant::now();
    (0..jobs).for_each(|_| assert_eq!(one(), 0));
    Row::value("an empty job of 2 + 2 tasks, by wall time", "s", start.elapsed().as_secs_f64() / jobs as f64)
        .aim(Aim::Ours(JOB_AIM))
}

/// The clock is moved by hand to each next batch as soon as a batch has ended: CPU of the whole process.
fn back_to_back(local: usize, batches: u64) -> Row {
    let env = TestEnv::new();
    let ssc = context::streaming(local, milliseconds(1), env.env());
    five_operators(&ssc, |_| ());
    let running = ssc.start().expect("the program is valid");
    let step = |batch| {
        env.clock.advance(milliseconds(1));
        running.await_batches(batch).expect("no batch fails");
    };
    (1..=WARM_UP).for_each(step);
    let before = process::cpu();
    (WARM_UP + 1..=WARM_UP + batches).for_each(step);
    let row = cpu_row("CPU of a batch, back to back".to_string(), before, batches);
    running.stop().expect("it is stopped from outside");
    row
}

/// CPU and lateness at the wall clock's batches.
fn real(interval: u64, local: usize, batches: u64) -> Result<Vec<Row>, String> {
    let ssc = context::streaming(local, milliseconds(interval), headwater::system_env());
    let late: Arc<Mutex<Vec<f64>>> = Arc::default();
    let noted = late.clone();
    five_operators(&ssc, move |time| noted.lock().expect("nothing panics under the lock").push(lateness(time)));
    let running = ssc.start().map_err(|error| error.to_string())?;
    let await_batches = |count| running.await_batches(count).map_err(|error| error.to_string());
    await_batches(WARM_UP)?;
    let before = process::cpu();
    await_batches(WARM_UP + batches)?;
    let cpu = cpu_row(format!("{interval} ms: CPU of a batch"), before, batches);
    let cpu =
        if interval == COUNTED_MS { cpu } else { cpu.uncounted().note("the aim is for 1 ms and for back to back") };
    running.stop().map_err(|error| error.to_string())?;
    let mut late = late.lock().expect("nothing panics under the lock").split_off(WARM_UP as usize);
    late.truncate(batches as usize);
    Ok([cpu].into_iter().chain(lateness_rows(interval, late)).collect())
}

/// Seconds from the batch's time to now.
pub(super) fn lateness(time: Time) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs_f64() - time.milliseconds() as f64 / 1000.0
}

fn lateness_rows(interval: u64, late: Vec<f64>) -> [Row; 4] {
    let tenth = late.len().div_ceil(10);
    let (first, last) = (median(&late[..tenth]), median(&late[late.len() - tenth..]));
    let row = |what, seconds| Row::value(format!("{interval} ms: {what}"), "s", seconds).uncounted();
    let growth = format!("median of the first tenth {:.0} us, of the last {:.0} us", first * 1e6, last * 1e6);
    [
        row("a batch ends late by, p50", quantile(&late, 0.5)),
        row("a batch ends late by, p99", quantile(&late, 0.99)),
        row("a batch ends late by, at most", quantile(&late, 1.0)),
        row("lateness grows by", last - first).aim(Aim::Ours(GROWTH_AIM)).note(&growth),
    ]
}

/// The CPU time since `before`, of which there are `batches` shares; wall time has no meaning here.
fn cpu_row(name: String, before: Option<process::Cpu>, batches: u64) -> Row {
    let cpu = before.zip(process::cpu()).map(|(before, after)| process::cpu_between(before, after));
    let row = Row::value(name, "s", cpu.unwrap_or(f64::NAN) / batches as f64).aim(Aim::Ours(BATCH_AIM));
    if cpu.is_none() { row.uncounted().note("this system does not tell") } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_delay_shows() {
        let late = (0..100).map(|batch| f64::from(batch) * 1e-3).collect();
        let [_, _, _, growth] = lateness_rows(1, late);
        assert!((growth.ours - 0.09).abs() < 1e-9, "{growth:?}");
    }
}
