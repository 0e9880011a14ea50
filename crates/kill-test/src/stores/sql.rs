//! A table of a SQL database, appended to: it has no key, so that a row that is there twice is seen.

use super::Store;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::server::Server;
use crate::row::Row;
use headwater::dstream::OutputOperation;
use headwater::prelude::*;
use headwater_sql::SqlDatabase;
use sqlx::{ColumnIndex, Connection, Database, Decode, Row as _, Type};
use std::future::Future;

const TABLE: &str = "kill_test";
const COLUMNS: [&str; 3] = ["batch_ms", "record_key", "record_value"];

pub(super) fn write(rows: &DStream<Row>, database: &SqlDatabase) -> OutputOperation {
    let table = database.append_to(TABLE).columns(COLUMNS).create_table();
    rows.map(|Row { time, key, value }| (time, key, value)).write_to(table)
}

/// All rows that a connection of its own sees; none where the table is not made yet.
async fn read<DB: Database>(connection: impl Future<Output = sqlx::Result<DB::Connection>>) -> sqlx::Result<Vec<Row>>
where
    for<'q> DB::Arguments: sqlx::IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    let mut connection = connection.await?;
    let query = sqlx::query("SELECT batch_ms, record_key, record_value FROM kill_test");
    let rows = match query.fetch_all(&mut connection).await {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(error)) if is_missing(error.message()) => Vec::new(),
        Err(error) => return Err(error),
    };
    connection.close().await?;
    rows.iter().map(|row| Ok(Row { time: row.try_get(0)?, key: row.try_get(1)?, value: row.try_get(2)? })).collect()
}
fn is_missing(message: &str) -> bool {
    ["no such table", "does not exist", "doesn't exist"].iter().any(|words| message.contains(words))
}

fn waited<R>(future: impl Future<Output = sqlx::Result<R>>) -> Result<R, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(future).map_err(|error| error.to_string())
}

#[cfg(feature = "sqlite")]
pub(super) fn file(dir: &str) -> String {
    format!("{dir}/rows.db")
}
#[cfg(feature = "sqlite")]
pub(super) struct Sqlite(String);
#[cfg(feature = "sqlite")]
impl Sqlite {
    pub(super) fn new(dir: &str) -> Sqlite {
        Sqlite(file(dir))
    }
}
#[cfg(feature = "sqlite")]
impl Store for Sqlite {
    fn rows(&self) -> Result<Vec<Row>, String> {
        if !std::path::Path::new(&self.0).exists() {
            return Ok(Vec::new());
        }
        let url = format!("sqlite://{}", self.0);
        waited(read::<sqlx::Sqlite>(async { sqlx::SqliteConnection::connect(&url).await }))
    }
}

/// A database with a server.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(super) struct Served<DB> {
    server: Server,
    database: std::marker::PhantomData<DB>,
}
#[cfg(any(feature = "postgres", feature = "mysql"))]
impl<DB> Served<DB> {
    pub(super) fn start(brand: &'static str, dir: &str) -> Result<Self, String> {
        Ok(Served { server: Server::start(brand, dir)?, database: std::marker::PhantomData })
    }
}
#[cfg(any(feature = "postgres", feature = "mysql"))]
impl<DB: Database> Store for Served<DB>
where
    for<'q> DB::Arguments: sqlx::IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
    for<'r> i64: Decode<'r, DB> + Type<DB>,
    usize: ColumnIndex<DB::Row>,
{
    fn server(&self) -> String {
        self.server.url()
    }
    fn rows(&self) -> Result<Vec<Row>, String> {
        let url = self.server.url();
        waited(read::<DB>(async { DB::Connection::connect(&url).await }))
    }
    fn kill_server(&self) -> Result<(), String> {
        self.server.kill()
    }
}
