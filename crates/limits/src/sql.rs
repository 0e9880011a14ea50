//! The rows of `sink --to` a database: batches of rows, appended and upserted exactly once, beside a loop over the same
//! driver that writes the same rows in one transaction.

use crate::arguments::Arguments;
use crate::disk::Folder;
use crate::hand::sql::{Bare, Record};
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::store::Store;
use headwater_sql::SqlDatabase;

/// Rows of a batch.
const ROWS: usize = 100_000;
const AIM: f64 = 0.5;
/// The CPU time of this process says little: a server has most of the work, and SQLite waits for the disk.
const BY_WALL_TIME: usize = 2;

const OURS: &str = "limits_ours";
const LEDGER: &str = "limits_ledger";

/// What becomes of a row whose key is there.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Appended,
    Upserted,
}

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    [Kind::Appended, Kind::Upserted].map(|kind| row(arguments, kind, ROWS)).into_iter().collect()
}

fn row(arguments: &Arguments, kind: Kind, count: usize) -> Result<Row, String> {
    let (store, folder) = (arguments.to, Folder::new(arguments.dir.as_deref())?);
    let place = arguments.url.clone().unwrap_or_else(|| folder.path("limits.db"));
    let database = match store {
        Store::Files => return Err("files are no database".to_string()),
        Store::Sqlite => SqlDatabase::sqlite(&place),
        Store::Postgres => SqlDatabase::postgres(&place),
        Store::Mysql => SqlDatabase::mysql(&place),
    };
    let failed = |error| format!("{}: {error}", store.as_str());
    let mut other = Bare::connect(store, &place).map_err(failed)?;
    make_tables(&mut other, kind).map_err(failed)?;

    let database = database.ledger(LEDGER);
    let sink = match kind {
        Kind::Appended => database.append_to(OURS),
        Kind::Upserted => database.upsert_into(OURS, ["word"]),
    };
    // The first batch of each is not measured: it finds empty tables, and statements that are not prepared.
    let batches: Vec<_> = (1..=arguments.rounds + 1).map(|number| batch(number, count)).collect();
    let bare = bare(Bare::connect(store, &place).map_err(failed)?, kind, batches.clone());
    let sink = sink.columns(["word", "count"]);
    let ours = crate::ours::sql::contender(sink, batches, folder.path("checkpoint"), arguments.local)?;
    let [ours, limit] = beside([ours, bare], arguments.rounds)?;

    let [written, expected] = [OURS, Bare::TABLE].map(|table| other.count_and_sum(table));
    let (written, expected) = (written.map_err(failed)?, expected.map_err(failed)?);
    if written != expected {
        return Err(format!("the tables differ in their rows and sums: {written:?} and {expected:?}"));
    }
    drop_tables(&mut other).map_err(failed)?;
    let what = if kind == Kind::Appended { "appended to" } else { "upserted into" };
    let name = format!("{count} rows a batch, {what} {}", store.as_str());
    let row = Row::compared(name, "ns/row", count as u64, (ours, limit), BY_WALL_TIME);
    let row = row.without_peaks().aim(Aim::Ratio(AIM)).note("by wall time, with a checkpoint folder");
    announce(&row);
    Ok(row)
}

/// Each batch has the same words with other numbers.
fn batch(number: usize, count: usize) -> Vec<Record> {
    (0..count).map(|row| (format!("a word with the number {row}"), (row * number) as i64)).collect()
}

fn bare(mut loops: Bare, kind: Kind, batches: Vec<Vec<Record>>) -> Contender<'static> {
    let (mut batches, mut done) = (batches.into_iter(), 0);
    let mut write = move || {
        let rows = batches.next().expect("there is a batch for each round");
        loops.write(&rows, kind == Kind::Upserted).expect("the database takes the rows");
        done += 1;
        done
    };
    write();
    Contender::new("the bare loop", write)
}

fn make_tables(database: &mut Bare, kind: Kind) -> sqlx::Result<()> {
    drop_tables(database)?;
    let (text, key) = (database.text(), if kind == Kind::Upserted { " PRIMARY KEY" } else { "" });
    let create = |table| format!("CREATE TABLE {table} (word {text} NOT NULL{key}, count BIGINT NOT NULL)");
    [OURS, Bare::TABLE].into_iter().try_for_each(|table| database.run(&create(table)))
}
fn drop_tables(database: &mut Bare) -> sqlx::Result<()> {
    let drop = |table| format!("DROP TABLE IF EXISTS {table}");
    [OURS, Bare::TABLE, LEDGER].into_iter().try_for_each(|table| database.run(&drop(table)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_write_the_same_into_sqlite() {
        let dir = Some(std::env::temp_dir());
        let arguments = Arguments { to: Store::Sqlite, dir, rounds: 2, ..Arguments::default() };
        for kind in [Kind::Appended, Kind::Upserted] {
            assert!(row(&arguments, kind, 1000).unwrap().name.ends_with(" sqlite"));
        }
    }
}
