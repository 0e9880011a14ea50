//! The sinks and what they hold, one file each.

mod files;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
mod server;
#[cfg(feature = "sql")]
mod sql;

use crate::options::{ApplicationOptions, Sink};
use crate::row::Row;
use headwater::dstream::OutputOperation;
use headwater::prelude::*;
use headwater::sink::FailurePolicy;

/// A server that was killed is back by then.
const RETRY: FailurePolicy = FailurePolicy::retry(30, Duration::from_millis(100));

/// Ends `rows` in the sink.
pub(crate) fn write(rows: &DStream<Row>, options: &ApplicationOptions) -> headwater::Result<()> {
    let output: OutputOperation = match options.what.sink {
        Sink::Files => files::write(rows, &options.dir),
        #[cfg(feature = "sqlite")]
        Sink::Sqlite => sql::write(rows, &headwater_sql::SqlDatabase::sqlite(sql::file(&options.dir))),
        #[cfg(feature = "postgres")]
        Sink::Postgres => sql::write(rows, &headwater_sql::SqlDatabase::postgres(&options.server)),
        #[cfg(feature = "mysql")]
        Sink::Mysql => sql::write(rows, &headwater_sql::SqlDatabase::mysql(&options.server)),
        #[cfg(feature = "redis")]
        Sink::Redis => redis::write(rows, &options.server),
        #[allow(unreachable_patterns, reason = "where all features are on")]
        other => return Err(headwater::Error::program(missing(other))),
    };
    output.uid("rows").on_failure(RETRY);
    Ok(())
}

/// Where the rows lie, with the server that it takes.
pub(crate) trait Store {
    /// What the application is told of the server.
    fn server(&self) -> String {
        String::new()
    }
    /// All rows that a reader sees.
    fn rows(&self) -> Result<Vec<Row>, String>;
    /// Kills the server and starts it again, where there is one.
    fn kill_server(&self) -> Result<(), String> {
        Ok(())
    }
}

pub(crate) fn open(sink: Sink, dir: &str) -> Result<Box<dyn Store>, String> {
    match sink {
        Sink::Files => Ok(Box::new(files::Files::new(dir))),
        #[cfg(feature = "sqlite")]
        Sink::Sqlite => Ok(Box::new(sql::Sqlite::new(dir))),
        #[cfg(feature = "postgres")]
        Sink::Postgres => Ok(Box::new(sql::Served::<sqlx::Postgres>::start("postgres", dir)?)),
        #[cfg(feature = "mysql")]
        Sink::Mysql => Ok(Box::new(sql::Served::<sqlx::MySql>::start("mysql", dir)?)),
        #[cfg(feature = "redis")]
        Sink::Redis => Ok(Box::new(redis::Redis::start(dir)?)),
        #[allow(unreachable_patterns, reason = "where all features are on")]
        other => Err(missing(other)),
    }
}

fn missing(sink: Sink) -> String {
    format!("this kill-test was built without the sink {sink}: add --features {sink}")
}
