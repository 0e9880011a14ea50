//! Exactly-once sinks for SQL databases: SQLite (feature `sqlite`, on by default), PostgreSQL (`postgres`), MySQL and MariaDB
//! (`mysql`). A batch is one transaction, with a note in a ledger beside the data: readers see whole batches, and with a
//! checkpoint folder each record counts once, whatever ends when.
//!
//! ```
//! use headwater::{prelude::*, sink::FailurePolicy, testkit};
//! use headwater_sql::SqlDatabase;
//!
//! # let folder = testkit::temporary_folder();
//! let (ssc, clock) = testkit::streaming_context();
//! let words = ["the", "cat", "the", "hat"];
//! let counts = ssc.rate_stream(4, 1, move |n| (Text::from(words[n as usize % 4]), 1u64)).reduce_by_key(|a, b| a + b);
//!
//! let database = SqlDatabase::sqlite(format!("{folder}/counts.db"));
//! let table = database.append_to("counts by second").columns(["word", "count"]).create_table();
//! let is_down = FailurePolicy::retry(20, seconds(1));
//! counts.write_to(table).uid("counts").on_failure(is_down);
//!
//! let running = ssc.start()?;
//! clock.advance(seconds(3));
//! running.await_batches(3)?;
//!
//! // Any program may read it meanwhile.
//! use sqlx::Connection;
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite://{folder}/counts.db")).await?;
//! let the: i64 = sqlx::query_scalar(r#"SELECT SUM("count") FROM "counts by second" WHERE "word" = 'the'"#)
//!     .fetch_one(&mut reader)
//!     .await?;
//! assert_eq!(the, 6);
//! # Ok::<(), sqlx::Error>(()) }).unwrap();
//! # Ok::<(), headwater::Error>(())
//! ```
//!
//! [`SqlSink`] tells the guarantees and what happens when something is wrong, [`SqlDatabase`] the limits.

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("headwater-sql without a database: enable the feature `sqlite`, `postgres` or `mysql`");

mod address;
mod database;
mod datum;
mod dialect;
#[cfg(any(feature = "sqlite", feature = "mysql"))]
mod insert;
mod ledger;
#[cfg(feature = "mysql")]
mod mysql;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod reactor;
mod refused;
mod row;
mod rows;
mod server;
mod settings;
mod sink;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;
mod value;

pub use database::SqlDatabase;
pub use row::Row;
pub use sink::SqlSink;
pub use value::{Column, ColumnType, RowWriter, Value};

/// The programs in the guide compile and run.
#[cfg(doctest)]
mod documents {
    #[cfg(feature = "sqlite")]
    #[doc = include_str!("../../../docs/guide/12-databases.md")]
    struct Databases;
    #[cfg(all(feature = "postgres", feature = "mysql"))]
    #[doc = include_str!("../../../docs/guide/13-database-servers.md")]
    struct DatabaseServers;
}
