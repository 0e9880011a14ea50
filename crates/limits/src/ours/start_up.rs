//! How long it takes from nothing to the first result, and how much memory a process takes that idles or counts the
//! words of large files. Each is measured in a process of its own: this program, started with a hidden command.

use super::child::{self, megabytes};
use super::{context, idle};
use crate::arguments::Arguments;
use crate::report::{Aim, Row, announce};
use crate::{data, process};
use headwater::prelude::*;
use headwater::testkit::{TemporaryFolder, temporary_folder};
use std::sync::mpsc;
use std::time::Instant;

const INTERVAL: Duration = Duration::from_millis(10);
/// How many batches without input a process has behind it when its memory is read.
const IDLE_BATCHES: u64 = 100;

const FILES: usize = 4;
const FILE_BYTES: usize = 256 << 20;
const VOCABULARY: usize = 100_000;
/// What is written at a time.
const WRITE_BYTES: usize = 16 << 20;
/// Leaves it to the engine how files are cut.
const MIN_PARTITIONS: usize = 1;

/// The aims: seconds, and MB.
const FIRST_BATCH_AIM: f64 = 0.1;
const IDLE_AIM: f64 = 30.0;
const FILES_AIM: f64 = 300.0;

const CHILD_FIRST_BATCH: &str = "child-first-batch";
const CHILD_IDLE: &str = "child-idle";
const CHILD_FILES: &str = "child-files";

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = vec![first_batch(arguments)?, idle(arguments)?];
    rows.iter().for_each(announce);
    let folder = temporary_folder();
    let files = write_files(&folder)?;
    for row in word_count(&files, arguments)? {
        announce(&row);
        rows.push(row);
    }
    Ok(rows)
}

/// The commands of this file.
pub(super) fn child(name: &str, local: usize, files: &[String]) -> Option<headwater::Result<()>> {
    match name {
        CHILD_FIRST_BATCH => Some(child_first_batch(local)),
        CHILD_IDLE => Some(child_idle(local)),
        CHILD_FILES => Some(child_files(local, files)),
        _ => None,
    }
}

/// From before the process is made to the line that it prints behind its first batch.
fn first_batch(arguments: &Arguments) -> Result<Row, String> {
    let mut seconds = Vec::new();
    for _ in 0..arguments.rounds {
        seconds.push(child::run(CHILD_FIRST_BATCH, arguments.local, &[])?.seconds);
    }
    let (best, worst) = (seconds.iter().copied().fold(f64::MAX, f64::min), seconds.iter().copied().fold(0.0, f64::max));
    let row = Row::value("from exec to the end of the first batch, interval 10 ms", "s", best);
    Ok(row.aim(Aim::Ours(FIRST_BATCH_AIM)).note(&format!("the worst of {} took {worst:.4} s", seconds.len())))
}

fn idle(arguments: &Arguments) -> Result<Row, String> {
    let mut least = f64::MAX;
    for _ in 0..arguments.rounds {
        least = least.min(child::run(CHILD_IDLE, arguments.local, &[])?.numbers[0]);
    }
    Ok(Row::value("memory without input, five operators", "MB", least).aim(Aim::Ours(IDLE_AIM)))
}

fn word_count(files: &[String], arguments: &Arguments) -> Result<[Row; 2], String> {
    let (mut megabytes, mut seconds) = (f64::MAX, f64::MAX);
    for _ in 0..arguments.rounds {
        let numbers = child::run(CHILD_FILES, arguments.local, files)?.numbers;
        (megabytes, seconds) = (megabytes.min(numbers[0]), seconds.min(numbers[1]));
    }
    Ok([
        Row::value("peak of memory, word count of 1 GB of files", "MB", megabytes).aim(Aim::Ours(FILES_AIM)),
        Row::value("word count of 1 GB of files, by wall time", "s", seconds).uncounted(),
    ])
}

fn write_files(folder: &TemporaryFolder) -> Result<Vec<String>, String> {
    let vocabulary = data::Vocabulary::new(VOCABULARY);
    let mut texts = vocabulary.texts();
    let mut write = |number| {
        let path = format!("{folder}/{number}.txt");
        let mut file = std::fs::File::create(&path)?;
        for _ in 0..FILE_BYTES / WRITE_BYTES {
            std::io::Write::write_all(&mut file, &texts.next(WRITE_BYTES))?;
        }
        Ok(path)
    };
    let files = (0..FILES).map(&mut write).collect::<std::io::Result<Vec<String>>>();
    files.map_err(|error| format!("cannot write 1 GB into {folder}: {error}"))
}

fn child_first_batch(local: usize) -> headwater::Result<()> {
    let ssc = context::streaming(local, INTERVAL, headwater::system_env());
    idle::five_operators(&ssc, |_| ());
    let running = ssc.start()?;
    running.await_batches(1)?;
    println!("1");
    running.stop()
}

fn child_idle(local: usize) -> headwater::Result<()> {
    let ssc = context::streaming(local, INTERVAL, headwater::system_env());
    idle::five_operators(&ssc, |_| ());
    let running = ssc.start()?;
    running.await_batches(IDLE_BATCHES)?;
    println!("{}", megabytes(process::resident_bytes()));
    running.stop()
}

/// One batch whose lines are those of all files.
fn child_files(local: usize, files: &[String]) -> headwater::Result<()> {
    let start = Instant::now();
    let ssc = context::streaming(local, INTERVAL, headwater::system_env());
    let files = files.iter().map(|file| ssc.context().text_file(file, MIN_PARTITIONS));
    let files = files.collect::<headwater::Result<Vec<Rdd<Text>>>>()?;
    let queue = RddQueue::new();
    queue.push(ssc.context().union(files))?;
    let (sent, counted) = mpsc::channel();
    let words = ssc.queue_stream(&queue).flat_map(|line| line.split(' '));
    words.map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b).foreach_rdd(move |rdd, _| {
        // Later batches are empty, and the receiver may be gone.
        let _ended = sent.send(rdd.count());
    });
    let running = ssc.start()?;
    let different = counted.recv().expect("a batch sends its count")?;
    let seconds = start.elapsed().as_secs_f64();
    assert!(different > 0, "the files have words");
    println!("{} {seconds}", megabytes(process::peak_bytes()));
    running.stop()
}
