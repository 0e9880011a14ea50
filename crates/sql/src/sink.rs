//! [`SqlSink`]: the sink itself. Its tasks make bytes of their rows; the driver hands those of a batch to the database.

use crate::address::Brand;
use crate::database::SqlDatabase;
use crate::dialect::Dialect;
use crate::plan::Plan;
use crate::row::Row;
use crate::rows::Rows;
use headwater_core::rdd::PartitionRecords;
use headwater_core::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
use headwater_core::time::Time;
use headwater_core::{Error, Result};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Of a batch so many bytes are prepared, at most, unless told otherwise.
const BATCH_BYTES_MAX: usize = 256 << 20;

/// Writes each batch into a table in one transaction: readers see all of a batch or nothing, in the order of the batches,
/// and with a checkpoint folder each record counts exactly once, whatever ends when.
///
/// It comes from [`SqlDatabase::append_to`] or [`SqlDatabase::upsert_into`], and goes to
/// [`DStream::write_to`](headwater_core::DStream::write_to). Records are tuples, whose columns are named by
/// [`columns`](SqlSink::columns), or implement [`Row`].
///
/// # Replacing rows
/// Of records with one key the last one of a batch wins: the one in the last partition, and the last of those there. So
/// bring the records of a key together before, as `reduce_by_key` does, where the order matters.
///
/// # The ledger
/// The newest batch of each output is a row of the table `headwater_ledger` in the same database, changed in the same
/// transaction. A process that does not know whether its last commit came through finds out there. A ledger that says less
/// than it did, as behind a restore from an older copy, is an error at the next start or commit. The row is kept by the
/// output's id, so name the output for good: `.uid("...")`. A program without a checkpoint folder is another application
/// each time it starts, and leaves a row each time.
///
/// # Trouble
/// A database that is down, locked or full is an error that may be gone the next time:
/// [`on_failure`](headwater_core::dstream::OutputOperation::on_failure) with
/// [`FailurePolicy::retry`](headwater_core::sink::FailurePolicy::retry) tries it again, also at the start. A value that the
/// database refuses is an error with the table, the column and the row, and nothing of the batch is there. A table that does
/// not fit the records fails the start.
pub struct SqlSink {
    database: SqlDatabase,
    table: String,
    columns: Vec<String>,
    /// The key columns, if rows are replaced.
    keys: Option<Vec<String>>,
    create_table: bool,
    accept_lost_ledger: bool,
    batch_bytes_max: usize,
    /// The batch that this process has committed last: the ledger must not fall behind it.
    newest: Mutex<Option<Time>>,
}

impl SqlSink {
    pub(crate) fn new(database: SqlDatabase, table: String, keys: Option<Vec<String>>) -> SqlSink {
        SqlSink {
            database,
            table,
            columns: Vec::new(),
            keys,
            create_table: false,
            accept_lost_ledger: false,
            batch_bytes_max: BATCH_BYTES_MAX,
            newest: Mutex::new(None),
        }
    }
    /// The names of the columns, in the order of the values of a record.
    pub fn columns<C: Into<String>>(self, names: impl IntoIterator<Item = C>) -> SqlSink {
        SqlSink { columns: names.into_iter().map(Into::into).collect(), ..self }
    }
    /// Makes the table where it is missing, with columns for the records, and the keys as its primary key.
    pub fn create_table(self) -> SqlSink {
        SqlSink { create_table: true, ..self }
    }
    /// Goes on behind the last committed batch where the ledger has lost what it knew, or the table is gone that
    /// [`create_table`](SqlSink::create_table) makes, instead of failing the start. For one
    /// start, by someone who has looked at the table: with it the next loss would pass unseen.
    pub fn accept_lost_ledger(self) -> SqlSink {
        SqlSink { accept_lost_ledger: true, ..self }
    }
    /// How many bytes a batch may have while it waits for its commit: 256 MiB unless told otherwise. More is an error.
    pub fn batch_bytes_max(self, bytes: usize) -> SqlSink {
        SqlSink { batch_bytes_max: bytes, ..self }
    }

    fn plan<T: Row>(&self) -> Result<Plan> {
        let columns = Plan::columns::<T>(&self.table, &self.columns)?;
        let keys = match &self.keys {
            Some(keys) if keys.is_empty() => {
                return Err(Error::program(format!(
                    "table {:?}: name the key of the rows that are replaced",
                    self.table
                )));
            }
            keys => Plan::keys(&self.table, &columns, keys.as_deref().unwrap_or_default())?,
        };
        Ok(Plan {
            table: self.table.clone(),
            columns,
            keys,
            create_table: self.create_table,
            accept_lost_ledger: self.accept_lost_ledger,
            refuses: match self.database.brand() {
                #[cfg(feature = "sqlite")]
                Brand::Sqlite => crate::sqlite::Sqlite::REFUSES,
                #[cfg(feature = "postgres")]
                Brand::Postgres => crate::postgres::Postgres::REFUSES,
                #[cfg(feature = "mysql")]
                Brand::Mysql => crate::mysql::Mysql::REFUSES,
            },
            batch_bytes_max: self.batch_bytes_max,
        })
    }
}

impl<T: Row> Sink<T> for SqlSink {
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()> {
        self.database.server()?.recover(&self.plan::<T>()?, output)
    }
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>> {
        self.database.server()?.newest(output)
    }
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>> {
        self.plan::<T>()?.encode(records, |index, error| part.refuse(index, error))
    }
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()> {
        let plan = self.plan::<T>()?;
        let rows = Rows::of(&plan, parts)?;
        let newest = || self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = newest().max(batch.output.committed);
        self.database.server()?.commit(&plan, batch, known, &rows.rows)?;
        *newest() = Some(batch.time);
        Ok(())
    }
}

/// Where it writes to, without the password.
impl fmt::Debug for SqlSink {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "table {:?} of {:?}", self.table, self.database)
    }
}
