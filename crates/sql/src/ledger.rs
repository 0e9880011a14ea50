//! The ledger: a table in the database itself, with the newest batch of each output, changed in the transaction that writes
//! the batch. It stays one row for an output. Two processes that commit the same output wait for each other at this row.

use crate::datum::Datum;
use crate::dialect::{Conn, Dialect, Driver, Sql};
use crate::plan::Plan;
use headwater_core::sink::SinkOutput;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};

/// What a ledger says of an output of which it has no batch.
const BEFORE_ALL: i64 = i64::MIN;
/// Names longer than this are refused, since MySQL's index takes no longer ones.
const NAME_BYTES_MAX: usize = 500;

/// The statements of a ledger.
pub(crate) struct Ledger {
    pub(crate) table: String,
    pub(crate) create: Sql,
    find: Sql,
    insert: Sql,
    advance: Sql,
    restore: Sql,
}

/// What a ledger has of an output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    /// The newest batch.
    batch_ms: i64,
    /// The longest time from one batch to the next that a process has seen.
    step_ms: i64,
}

impl Ledger {
    pub(crate) fn new<D: Dialect>(table: &str) -> Ledger {
        let (name, mark, (text, integer)) = (D::quoted(table), D::mark, D::LEDGER_TYPES);
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {name} (application {text} NOT NULL, operator {text} NOT NULL, \
             batch_ms {integer} NOT NULL, step_ms {integer} NOT NULL, PRIMARY KEY (application, operator)){}",
            D::TABLE_OPTIONS
        );
        let of = |first: usize| format!("application = {} AND operator = {}", mark(first), mark(first + 1));
        let find = format!("SELECT batch_ms, step_ms FROM {name} WHERE {}", of(1));
        let insert = format!(
            "INSERT INTO {name} (application, operator, batch_ms, step_ms) VALUES ({}, {}, {}, 0){}",
            mark(1),
            mark(2),
            mark(3),
            D::OR_LEAVE
        );
        let step = format!("CASE WHEN step_ms < {} THEN {} ELSE step_ms END", mark(2), mark(3));
        let advance = format!(
            "UPDATE {name} SET batch_ms = {}, step_ms = {step} WHERE {} AND batch_ms < {}",
            mark(1),
            of(4),
            mark(6)
        );
        let restore = format!("UPDATE {name} SET batch_ms = {} WHERE {} AND batch_ms < {}", mark(1), of(2), mark(4));
        let [create, find, insert, advance, restore] = [create, find, insert, advance, restore].map(Sql::from);
        Ledger { table: table.to_owned(), create, find, insert, advance, restore }
    }

    /// Makes the row of an output ready for its first batch in this process.
    pub(crate) async fn begin<D: Dialect>(
        &self,
        connection: &mut Conn<D>,
        plan: &Plan,
        output: &SinkOutput<'_>,
    ) -> sqlx::Result<Result<()>> {
        if let Some(name) = [output.application, output.operator].iter().find(|name| name.len() > NAME_BYTES_MAX) {
            let message = format!("a ledger takes names of up to {NAME_BYTES_MAX} bytes, and {name:?} is longer");
            return Ok(Err(plan.error(ErrorKind::Program, message)));
        }
        let found = self.find::<D>(connection, output).await?;
        let key = [Datum::Text(output.application), Datum::Text(output.operator)];
        if let Some(committed) = output.committed.map(Time::milliseconds) {
            if !plan.accept_lost_ledger
                && let Some(what) = lost(found, committed)
            {
                return Ok(Err(self.lost(plan, output, &what)));
            }
            let values = [Datum::Integer(committed), key[0], key[1], Datum::Integer(committed)];
            if plan.accept_lost_ledger {
                D::Db::run(connection, &self.restore, values.into_iter()).await?;
            }
        }
        let batch = output.committed.map_or(BEFORE_ALL, Time::milliseconds);
        D::Db::run(connection, &self.insert, [key[0], key[1], Datum::Integer(batch)].into_iter()).await?;
        Ok(Ok(()))
    }
    /// Takes note of a batch, in the transaction that writes it; false if it, or a later one, is there already. Behind it
    /// the row is locked. `step_ms` is the time since the batch before, where this process has committed that one.
    pub(crate) async fn advance<D: Dialect>(
        &self,
        connection: &mut Conn<D>,
        output: &SinkOutput<'_>,
        time: Time,
        step_ms: i64,
    ) -> sqlx::Result<bool> {
        let (time, step) = (Datum::Integer(time.milliseconds()), Datum::Integer(step_ms));
        let values = [time, step, step, Datum::Text(output.application), Datum::Text(output.operator), time];
        Ok(D::Db::run(connection, &self.advance, values.into_iter()).await? > 0)
    }
    /// Whether it has a row of an output.
    pub(crate) async fn has<D: Dialect>(
        &self,
        connection: &mut Conn<D>,
        output: &SinkOutput<'_>,
    ) -> sqlx::Result<bool> {
        Ok(self.find::<D>(connection, output).await?.is_some())
    }
    async fn find<D: Dialect>(&self, connection: &mut Conn<D>, output: &SinkOutput<'_>) -> sqlx::Result<Option<Entry>> {
        let key = [Datum::Text(output.application), Datum::Text(output.operator)];
        let found = D::Db::two_integers(connection, &self.find, &key).await?;
        Ok(found.map(|(batch_ms, step_ms)| Entry { batch_ms, step_ms }))
    }
    /// The error of a ledger that has lost what it knew.
    pub(crate) fn lost(&self, plan: &Plan, output: &SinkOutput<'_>, what: &str) -> Error {
        let SinkOutput { application, operator, .. } = output;
        let message = format!(
            "the ledger {:?} {what} of the output {operator:?} of {application:?}, so nobody knows which batches the table has. If the \
             ledger was dropped or the database was restored from an older copy, look at the table and mend it. If the output \
             is new in an application that has run before, or the database is a new one, all is well. Then start once with \
             `.accept_lost_ledger()`, which goes on behind the last committed batch",
            self.table
        );
        plan.error(ErrorKind::Program, message)
    }
}

/// What is wrong with what a ledger has, where the journal says that all up to a batch is committed.
///
/// An output need not have every batch: one behind a window of a longer slide has few. So a ledger that is behind is an
/// older copy only if another batch was due since, by the longest step that was ever seen.
fn lost(found: Option<Entry>, committed_ms: i64) -> Option<String> {
    let Some(Entry { batch_ms, step_ms }) = found else { return Some("has no row".to_owned()) };
    let behind = committed_ms.saturating_sub(batch_ms);
    let is_older = batch_ms != BEFORE_ALL && step_ms > 0 && behind >= step_ms;
    is_older.then(|| format!("ends at batch {batch_ms} ms and the journal at {committed_ms} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_lost_where_it_has_no_row_or_a_batch_was_due_since() {
        let entry = |batch_ms, step_ms| Some(Entry { batch_ms, step_ms });
        assert_eq!(lost(None, 5000).unwrap(), "has no row");
        assert_eq!(lost(entry(5000, 1000), 5000), None);
        assert_eq!(lost(entry(6000, 1000), 5000), None, "the note of the last batch was not written");
        assert_eq!(lost(entry(4000, 1000), 5000).unwrap(), "ends at batch 4000 ms and the journal at 5000 ms");
        assert_eq!(lost(entry(4000, 10_000), 13_000), None, "a window that is told every ten seconds");
        assert!(lost(entry(4000, 10_000), 14_000).is_some());
        assert_eq!(lost(entry(BEFORE_ALL, 0), 5000), None, "no batch has come yet");
    }
}
