//! [`Place`]: an empty table's worth of a database, read and changed behind the sink's back; [`Process`]: a sink as the driver
//! calls it.

use headwater::env::Env;
use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::time::Time;
use headwater::{ErrorKind, Result, system_env};
use headwater_sql::{Row, SqlDatabase, SqlSink};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::future::Future;
use std::marker::PhantomData;

/// What the tests need to know of a database, whatever its brand.
pub(crate) trait Place: Sized {
    /// The type of 64 bits to which sums are cast, and the function that shows bytes.
    const BIG_INTEGER: &'static str;
    const HEX: &'static str;
    /// The database, as a program names it.
    fn database(&self) -> SqlDatabase;
    /// Runs a statement and returns the rows that it has, of a text and an integer.
    fn rows(&self, sql: &str) -> Vec<(String, i64)>;
    /// Runs statements.
    fn run(&self, sql: &str);
    /// The name of a table that no other place has.
    fn table(&self, name: &str) -> String;
    /// A name, quoted.
    fn quoted(name: &str) -> String;

    /// The ledger of this place alone.
    fn ledger(&self) -> String {
        self.table("ledger")
    }
    /// The table with a text `word` and an integer `count`.
    fn counts(&self) -> Vec<(String, i64)> {
        let (big, table) = (Self::BIG_INTEGER, Self::quoted(&self.table("counts")));
        let mut rows = self.rows(&format!("SELECT word, CAST(count AS {big}) FROM {table}"));
        rows.sort();
        rows
    }
    /// A sink that appends to that table.
    fn append(&self) -> SqlSink {
        let database = self.database().ledger(self.ledger());
        database.append_to(self.table("counts")).columns(["word", "count"]).create_table()
    }
    /// A sink that replaces its rows by word.
    fn upsert(&self) -> SqlSink {
        let database = self.database().ledger(self.ledger());
        database.upsert_into(self.table("counts"), ["word"]).columns(["word", "count"]).create_table()
    }
}

/// Waits for a future on a runtime of the test's own.
pub(crate) fn wait<R>(future: impl Future<Output = R>) -> R {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
macro_rules! direct {
    ($module:ident, $connection:ty) => {
        pub(crate) mod $module {
            use super::*;
            pub(crate) fn rows(url: &str, sql: &str) -> Vec<(String, i64)> {
                wait(async {
                    let mut connection = <$connection>::connect(url).await.unwrap();
                    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
                })
            }
            pub(crate) fn run(url: &str, sql: &str) {
                wait(async {
                    let mut connection = <$connection>::connect(url).await.unwrap();
                    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
                });
            }
            /// Runs a closure while a transaction that has run a statement is open.
            #[allow(dead_code, reason = "SQLite has a test of its own for that")]
            pub(crate) fn while_open(url: &str, statement: &str, body: &mut dyn FnMut()) {
                wait(async {
                    let mut connection = <$connection>::connect(url).await.unwrap();
                    let mut transaction = connection.begin().await.unwrap();
                    transaction.execute(AssertSqlSafe(statement)).await.unwrap();
                    body();
                    transaction.rollback().await.unwrap();
                });
            }
        }
    };
}
#[cfg(feature = "sqlite")]
direct!(sqlite, sqlx::SqliteConnection);
#[cfg(feature = "postgres")]
direct!(postgres, sqlx::PgConnection);
#[cfg(feature = "mysql")]
direct!(mysql, sqlx::MySqlConnection);

/// A process with a sink for records of one type.
pub(crate) struct Process<T> {
    sink: SqlSink,
    operator: &'static str,
    env: Env,
    committed: Option<u64>,
    records: PhantomData<fn(T)>,
}
impl<T: Row> Process<T> {
    /// A process whose journal says that all up to a batch is committed, and its sink ready.
    pub(crate) fn begin(sink: SqlSink, committed: Option<u64>) -> Result<Process<T>> {
        let process = Process { sink, operator: "counts", env: system_env(), committed, records: PhantomData };
        Sink::<T>::recover(&process.sink, &process.output())?;
        Ok(process)
    }
    /// The first process of another output.
    #[cfg(feature = "sqlite")]
    pub(crate) fn begin_as(sink: SqlSink, operator: &'static str) -> Result<Process<T>> {
        let process = Process { sink, operator, env: system_env(), committed: None, records: PhantomData };
        Sink::<T>::recover(&process.sink, &process.output())?;
        Ok(process)
    }
    fn output(&self) -> SinkOutput<'_> {
        let committed = self.committed.map(time);
        SinkOutput { application: "shop", operator: self.operator, committed, env: &self.env }
    }
    /// Prepares and commits a batch of one partition.
    pub(crate) fn write(&self, batch: u64, records: Vec<T>) -> Result<()> {
        let output = self.output();
        let part = SinkPart::new(output.operator, time(batch), (0, 0), &self.env);
        let prepared = self.sink.prepare(&part, records.into_iter())?;
        Sink::<T>::commit(&self.sink, &SinkBatch { output, time: time(batch) }, &[prepared])
    }
}
fn time(batch: u64) -> Time {
    Time::from_millis(1000 * batch as i64)
}

/// The kind and the sentence of an error.
#[track_caller]
pub(crate) fn error<T>(result: Result<T>) -> (ErrorKind, String) {
    let error = result.err().expect("this must fail");
    (error.kind(), error.to_string())
}
/// Rows as the tests write them.
pub(crate) fn rows(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect()
}
/// Panics unless `text` has all the parts.
#[track_caller]
pub(crate) fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}
