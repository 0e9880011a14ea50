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

/// What a ledger says of a batch that is to be written.
pub(crate) enum Entry {
    /// It was not there, and is now, when the transaction commits.
    New,
    /// It is there, or a later one.
    Known,
    /// The ledger has lost what it knew, in words.
    Lost(String),
}

impl Ledger {
    pub(crate) fn new<D: Dialect>(table: &str) -> Ledger {
        let (name, mark, (text, integer)) = (D::quoted(table), D::mark, D::LEDGER_TYPES);
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {name} (application {text} NOT NULL, operator {text} NOT NULL, \
             batch_ms {integer} NOT NULL, PRIMARY KEY (application, operator)){}",
            D::TABLE_OPTIONS
        );
        let of = |first: usize| format!("application = {} AND operator = {}", mark(first), mark(first + 1));
        let find = format!("SELECT batch_ms FROM {name} WHERE {}", of(1));
        let insert = format!(
            "INSERT INTO {name} (application, operator, batch_ms) VALUES ({}, {}, {}){}",
            mark(1),
            mark(2),
            mark(3),
            D::OR_LEAVE
        );
        let advance = format!(
            "UPDATE {name} SET batch_ms = {} WHERE {} AND batch_ms < {} AND batch_ms >= {}",
            mark(1),
            of(2),
            mark(4),
            mark(5)
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
        let key = [Datum::Text(output.application), Datum::Text(output.operator)];
        let batch = Datum::Integer(milliseconds(output.committed));
        if output.committed.is_some() {
            if plan.accept_lost_ledger {
                D::Db::run(connection, &self.restore, [batch, key[0], key[1], batch].into_iter()).await?;
            } else if let Some(what) = lost(self.find::<D>(connection, output).await?, output.committed) {
                return Ok(Err(self.lost(plan, output, &what)));
            }
        }
        D::Db::run(connection, &self.insert, [key[0], key[1], batch].into_iter()).await?;
        Ok(Ok(()))
    }
    /// Takes note of a batch, in the transaction that writes it. Behind it the row is locked, if the batch is new. The
    /// ledger has said already that `known` is there, so it must say at least that.
    pub(crate) async fn advance<D: Dialect>(
        &self,
        connection: &mut Conn<D>,
        output: &SinkOutput<'_>,
        time: Time,
        known: Option<Time>,
    ) -> sqlx::Result<Entry> {
        let (new, known_ms) = (Datum::Integer(time.milliseconds()), Datum::Integer(milliseconds(known)));
        let values = [new, Datum::Text(output.application), Datum::Text(output.operator), new, known_ms];
        if D::Db::run(connection, &self.advance, values.into_iter()).await? > 0 {
            return Ok(Entry::New);
        }
        Ok(lost(self.find::<D>(connection, output).await?, known).map_or(Entry::Known, Entry::Lost))
    }
    /// The newest batch of an output.
    pub(crate) async fn newest<D: Dialect>(
        &self,
        connection: &mut Conn<D>,
        output: &SinkOutput<'_>,
    ) -> sqlx::Result<Option<Time>> {
        let found = self.find::<D>(connection, output).await?;
        Ok(found.filter(|newest| *newest != BEFORE_ALL).map(Time::from_millis))
    }
    async fn find<D: Dialect>(&self, connection: &mut Conn<D>, output: &SinkOutput<'_>) -> sqlx::Result<Option<i64>> {
        let key = [Datum::Text(output.application), Datum::Text(output.operator)];
        D::Db::integer(connection, &self.find, &key).await
    }
    /// The error of a ledger that has lost what it knew.
    pub(crate) fn lost(&self, plan: &Plan, output: &SinkOutput<'_>, what: &str) -> Error {
        let SinkOutput { application, operator, .. } = output;
        let message = format!(
            "the ledger {:?} {what} of the output {operator:?} of {application:?}, so nobody knows which batches the table has. If the \
             ledger was dropped or the database was restored from an older copy, look at the table and mend it. If the database is a \
             new one, all is well. Then start once with `.accept_lost_ledger()`, which goes on behind the last committed batch",
            self.table
        );
        plan.error(ErrorKind::Program, message)
    }
}

fn milliseconds(batch: Option<Time>) -> i64 {
    batch.map_or(BEFORE_ALL, Time::milliseconds)
}

/// What is wrong with the newest batch that a ledger has found, where it has had `known`.
fn lost(found: Option<i64>, known: Option<Time>) -> Option<String> {
    let known = milliseconds(known);
    match found {
        None => Some("has no row".to_owned()),
        Some(BEFORE_ALL) if BEFORE_ALL < known => Some("has no batch".to_owned()),
        Some(newest) if newest < known => Some(format!("ends at batch {newest} ms and not at {known} ms")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_lost_where_it_has_less_than_it_had() {
        let lost = |found, known: Option<i64>| lost(found, known.map(Time::from_millis));
        assert_eq!(lost(None, None).unwrap(), "has no row");
        assert_eq!(lost(None, Some(5000)).unwrap(), "has no row");
        assert_eq!(lost(Some(5000), Some(5000)), None);
        assert_eq!(lost(Some(6000), Some(5000)), None, "the note of the last batch was not written");
        assert_eq!(lost(Some(4999), Some(5000)).unwrap(), "ends at batch 4999 ms and not at 5000 ms");
        assert_eq!(lost(Some(BEFORE_ALL), Some(5000)).unwrap(), "has no batch");
        assert_eq!(lost(Some(BEFORE_ALL), None), None, "no batch has come yet");
    }
}
