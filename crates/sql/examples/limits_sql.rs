//! How fast the sinks are, beside a loop by hand over the same driver that writes the same rows in one transaction in the
//! fastest way that its database has.
//!
//! ```text
//! cargo run --release -p headwater-sql --all-features --example limits_sql -- [postgres://... | mysql://...]...
//! ```
#![allow(clippy::disallowed_methods, reason = "a tool: it measures real time")]

use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater::time::Time;
use headwater::{Result, system_env, testkit};
use headwater_sql::{SqlDatabase, SqlSink};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Rows of a batch, and batches of each kind, of which the median counts.
const ROWS: usize = 100_000;
const BATCHES: usize = 15;
/// Partitions of a batch.
const PARTS: usize = 2;

type Row = (String, i64);

fn batch(number: usize) -> Vec<Row> {
    (0..ROWS).map(|row| (format!("a word with the number {row}"), (row * number) as i64)).collect()
}

fn main() -> Result<()> {
    let folder = testkit::temporary_folder();
    let path = format!("{folder}/limits.db");
    println!("{ROWS} rows a batch, one transaction, the median of {BATCHES} batches, in rows a second");
    println!("{:<10} {:<7} {:>9} {:>9} {:>6}", "database", "", "ours", "bare", "ratio");
    for kind in ["append", "upsert"] {
        let mut bare = sqlx_sqlite(&path);
        report("sqlite", kind, &SqlDatabase::sqlite(&path), |sql, rows| {
            wait(by_insert_sqlite(&mut bare, sql, kind, rows))
        })?;
    }
    for url in std::env::args().skip(1) {
        for kind in ["append", "upsert"] {
            if url.starts_with("mysql") {
                let mut bare = wait(MySqlConnection::connect(&url)).expect("the server answers");
                report("mysql", kind, &SqlDatabase::mysql(&url), |sql, rows| {
                    wait(by_insert_mysql(&mut bare, sql, kind, rows))
                })?;
            } else {
                let mut bare = wait(PgConnection::connect(&url)).expect("the server answers");
                report("postgres", kind, &SqlDatabase::postgres(&url), |sql, rows| {
                    wait(by_copy(&mut bare, sql, kind, rows))
                })?;
            }
        }
    }
    Ok(())
}

/// Measures both, turn by turn, and prints a line. `bare` runs a statement of definition, or writes a batch.
fn report(
    name: &str,
    kind: &str,
    database: &SqlDatabase,
    mut bare: impl FnMut(Option<&str>, &[Row]) -> sqlx::Result<()>,
) -> Result<()> {
    let ours = format!("limits_ours_{kind}");
    let text = if name == "mysql" { "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" } else { "TEXT" };
    let key = if kind == "upsert" { " PRIMARY KEY" } else { "" };
    for table in [&ours, "limits_bare"] {
        bare(Some(&format!("DROP TABLE IF EXISTS {table}")), &[]).expect("dropped");
        let create = format!("CREATE TABLE {table} (word {text} NOT NULL{key}, count BIGINT NOT NULL)");
        bare(Some(&create), &[]).expect("created");
    }
    let sink = if kind == "append" { database.append_to(&ours) } else { database.upsert_into(&ours, ["word"]) };
    let sink = sink.columns(["word", "count"]);
    let env = system_env();
    let application = format!("limits {:?}", env.clock.now());
    let output = SinkOutput { application: &application, operator: kind, committed: None, env: &env };
    Sink::<Row>::recover(&sink, &output)?;
    let (mut of_ours, mut of_bare) = (Vec::new(), Vec::new());
    for number in 0..BATCHES {
        let rows = batch(number);
        let begin = Instant::now();
        write(&sink, &output, number, rows)?;
        of_ours.push(begin.elapsed());
        let rows = batch(number);
        let begin = Instant::now();
        bare(None, &rows).expect("written");
        of_bare.push(begin.elapsed());
    }
    let rate = |mut times: Vec<Duration>| {
        times.sort();
        ROWS as f64 / times[BATCHES / 2].as_secs_f64()
    };
    let (ours, bare) = (rate(of_ours), rate(of_bare));
    println!("{name:<10} {kind:<7} {ours:>9.0} {bare:>9.0} {:>6.2}", ours / bare);
    Ok(())
}
/// As the driver and its tasks do, one after the other.
fn write(sink: &SqlSink, output: &SinkOutput<'_>, number: usize, mut rows: Vec<Row>) -> Result<()> {
    let time = Time::from_millis(number as i64);
    let mut parts = Vec::new();
    for partition in 0..PARTS {
        let later = rows.split_off(ROWS / PARTS);
        let records = std::mem::replace(&mut rows, later);
        let part = SinkPart::new(output.operator, time, (partition, 0), output.env);
        parts.push(sink.prepare(&part, records.into_iter())?);
    }
    Sink::<Row>::commit(sink, &SinkBatch { output: *output, time }, &parts)
}

fn wait<R>(future: impl Future<Output = R>) -> R {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a thread");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
fn sqlx_sqlite(path: &str) -> SqliteConnection {
    use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    wait(SqliteConnection::connect_with(&options)).expect("the file opens")
}

macro_rules! by_insert {
    ($name:ident, $connection:ty, $rows:expr, $ending:expr) => {
        async fn $name(connection: &mut $connection, sql: Option<&str>, kind: &str, rows: &[Row]) -> sqlx::Result<()> {
            if let Some(sql) = sql {
                return connection.execute(AssertSqlSafe(sql)).await.map(drop);
            }
            let mut transaction = connection.begin().await?;
            let ending = if kind == "upsert" { $ending } else { "" };
            for rows in rows.chunks($rows) {
                let values = vec!["(?, ?)"; rows.len()].join(", ");
                let sql = format!("INSERT INTO limits_bare (word, count) VALUES {values}{ending}");
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (word, count) in rows {
                    query = query.bind(word).bind(count);
                }
                query.execute(&mut *transaction).await?;
            }
            transaction.commit().await
        }
    };
}
by_insert!(by_insert_sqlite, SqliteConnection, 64, " ON CONFLICT (word) DO UPDATE SET count = excluded.count");
by_insert!(by_insert_mysql, MySqlConnection, 1024, " ON DUPLICATE KEY UPDATE count = VALUES(count)");

async fn by_copy(connection: &mut PgConnection, sql: Option<&str>, kind: &str, rows: &[Row]) -> sqlx::Result<()> {
    if let Some(sql) = sql {
        return connection.execute(AssertSqlSafe(sql)).await.map(drop);
    }
    let mut transaction = connection.begin().await?;
    let mut table = "limits_bare";
    if kind == "upsert" {
        table = "limits_batch";
        transaction.execute("CREATE TEMPORARY TABLE limits_batch (word TEXT, count BIGINT) ON COMMIT DROP").await?;
    }
    let mut copy = transaction.copy_in_raw(&format!("COPY {table} (word, count) FROM STDIN")).await?;
    let mut block = String::new();
    for (word, count) in rows {
        writeln!(block, "{word}\t{count}").expect("a string takes it");
        if block.len() > 64 << 10 {
            copy.send(block.as_bytes()).await?;
            block.clear();
        }
    }
    copy.send(block.as_bytes()).await?;
    copy.finish().await?;
    if kind == "upsert" {
        let insert = "INSERT INTO limits_bare SELECT word, count FROM limits_batch \
                      ON CONFLICT (word) DO UPDATE SET count = excluded.count";
        transaction.execute(insert).await?;
    }
    transaction.commit().await
}
