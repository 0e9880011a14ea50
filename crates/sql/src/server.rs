//! [`Server`]: a database that is connected. What a sink asks of it, the same for every brand: one transaction a batch.

use crate::address::Address;
use crate::dialect::{Conn, Dialect, Driver, Options, Sql};
use crate::ledger::{Entry, Ledger};
use crate::plan::Plan;
use crate::reactor::Reactor;
use crate::refused;
use crate::settings::Settings;
use crate::table::create_table;
use headwater_core::sink::{SinkBatch, SinkOutput};
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{ConnectOptions, Connection, Pool};
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// How long the goodbye to a database may take, and the question why there is no connection.
const GOODBYE: Duration = Duration::from_secs(1);

/// A database, whatever its brand.
pub(crate) trait Server: Send + Sync {
    /// Looks whether all is there and fits, and makes what is missing.
    fn recover(&self, plan: &Plan, output: &SinkOutput<'_>) -> Result<()>;
    /// The newest batch of the output that is there.
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>>;
    /// Writes a batch unless it is there already. `known` is the newest of which it is known that it is there.
    fn commit(&self, plan: &Plan, batch: &SinkBatch<'_>, known: Option<Time>, rows: &[&[u8]]) -> Result<()>;
}

/// The connections to a database of a brand.
pub(crate) struct Connected<D: Dialect> {
    pool: Pool<D::Db>,
    ledger: Ledger,
    address: Address,
    settings: Settings,
    /// The place of the database when it was recovered.
    place: Mutex<Option<(u64, u64)>>,
    // Last, since the pool needs it to close.
    reactor: Reactor,
    brand: PhantomData<fn() -> D>,
}

/// Where a commit has failed.
enum Failure {
    /// It begins, takes note in the ledger, or ends.
    Around(&'static str, sqlx::Error),
    /// It writes its rows.
    Rows(sqlx::Error),
    /// The ledger has lost what it knew, in words.
    Lost(String),
}

impl<D: Dialect> Connected<D> {
    /// Opens no connection yet.
    pub(crate) fn new(address: Address, settings: Settings) -> Result<Connected<D>> {
        check_name::<D>("ledger", &settings.ledger)?;
        if settings.connections_max == 0 {
            return Err(Error::program(
                "a database without connections cannot be written to: `.connections(1)` at least",
            ));
        }
        let options: Options<D> = D::options(&address, &settings)?;
        let reactor = Reactor::start()?;
        let pool = PoolOptions::<D::Db>::new().max_connections(settings.connections_max);
        let pool = pool
            .acquire_timeout(settings.connect_timeout)
            .after_connect(|connection, _| Box::pin(D::Db::plain(connection, D::SESSION)));
        let pool = reactor.block_on(async { pool.connect_lazy_with(options) });
        let ledger = Ledger::new::<D>(&settings.ledger);
        let place = Mutex::new(None);
        Ok(Connected { pool, ledger, address, settings, place, reactor, brand: PhantomData })
    }

    /// Connections live on where the file of a database is removed or replaced, and what they write is nowhere then.
    fn check_place(&self) -> Result<()> {
        let place = *self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place == D::place(&self.address) {
            return Ok(());
        }
        Err(Error::program(
            "the file of the database was removed or replaced while the program ran: bring back the one that it has written \
             to, and start the program again",
        ))
    }
    /// What comes of a connection, within the time that an answer may take.
    fn ask<R>(&self, question: impl AsyncFnOnce(&mut Conn<D>) -> Result<R>) -> Result<R> {
        let limit = self.settings.commit_timeout;
        let answered = self.reactor.block_on(async {
            let mut connection = self.connection().await?;
            let Ok(answered) = timeout(limit, question(&mut connection)).await else {
                // What it still has to say belongs to nobody. Whether a batch is there, the ledger says at the next try.
                drop(connection.detach());
                return Err(no_answer(limit));
            };
            answered
        });
        answered.map_err(|error| error.within(&self.address))
    }
    async fn connection(&self) -> Result<PoolConnection<D::Db>> {
        let error = match self.pool.acquire().await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let within = self.settings.connect_timeout;
        if !matches!(error, sqlx::Error::PoolTimedOut) {
            return Err(self.failed("cannot connect", error));
        }
        // The pool keeps to itself why it got no connection.
        match timeout(GOODBYE, self.pool.connect_options().connect()).await {
            Ok(Err(cause)) => Err(self.failed(&format!("no connection within {within:?}"), cause)),
            _ => Err(Error::new(ErrorKind::Outside, format!("no connection within {within:?}"))),
        }
    }
    /// An error of the driver or of the database. None of them has the password in it.
    fn failed(&self, doing: &str, error: sqlx::Error) -> Error {
        let (kind, told) = match &error {
            sqlx::Error::Database(error) => (D::kind(&**error), D::told(&**error)),
            sqlx::Error::Configuration(_) => (ErrorKind::Program, error.to_string()),
            error => (ErrorKind::Outside, error.to_string()),
        };
        Error::new(kind, doing).because(told)
    }

    async fn recover_on(&self, connection: &mut Conn<D>, plan: &Plan, output: &SinkOutput<'_>) -> Result<()> {
        let ledger = &self.ledger.table;
        let of_ledger = |error| self.failed(&format!("the ledger {ledger:?} cannot be had"), error);
        self.make(connection, ledger, &self.ledger.create).await.map_err(of_ledger)?;
        if let Some(found) = D::describe(connection, ledger).await.map_err(of_ledger)?
            && let Some(reason) = found.unfit
        {
            return Err(Error::program(format!("the ledger {ledger:?}: {reason}")));
        }
        let of_table = |error| self.failed(&format!("the table {:?} cannot be had", plan.table), error);
        if plan.create_table {
            if output.committed.is_some() && !plan.accept_lost_ledger {
                let is_there = D::describe(connection, &plan.table).await.map_err(of_table)?.is_some();
                is_there.then_some(()).ok_or_else(|| is_missing(plan, output))?;
            }
            self.make(connection, &plan.table, &create_table::<D>(plan)).await.map_err(of_table)?;
        }
        let Some(table) = D::describe(connection, &plan.table).await.map_err(of_table)? else {
            let schema = match plan.table.contains('.') {
                true => " (a name with a dot is one name here: choose the schema or database by the address)",
                false => "",
            };
            let hint = "create it, or let the sink do so by `.create_table()`";
            return Err(plan.error(ErrorKind::Program, format!("it does not exist{schema}: {hint}")));
        };
        table.check::<D>(plan)?;
        self.ledger.begin::<D>(connection, plan, output).await.map_err(of_ledger)?
    }
    /// Makes a table unless it is there. Who may not make tables may still write to those that are.
    async fn make(&self, connection: &mut Conn<D>, table: &str, create: &str) -> sqlx::Result<()> {
        if D::describe(connection, table).await?.is_some() {
            return Ok(());
        }
        match D::Db::run(connection, &Sql::from(create), std::iter::empty()).await {
            // Another process has made it at the same time.
            Err(error) if D::describe(connection, table).await?.is_none() => Err(error),
            _ => Ok(()),
        }
    }

    async fn commit_on(
        &self,
        connection: &mut Conn<D>,
        plan: &Plan,
        batch: &SinkBatch<'_>,
        known: Option<Time>,
        rows: &[&[u8]],
    ) -> Result<(), Failure> {
        let around = |doing| move |error| Failure::Around(doing, error);
        let mut transaction = connection.begin_with(D::BEGIN).await.map_err(around("a transaction cannot begin"))?;
        let of_ledger = around("the ledger cannot be changed");
        let entry = self.ledger.advance::<D>(&mut transaction, &batch.output, batch.time, known).await;
        let not_written = match entry.map_err(of_ledger)? {
            Entry::New => None,
            Entry::Known => Some(Ok(())),
            Entry::Lost(what) => Some(Err(Failure::Lost(what))),
        };
        if let Some(result) = not_written {
            transaction.rollback().await.map_err(around("a transaction cannot end"))?;
            return result;
        }
        if !rows.is_empty() {
            D::write(&mut transaction, plan, rows).await.map_err(Failure::Rows)?;
        }
        transaction.commit().await.map_err(around("a commit may not have come through"))
    }
    /// What has become of a failed commit, in words.
    async fn explained(
        &self,
        connection: &mut Conn<D>,
        plan: &Plan,
        output: &SinkOutput<'_>,
        failure: Failure,
        rows: &[&[u8]],
    ) -> Error {
        let error = match failure {
            Failure::Lost(what) => return self.ledger.lost(plan, output, &what),
            Failure::Around(doing, error) => {
                let is_gone = matches!(&error, sqlx::Error::Database(error) if D::kind(&**error) == ErrorKind::Program)
                    && matches!(D::describe(connection, &self.ledger.table).await, Ok(None));
                return match is_gone {
                    true => self.ledger.lost(plan, output, "is gone, and with it the row"),
                    false => self.failed(doing, error),
                };
            }
            Failure::Rows(error) => error,
        };
        let kind = match &error {
            sqlx::Error::Database(error) => D::kind(&**error),
            _ => ErrorKind::Outside,
        };
        match kind {
            ErrorKind::Data => refused::explained::<D>(connection, plan, rows, error).await,
            ErrorKind::Program => {
                let doing = format!("table {:?}: it cannot be written to; has it changed since the start?", plan.table);
                self.failed(&doing, error)
            }
            _ => self.failed(&format!("table {:?}: the rows cannot be written", plan.table), error),
        }
    }
}

impl<D: Dialect> Server for Connected<D> {
    fn recover(&self, plan: &Plan, output: &SinkOutput<'_>) -> Result<()> {
        check_name::<D>("table", &plan.table)?;
        plan.columns.iter().try_for_each(|column| check_name::<D>("column", column.name()))?;
        self.ask(async |connection| self.recover_on(connection, plan, output).await)?;
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = D::place(&self.address);
        Ok(())
    }
    fn newest(&self, output: &SinkOutput<'_>) -> Result<Option<Time>> {
        self.ask(async |connection| {
            let newest = self.ledger.newest::<D>(connection, output).await;
            newest.map_err(|error| self.failed("the ledger cannot be read", error))
        })
    }
    fn commit(&self, plan: &Plan, batch: &SinkBatch<'_>, known: Option<Time>, rows: &[&[u8]]) -> Result<()> {
        self.check_place().map_err(|error| error.within(&self.address))?;
        self.ask(async |connection| match self.commit_on(connection, plan, batch, known, rows).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.explained(connection, plan, &batch.output, failure, rows).await),
        })
    }
}
impl<D: Dialect> Drop for Connected<D> {
    fn drop(&mut self) {
        // A database that does not answer hears no goodbye.
        let _closed = self.reactor.block_on(async { timeout(GOODBYE, self.pool.close()).await });
    }
}

fn is_missing(plan: &Plan, output: &SinkOutput<'_>) -> Error {
    let batch = output.committed.map_or_else(String::new, |batch| format!(" up to {batch}"));
    let message = format!(
        "it does not exist, though batches{batch} are committed to it: it was dropped or renamed. Bring it back; or, where it \
         shall begin anew, start once with `.accept_lost_ledger()`"
    );
    plan.error(ErrorKind::Program, message)
}
fn no_answer(limit: Duration) -> Error {
    let hint = "raise `commit_timeout` if a batch may take longer";
    Error::new(ErrorKind::Outside, format!("the database has not answered within {limit:?}: {hint}"))
}
fn check_name<D: Dialect>(what: &str, name: &str) -> Result<()> {
    if !name.is_empty() && name.len() <= D::NAME_MAX && !name.contains('\0') {
        return Ok(());
    }
    let max = D::NAME_MAX;
    Err(Error::program(format!("the {what} {name:?}: a name has 1 to {max} bytes here and no U+0000")))
}
