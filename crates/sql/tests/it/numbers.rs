//! A program that appends numbers, each of which must be there once, whatever is killed.

use crate::place::Place;
use headwater::prelude::*;
use headwater::rdd::PartitionRecords;
use headwater::sink::{FailurePolicy, Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::{RunningContext, testkit};
use headwater_sql::{Row, SqlDatabase, SqlSink};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A sink whose process ends at once at some commit.
pub(crate) struct Mortal {
    sink: SqlSink,
    /// Commits up to the end; none for a long life.
    commits: Option<AtomicUsize>,
    /// Whether the last commit still comes through.
    commits_last: bool,
}
impl Mortal {
    pub(crate) fn lives_long(sink: SqlSink) -> Mortal {
        Mortal { sink, commits: None, commits_last: false }
    }
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "one database is enough"))]
    pub(crate) fn ends(sink: SqlSink, commits: usize, commits_last: bool) -> Mortal {
        Mortal { sink, commits: Some(AtomicUsize::new(commits)), commits_last }
    }
}
impl<T: Row> Sink<T> for Mortal {
    fn recover(&self, output: &SinkOutput<'_>) -> headwater::Result<()> {
        Sink::<T>::recover(&self.sink, output)
    }
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> headwater::Result<Vec<u8>> {
        self.sink.prepare(part, records)
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> headwater::Result<()> {
        let is_last = self.commits.as_ref().is_some_and(|commits| commits.fetch_sub(1, Ordering::Relaxed) == 1);
        if is_last && !self.commits_last {
            std::process::abort();
        }
        Sink::<T>::commit(&self.sink, batch, parts)?;
        if is_last {
            std::process::abort();
        }
        Ok(())
    }
}

/// The sink of the numbers.
pub(crate) fn sink(database: &SqlDatabase, table: &str) -> SqlSink {
    database.append_to(table).columns(["word", "count"]).create_table()
}
/// Starts the program; its checkpoint is in `folder`.
pub(crate) fn start(folder: &str, sink: Mortal) -> headwater::Result<RunningContext> {
    start_with(folder, sink, FailurePolicy::retry(60, milliseconds(50)))
}
pub(crate) fn start_with(folder: &str, sink: Mortal, policy: FailurePolicy) -> headwater::Result<RunningContext> {
    let conf = Conf::new().master("local[2]").app_name("numbers");
    let create = || StreamingContext::new(conf, milliseconds(100));
    let ssc = StreamingContext::get_or_create(format!("{folder}/checkpoint"), create)?;
    let numbers = ssc.rate_stream(2000, 2, |n| (format!("n{n}"), n as i64)).uid("numbers");
    numbers.write_to(sink).uid("table").on_failure(policy);
    ssc.start()
}
/// Fails unless the table has the first numbers, each once; how many.
#[track_caller]
pub(crate) fn check<P: Place>(place: &P) -> usize {
    let mut numbers: Vec<i64> = place.counts().into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    let wrong = numbers.iter().enumerate().find(|(at, number)| *at as i64 != **number);
    assert_eq!(wrong, None, "of {} numbers", numbers.len());
    numbers.len()
}
/// Waits until there are more numbers than so many.
#[track_caller]
pub(crate) fn await_more<P: Place>(place: &P, than: usize) -> usize {
    let begin = Instant::now();
    loop {
        let count = check(place);
        if count > than {
            return count;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no more than {than} numbers in a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// `kill` ends the server, and starts it again.
#[cfg_attr(not(any(feature = "postgres", feature = "mysql")), allow(dead_code, reason = "a file has no server"))]
pub(crate) fn outlive_the_server<P: Place>(place: &P, kill: impl Fn()) {
    let folder = testkit::temporary_folder();
    let database = place.database().ledger(place.ledger()).connect_timeout(Duration::from_secs(2));
    let running = start(&folder, Mortal::lives_long(sink(&database, &place.table("counts")))).unwrap();
    let mut count = 0;
    for round in 0..6 {
        count = await_more(place, count + 100);
        // At another moment of a batch each time.
        std::thread::sleep(Duration::from_millis(17 * round));
        kill();
    }
    await_more(place, count);
    running.stop_gracefully().unwrap();
    assert!(check(place) > count);
}
