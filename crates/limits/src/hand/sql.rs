//! Loops over the drivers of databases: the rows of a batch in one transaction, in the fastest way that each database has.

use crate::store::Store;
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor};
use std::fmt::Write;
use tokio::runtime::{Builder, Runtime};

/// A word and its number.
pub(crate) type Record = (String, i64);

/// COPY takes blocks of so many bytes.
const BLOCK: usize = 64 << 10;

/// A connection, and the thread's own runtime for it.
pub(crate) struct Bare {
    runtime: Runtime,
    connection: Brand,
}
enum Brand {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

/// Waits for what is done with the connection, whatever its type.
macro_rules! on {
    ($bare:ident, $connection:ident => $work:expr) => {
        match &mut $bare.connection {
            Brand::Sqlite($connection) => $bare.runtime.block_on(async { $work }),
            Brand::Postgres($connection) => $bare.runtime.block_on(async { $work }),
            Brand::Mysql($connection) => $bare.runtime.block_on(async { $work }),
        }
    };
}

impl Bare {
    /// Where [`Bare::write`] writes to: columns `word` and `count`.
    pub(crate) const TABLE: &'static str = "limits_bare";

    /// `place` is a file of SQLite, or the address of a server.
    pub(crate) fn connect(store: Store, place: &str) -> sqlx::Result<Bare> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(async {
            Ok::<_, sqlx::Error>(match store {
                Store::Postgres => Brand::Postgres(PgConnection::connect(place).await?),
                Store::Mysql => Brand::Mysql(MySqlConnection::connect(place).await?),
                Store::Files | Store::Sqlite => {
                    // As safe as the sink is.
                    let options = SqliteConnectOptions::new().filename(place).create_if_missing(true);
                    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
                    Brand::Sqlite(SqliteConnection::connect_with(&options).await?)
                }
            })
        });
        Ok(Bare { connection: connection?, runtime })
    }
    /// The type of a text that may be a key.
    pub(crate) fn text(&self) -> &'static str {
        match self.connection {
            Brand::Mysql(_) => "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            Brand::Sqlite(_) | Brand::Postgres(_) => "TEXT",
        }
    }
    pub(crate) fn run(&mut self, sql: &str) -> sqlx::Result<()> {
        on!(self, connection => connection.execute(AssertSqlSafe(sql)).await.map(drop))
    }
    /// Of a table with the same columns.
    pub(crate) fn count_and_sum(&mut self, table: &str) -> sqlx::Result<(i64, i64)> {
        let integer = if matches!(self.connection, Brand::Mysql(_)) { "SIGNED" } else { "BIGINT" };
        let sql = format!("SELECT COUNT(*), CAST(SUM(count) AS {integer}) FROM {table}");
        on!(self, connection => sqlx::query_as(AssertSqlSafe(sql)).fetch_one(connection).await)
    }
    /// A batch.
    pub(crate) fn write(&mut self, rows: &[Record], upserts: bool) -> sqlx::Result<()> {
        match &mut self.connection {
            Brand::Sqlite(connection) => self.runtime.block_on(into_sqlite(connection, rows, upserts)),
            Brand::Postgres(connection) => self.runtime.block_on(into_postgres(connection, rows, upserts)),
            Brand::Mysql(connection) => self.runtime.block_on(into_mysql(connection, rows, upserts)),
        }
    }
}

/// An INSERT with many rows.
macro_rules! by_insert {
    ($name:ident, $connection:ty, $rows:literal, $upsert:literal) => {
        async fn $name(connection: &mut $connection, rows: &[Record], upserts: bool) -> sqlx::Result<()> {
            let mut transaction = connection.begin().await?;
            let ending = if upserts { $upsert } else { "" };
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
by_insert!(into_sqlite, SqliteConnection, 64, " ON CONFLICT (word) DO UPDATE SET count = excluded.count");
by_insert!(into_mysql, MySqlConnection, 1024, " ON DUPLICATE KEY UPDATE count = VALUES(count)");

/// By COPY: an upsert goes through a table that ends with the transaction.
async fn into_postgres(connection: &mut PgConnection, rows: &[Record], upserts: bool) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    if !upserts {
        copy(&mut transaction, Bare::TABLE, rows).await?;
        return transaction.commit().await;
    }
    transaction.execute("CREATE TEMPORARY TABLE limits_batch (word TEXT, count BIGINT) ON COMMIT DROP").await?;
    copy(&mut transaction, "limits_batch", rows).await?;
    let insert = "INSERT INTO limits_bare SELECT word, count FROM limits_batch \
                  ON CONFLICT (word) DO UPDATE SET count = excluded.count";
    transaction.execute(insert).await?;
    transaction.commit().await
}
async fn copy(connection: &mut PgConnection, table: &str, rows: &[Record]) -> sqlx::Result<()> {
    let mut copy = connection.copy_in_raw(&format!("COPY {table} (word, count) FROM STDIN")).await?;
    let mut block = String::new();
    for (word, count) in rows {
        writeln!(block, "{word}\t{count}").expect("a string takes it");
        if block.len() > BLOCK {
            copy.send(block.as_bytes()).await?;
            block.clear();
        }
    }
    copy.send(block.as_bytes()).await?;
    copy.finish().await.map(drop)
}
