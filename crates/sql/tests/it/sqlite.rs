//! SQLite: the suite, and what a file can do to a sink.

use crate::numbers::{self, Mortal};
use crate::place::{self, Place, Process, error, rows, says};
use crate::suite::{self, refuses};
use headwater::ErrorKind;
use headwater::prelude::*;
use headwater::sink::FailurePolicy;
use headwater::testkit::{TemporaryFolder, TestEnv, temporary_folder};
use headwater_sql::{SqlDatabase, SqlSink};

pub(crate) struct Sqlite {
    folder: TemporaryFolder,
}
impl Sqlite {
    pub(crate) fn new() -> Sqlite {
        Sqlite { folder: temporary_folder() }
    }
    pub(crate) fn path(&self) -> String {
        format!("{}/counts.db", self.folder)
    }
    fn url(&self) -> String {
        format!("sqlite://{}?mode=rwc", self.path())
    }
}
impl Place for Sqlite {
    const BIG_INTEGER: &'static str = "INTEGER";
    const HEX: &'static str = "HEX(raw)";
    fn database(&self) -> SqlDatabase {
        SqlDatabase::sqlite(self.path())
    }
    fn rows(&self, sql: &str) -> Vec<(String, i64)> {
        place::sqlite::rows(&self.url(), sql)
    }
    fn run(&self, sql: &str) {
        place::sqlite::run(&self.url(), sql);
    }
    fn table(&self, name: &str) -> String {
        name.to_owned()
    }
    fn quoted(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[test]
fn sqlite_keeps_the_rules_of_sinks() {
    suite::run(Sqlite::new);
}

#[test]
fn values_that_sqlite_refuses_are_named() {
    let place = Sqlite::new();
    place.run("CREATE TABLE counts (word TEXT DEFAULT '' CHECK (length(word) <= 5), count INTEGER NOT NULL CHECK (count < 1000))");
    let process: Process<(Option<String>, Option<i64>)> = Process::begin(place.append(), None).unwrap();
    let row = |word: &str, count: i64| (Some(word.to_owned()), Some(count));
    process.write(1, vec![row("a", 1), (None, Some(2))]).unwrap();
    let many = |wrong| (0..700).map(|n| row("w", n)).chain([wrong]).chain((0..70).map(|n| row("x", n))).collect();
    let too_long = many(row("longer", 3));
    refuses(&place, &process, 2, too_long, &["column \"word\"", "(\"longer\", 3) is refused: CHECK constraint failed"]);
    refuses(&place, &process, 2, many((None, None)), &["column \"count\"", "(NULL, NULL) is refused: NOT NULL"]);
    refuses(&place, &process, 2, many(row("x", 1000)), &["column \"count\"", "(\"x\", 1000) is refused: CHECK"]);
    process.write(2, many(row("end", 999))).unwrap();
}

#[test]
fn a_number_that_is_none_is_refused() {
    let place = Sqlite::new();
    place.run("CREATE TABLE counts (word TEXT, count REAL)");
    let process: Process<(String, f64)> = Process::begin(place.append(), None).unwrap();
    let (kind, message) = error(process.write(1, vec![("a".to_owned(), f64::NAN)]));
    assert_eq!(kind, ErrorKind::Data);
    says(
        &message,
        &["table \"counts\", column \"count\": the row (\"a\", \"NaN\") is refused: the database has no NaN"],
    );
}

#[test]
fn a_file_that_cannot_be_had_is_an_error_that_may_pass() {
    let place = Sqlite::new();
    let path = format!("{}/later/counts.db", place.folder);
    let database = SqlDatabase::sqlite(&path).connect_timeout(Duration::from_millis(300));
    let sink = || database.append_to("counts").columns(["word", "count"]).create_table();
    let (kind, message) = error(Process::<(String, i64)>::begin(sink(), None));
    assert_eq!(kind, ErrorKind::Outside, "{message}");
    says(&message, &[&path, "unable to open database file"]);
    std::fs::create_dir(format!("{}/later", place.folder)).unwrap();
    Process::<(String, i64)>::begin(sink(), None).unwrap().write(1, rows(&[("a", 1)])).unwrap();
}

#[test]
fn a_file_that_another_program_locks_is_waited_for() {
    let place = Sqlite::new();
    let database = place.database().connect_timeout(Duration::from_millis(200));
    let sink = database.append_to("counts").columns(["word", "count"]).create_table();
    let process: Process<(String, i64)> = Process::begin(sink, None).unwrap();
    place::wait(async {
        use sqlx::Connection;
        let mut other = sqlx::SqliteConnection::connect(&place.url()).await.unwrap();
        let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let (kind, message) = error(process.write(1, rows(&[("a", 1)])));
        assert_eq!(kind, ErrorKind::Outside);
        says(&message, &["database is locked"]);
        lock.rollback().await.unwrap();
    });
    process.write(1, rows(&[("a", 1)])).unwrap();
    assert_eq!(place.counts(), rows(&[("a", 1)]));
}

#[test]
fn a_full_file_loses_nothing() {
    let place = Sqlite::new();
    let sink = |pages| {
        let database = place.database().sqlite_pages_max(pages);
        database.append_to("counts").columns(["word", "count"]).create_table()
    };
    let process = Process::begin(sink(40), None).unwrap();
    let batch = |batch: u64| (0..300).map(|n| (format!("a word of batch {batch}, number {n}"), n)).collect::<Vec<_>>();
    let full = (1..100).find_map(|time| process.write(time, batch(time)).err().map(|error| (time, error)));
    let (time, full) = full.expect("40 pages are soon full");
    assert_eq!(full.kind(), ErrorKind::Outside);
    says(&full.to_string(), &["table \"counts\": the rows cannot be written", "database or disk is full"]);
    assert!(time > 2 && place.counts().len() == 300 * (time as usize - 1));
    drop(process);
    let process = Process::begin(sink(4000), Some(time - 1)).unwrap();
    (time - 1..time + 5).for_each(|time| process.write(time, batch(time)).unwrap());
    assert_eq!(place.counts().len(), 300 * (time as usize + 4));
}

#[test]
fn sinks_of_one_database_share_its_connections() {
    let place = Sqlite::new();
    let database = place.database().connections(1);
    std::thread::scope(|scope| {
        for table in ["one", "two", "three"] {
            let sink = database.clone().append_to(table).columns(["word", "count"]).create_table();
            scope.spawn(move || {
                let process = Process::begin_as(sink, table).unwrap();
                (1..20).for_each(|batch| process.write(batch, rows(&[("a", batch as i64)])).unwrap());
            });
        }
    });
    for table in ["one", "two", "three"] {
        assert_eq!(place.rows(&format!("SELECT 'sum', SUM(count) FROM {table}")), rows(&[("sum", 190)]));
    }
    let operators = place.rows("SELECT operator, batch_ms FROM headwater_ledger ORDER BY operator");
    assert_eq!(operators, rows(&[("one", 19_000), ("three", 19_000), ("two", 19_000)]));
}

#[test]
fn a_start_that_failed_since_the_database_was_missing_is_no_lost_ledger() {
    let folder = temporary_folder();
    let database = SqlDatabase::sqlite(format!("{folder}/later/counts.db")).connect_timeout(Duration::from_millis(50));
    let mortal = || Mortal::lives_long(numbers::sink(&database, "counts"));
    let start = || numbers::start_with(&folder, mortal(), FailurePolicy::stop());
    let (kind, message) = error(start());
    assert_eq!(kind, ErrorKind::Outside);
    says(&message, &["the sink of write_to", "cannot begin", "unable to open database file"]);
    std::fs::create_dir(format!("{folder}/later")).unwrap();
    let running = start().unwrap();
    running.await_batches(3).unwrap();
    running.stop_gracefully().unwrap();
}

#[test]
fn a_program_whose_last_batch_was_refused_and_set_aside_starts_again() {
    let (place, env) = (Sqlite::new(), TestEnv::in_memory());
    place.run("CREATE TABLE counts (word TEXT, count INTEGER CHECK (count <> 3))");
    let process = |batches: u64| -> headwater::Result<()> {
        let conf = Conf::new().master("local[2]").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
        let numbers = ssc.rate_stream(2, 1, |n| ("n".to_owned(), n as i64)).uid("numbers");
        numbers.set_aside().write_to(place.append()).uid("counts");
        let running = ssc.start()?;
        for batch in 1..=batches {
            env.clock.advance(seconds(1));
            running.await_batches(batch)?;
        }
        running.stop()
    };
    process(2).unwrap();
    process(1).unwrap();
    assert_eq!(place.counts(), rows(&[("n", 0), ("n", 1), ("n", 4), ("n", 5)]));
}

#[test]
fn what_is_no_file_is_no_database() {
    for path in ["", ":memory:"] {
        let sink = SqlDatabase::sqlite(path).append_to("counts").columns(["word", "count"]);
        let (kind, message) = error(Process::<(String, i64)>::begin(sink, None));
        assert_eq!(kind, ErrorKind::Program);
        says(&message, &["a database in memory would end with its connection"]);
    }
    let sink = SqlDatabase::sqlite("x").connections(0).append_to("counts").columns(["word", "count"]);
    says(&error(Process::<(String, i64)>::begin(sink, None)).1, &["`.connections(1)` at least"]);
}

/// What the child must know: its folder, and whether its last commit comes through.
const FOLDER: &str = "HEADWATER_NUMBERS_FOLDER";
const COMMITS_LAST: &str = "HEADWATER_NUMBERS_COMMITS_LAST";

fn numbers_sink(folder: &str) -> SqlSink {
    numbers::sink(&SqlDatabase::sqlite(format!("{folder}/counts.db")), "counts")
}

#[test]
#[ignore = "the other test runs it, in a process that ends itself"]
fn the_numbers_in_a_child() {
    if let Ok(folder) = std::env::var(FOLDER) {
        let mortal = Mortal::ends(numbers_sink(&folder), 4, std::env::var(COMMITS_LAST).unwrap() == "true");
        numbers::start(&folder, mortal).unwrap().await_termination().unwrap();
    }
}

#[test]
fn a_program_that_ends_before_or_behind_a_commit_loses_and_doubles_no_number() {
    let place = Sqlite::new();
    let mut count = 0;
    for commits_last in [true, true, false, true, false] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--ignored", "--exact", "sqlite::the_numbers_in_a_child"]);
        child.env(FOLDER, &*place.folder).env(COMMITS_LAST, commits_last.to_string());
        let status = child.stdout(std::process::Stdio::null()).status().unwrap();
        assert!(!status.success(), "it aborts");
        let now = numbers::check(&place);
        assert!(now > count, "each child commits something");
        count = now;
    }
    let running = numbers::start(&place.folder, Mortal::lives_long(numbers_sink(&place.folder))).unwrap();
    numbers::await_more(&place, count);
    running.stop_gracefully().unwrap();
    assert!(numbers::check(&place) > count);
}

#[test]
fn a_file_that_is_removed_or_replaced_while_the_program_runs_is_not_written_to() {
    for replaced in [false, true] {
        let place = Sqlite::new();
        let process: Process<(String, i64)> = Process::begin(place.append().create_table(), None).unwrap();
        process.write(1, vec![("a".to_owned(), 1)]).unwrap();
        let away = format!("{}/away.db", place.folder);
        std::fs::rename(place.path(), &away).unwrap();
        if replaced {
            std::fs::copy(&away, place.path()).unwrap();
        }
        let (kind, told) = error(process.write(2, vec![("b".to_owned(), 2)]));
        assert_eq!(kind, ErrorKind::Program);
        says(&told, &["counts.db", "was removed or replaced while the program ran"]);
        std::fs::rename(&away, place.path()).unwrap();
        process.write(2, vec![("b".to_owned(), 2)]).unwrap();
        assert_eq!(place.rows("SELECT word, count FROM counts ORDER BY word"), rows(&[("a", 1), ("b", 2)]));
    }
}

#[test]
fn a_table_that_is_missing_behind_committed_batches_is_not_made_anew_without_a_word() {
    let place = Sqlite::new();
    let process: Process<(String, i64)> = Process::begin(place.append().create_table(), None).unwrap();
    process.write(1, vec![("a".to_owned(), 1)]).unwrap();
    drop(process);
    place.run("DROP TABLE counts");
    let again = |sink| Process::<(String, i64)>::begin(sink, Some(1));
    let (kind, told) = error(again(place.append().create_table()));
    assert_eq!(kind, ErrorKind::Program);
    says(&told, &["table \"counts\"", "up to 1000 ms are committed", "accept_lost_ledger"]);
    let process = again(place.append().create_table().accept_lost_ledger()).unwrap();
    process.write(2, vec![("b".to_owned(), 2)]).unwrap();
    assert_eq!(place.rows("SELECT word, count FROM counts"), rows(&[("b", 2)]));
}

#[test]
fn a_checkpoint_folder_that_is_older_than_the_ledger_is_told() {
    let place = Sqlite::new();
    let (storage, env) = (headwater_storage::MemoryStorage::new(), TestEnv::new());
    let live = |storage: &headwater_storage::MemoryStorage| -> headwater::Result<()> {
        let env = env.clone().with_storage(std::sync::Arc::new(storage.clone()));
        let conf = Conf::new().master("local[2]").checkpoint_dir("run");
        let ssc = StreamingContext::with_env(conf, seconds(1), env.env())?;
        let numbers = ssc.rate_stream(2, 1, |n| (format!("w{n}"), n as i64));
        numbers.write_to(place.append().create_table()).uid("counts");
        let running = ssc.start()?;
        env.clock.advance(seconds(2));
        running.await_batches(2)?;
        running.stop_gracefully()
    };
    live(&storage).unwrap();
    let older = storage.copy();
    live(&storage).unwrap();
    let told = live(&older).unwrap_err().to_string();
    says(&told, &["it has batch 4000 ms of this output", "knows of none behind 2000 ms"]);
    assert_eq!(place.rows("SELECT 'all', COUNT(*) FROM counts"), rows(&[("all", 8)]));
}

#[test]
fn a_view_is_refused_at_the_start() {
    let place = Sqlite::new();
    place.run("CREATE TABLE words (word TEXT, count INTEGER); CREATE VIEW counts AS SELECT word, count FROM words");
    let (kind, told) = error(Process::<(String, i64)>::begin(place.append(), None));
    assert_eq!(kind, ErrorKind::Program);
    says(&told, &["table \"counts\"", "it is no table, but a view"]);
}
