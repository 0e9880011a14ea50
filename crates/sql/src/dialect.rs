//! [`Dialect`]: what one brand of databases has to be asked in its own way, and [`Driver`]: what the drivers do alike.

use crate::address::Address;
use crate::datum::Datum;
use crate::plan::Plan;
use crate::settings::Settings;
use crate::table::Table;
use crate::value::{ColumnType, Refuses};
use headwater_core::{ErrorKind, Result};
use sqlx::error::DatabaseError;
use sqlx::{Connection, Database, Executor};
use std::future::Future;
use std::sync::Arc;

/// The text of a statement: names in it are quoted, and values are never in it.
pub(crate) type Sql = Arc<str>;

/// The connection's own options of a brand.
pub(crate) type Options<D> = <<<D as Dialect>::Db as Database>::Connection as Connection>::Options;
/// A connection of a brand.
pub(crate) type Conn<D> = <<D as Dialect>::Db as Database>::Connection;

/// A brand of databases.
pub(crate) trait Dialect: 'static {
    type Db: Driver;
    /// Begins a transaction that writes.
    const BEGIN: &'static str;
    /// Statements for each new connection.
    const SESSION: &'static [&'static str];
    /// What ends a CREATE TABLE.
    const TABLE_OPTIONS: &'static str;
    /// The types of the ledger's text and integers.
    const LEDGER_TYPES: (&'static str, &'static str);
    /// What ends an INSERT that leaves a row as it is where there is one.
    const OR_LEAVE: &'static str;
    /// An upsert heeds all unique indexes, not only that of its key.
    const ANY_UNIQUE_INDEX_DECIDES: bool;
    /// The longest name, in bytes.
    const NAME_MAX: usize;
    const REFUSES: Refuses;

    /// How to connect.
    fn options(address: &Address, settings: &Settings) -> Result<Options<Self>>;
    /// A name, quoted.
    fn quoted(name: &str) -> String;
    /// The mark of the n-th bound value, from 1.
    fn mark(number: usize) -> String;
    /// Whether two names are one to the database.
    fn same_name(one: &str, other: &str) -> bool;
    /// The type of a column that is made for such values.
    fn sql_type(column_type: ColumnType, is_key: bool) -> &'static str;
    /// Whether a column of the type takes such values without a loss.
    fn fits(column_type: ColumnType, base: &str) -> bool;
    /// Looks a table up.
    async fn describe(connection: &mut Conn<Self>, table: &str) -> sqlx::Result<Option<Table>>;
    /// Writes rows, in the transaction that is open.
    async fn write(connection: &mut Conn<Self>, plan: &Plan, rows: &[&[u8]]) -> sqlx::Result<()>;
    /// Whose fault an error of the database is.
    fn kind(error: &dyn DatabaseError) -> ErrorKind;
    /// What the place of the database is, where somebody may put another one there while connections to the old one live.
    fn place(_address: &Address) -> Option<(u64, u64)> {
        None
    }
    /// All that the database says of an error.
    fn told(error: &dyn DatabaseError) -> String {
        error.message().to_owned()
    }
}

/// What the drivers do alike: the same code, which their types keep from being generic.
pub(crate) trait Driver: Database {
    /// Runs a statement; the number of rows that it changed.
    async fn run<'v>(
        connection: &mut Self::Connection,
        sql: &Sql,
        values: impl Iterator<Item = Datum<'v>>,
    ) -> sqlx::Result<u64>;
    /// Runs statements without values, some of which MySQL does not prepare.
    fn plain(
        connection: &mut Self::Connection,
        statements: &'static [&'static str],
    ) -> impl Future<Output = sqlx::Result<()>> + Send;
    /// The integer of a row, if there is one.
    async fn integer(connection: &mut Self::Connection, sql: &Sql, values: &[Datum<'_>]) -> sqlx::Result<Option<i64>>;
}

macro_rules! driver {
    ($database:ty) => {
        impl Driver for $database {
            async fn run<'v>(
                connection: &mut Self::Connection,
                sql: &Sql,
                values: impl Iterator<Item = Datum<'v>>,
            ) -> sqlx::Result<u64> {
                let mut query = sqlx::query::<$database>(sqlx::AssertSqlSafe(sql.clone()));
                for value in values {
                    query = match value {
                        Datum::Null => query.bind(None::<i64>),
                        Datum::Bool(value) => query.bind(value),
                        Datum::Integer(value) => query.bind(value),
                        Datum::F32(value) => query.bind(value),
                        Datum::F64(value) => query.bind(value),
                        Datum::Text(value) => query.bind(value),
                        Datum::Bytes(value) => query.bind(value),
                    };
                }
                Ok(query.execute(connection).await?.rows_affected())
            }
            async fn plain(connection: &mut Self::Connection, statements: &'static [&'static str]) -> sqlx::Result<()> {
                for statement in statements {
                    connection.execute(*statement).await?;
                }
                Ok(())
            }
            async fn integer(
                connection: &mut Self::Connection,
                sql: &Sql,
                values: &[Datum<'_>],
            ) -> sqlx::Result<Option<i64>> {
                let mut query = sqlx::query_scalar::<$database, i64>(sqlx::AssertSqlSafe(sql.clone()));
                for value in values {
                    query = match *value {
                        Datum::Text(value) => query.bind(value),
                        _ => unreachable!("a ledger is asked by text"),
                    };
                }
                query.fetch_optional(connection).await
            }
        }
    };
}
#[cfg(feature = "sqlite")]
driver!(sqlx::Sqlite);
#[cfg(feature = "postgres")]
driver!(sqlx::Postgres);
#[cfg(feature = "mysql")]
driver!(sqlx::MySql);
