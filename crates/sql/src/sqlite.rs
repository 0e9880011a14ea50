//! SQLite's dialect: a file of the process's own machine, which other programs read while it is written.

use crate::address::Address;
use crate::dialect::{Dialect, Options};
use crate::insert::{Limits, insert};
use crate::plan::Plan;
use crate::settings::Settings;
use crate::table::{Table, TableColumn, on_conflict};
use crate::value::{ColumnType, Refuses};
use headwater_core::{Error, ErrorKind, Result};
use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use std::path::Path;

pub(crate) struct Sqlite;

/// SQLite 3.32 and later bind up to 32,766 values.
const LIMITS: Limits = Limits { rows: 64, values: 32_766, bytes: 1 << 20 };

impl Dialect for Sqlite {
    type Db = sqlx::Sqlite;
    // Other writers are waited for here, and not found in the middle of a transaction.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";
    const SESSION: &'static [&'static str] = &[];
    const TABLE_OPTIONS: &'static str = "";
    const LEDGER_TYPES: (&'static str, &'static str) = ("TEXT", "INTEGER");
    const OR_LEAVE: &'static str = " ON CONFLICT DO NOTHING";
    const ANY_UNIQUE_INDEX_DECIDES: bool = false;
    const NAME_MAX: usize = 1000;
    const REFUSES: Refuses = Refuses { not_a_number: true, infinity: false, zero_in_text: false };

    fn options(address: &Address, settings: &Settings) -> Result<Options<Self>> {
        let path = address.path();
        if path.is_empty() || path == ":memory:" {
            return Err(Error::program("SQLite: name a file; a database in memory would end with its connection"));
        }
        if path.starts_with("sqlite:") {
            return Err(Error::program(format!("SQLite: {path:?} is a URL: name the file by its path")));
        }
        // What begins with `file:` would be taken for a URI.
        let options = SqliteConnectOptions::new().filename(Path::new(".").join(path)).create_if_missing(true);
        // Readers see the last whole batch while the next is written, and what is committed survives a power cut.
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let options = options.busy_timeout(settings.connect_timeout).disable_statement_logging();
        Ok(match settings.sqlite_pages_max {
            Some(pages) => options.pragma("max_page_count", pages.to_string()),
            None => options,
        })
    }
    fn quoted(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
    fn mark(_: usize) -> String {
        "?".to_owned()
    }
    fn same_name(one: &str, other: &str) -> bool {
        one.eq_ignore_ascii_case(other)
    }
    fn sql_type(column_type: ColumnType, _: bool) -> &'static str {
        match column_type {
            ColumnType::Bool | ColumnType::I16 | ColumnType::I32 | ColumnType::I64 => "INTEGER",
            ColumnType::F32 | ColumnType::F64 => "REAL",
            ColumnType::Text => "TEXT",
            ColumnType::Bytes => "BLOB",
        }
    }
    fn fits(column_type: ColumnType, base: &str) -> bool {
        use ColumnType::*;
        let affinity = Affinity::of(base);
        match column_type {
            _ if affinity == Affinity::Any => true,
            Bool | I64 => matches!(affinity, Affinity::Integer | Affinity::Numeric),
            I16 | I32 => matches!(affinity, Affinity::Integer | Affinity::Numeric | Affinity::Real),
            F32 | F64 => matches!(affinity, Affinity::Real | Affinity::Numeric),
            // Elsewhere text that looks like a number would become one: "007" is not 7.
            Text => affinity == Affinity::Text || base.contains("date") || base.contains("time"),
            Bytes => affinity == Affinity::Blob,
        }
    }
    async fn describe(connection: &mut SqliteConnection, table: &str) -> sqlx::Result<Option<Table>> {
        let sql = "SELECT name, type, \"notnull\", dflt_value IS NOT NULL, pk, hidden FROM pragma_table_xinfo(?)";
        let columns: Vec<(String, String, bool, bool, i64, i64)> =
            sqlx::query_as(sql).bind(table).fetch_all(&mut *connection).await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let sql = "SELECT type FROM pragma_table_list(?) WHERE schema = 'main'";
        let kind: Option<String> = sqlx::query_scalar(sql).bind(table).fetch_optional(&mut *connection).await?;
        let unfit = kind.filter(|kind| kind != "table").map(|kind| format!("it is no table, but a {kind}"));
        let sql = "SELECT list.name, info.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info \
                   WHERE list.\"unique\" AND NOT list.partial ORDER BY list.seq, info.seqno";
        let indexed: Vec<(String, Option<String>)> = sqlx::query_as(sql).bind(table).fetch_all(connection).await?;
        let mut primary: Vec<_> = columns.iter().filter(|column| column.4 > 0).collect();
        primary.sort_by_key(|column| column.4);
        let primary: Vec<String> = primary.into_iter().map(|column| column.0.clone()).collect();
        let mut unique: Vec<Vec<String>> = indexed
            .chunk_by(|one, other| one.0 == other.0)
            .map(|index| index.iter().map(|(_, name)| name.clone().unwrap_or_default()).collect())
            .collect();
        let is_row_number = |column: &str| primary.len() == 1 && primary[0] == column;
        let columns = columns.iter().map(|(name, declared, not_null, has_default, _, hidden)| TableColumn {
            base: declared.to_lowercase(),
            declared: if declared.is_empty() { "of no type".to_owned() } else { declared.clone() },
            not_null: *not_null,
            has_default: *has_default,
            is_generated: *hidden > 1,
            is_counter: declared.eq_ignore_ascii_case("integer") && is_row_number(name),
            name: name.clone(),
        });
        let columns = columns.collect();
        unique.push(primary);
        Ok(Some(Table { columns, unique, unfit }))
    }
    async fn write(connection: &mut SqliteConnection, plan: &Plan, rows: &[&[u8]]) -> sqlx::Result<()> {
        insert::<Sqlite>(connection, plan, rows, &LIMITS, &on_conflict::<Sqlite>(plan)).await
    }
    #[cfg(unix)]
    #[allow(clippy::disallowed_methods, reason = "the driver opens the same file")]
    fn place(address: &Address) -> Option<(u64, u64)> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(Path::new(".").join(address.path())).ok();
        // Another one than all that there are, if it is gone.
        Some(file.map_or((u64::MAX, u64::MAX), |file| (file.dev(), file.ino())))
    }
    fn told(error: &dyn DatabaseError) -> String {
        match error.code().as_deref() {
            // CANTOPEN
            Some("14") => format!("{}: is its folder there, and may it be written to?", error.message()),
            _ => error.message().to_owned(),
        }
    }
    fn kind(error: &dyn DatabaseError) -> ErrorKind {
        let code: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or(0);
        // The low byte is the primary code: https://www.sqlite.org/rescode.html
        match code & 0xff {
            // TOOBIG, CONSTRAINT, MISMATCH.
            18..=20 => ErrorKind::Data,
            // ERROR: no such table, no such column.
            1 => ErrorKind::Program,
            _ => ErrorKind::Outside,
        }
    }
}

/// What SQLite makes of values that are stored in a column: https://www.sqlite.org/datatype3.html, 3.1.
#[derive(PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
    /// It takes everything as it is.
    Any,
}
impl Affinity {
    /// By the declared type, in lower-case.
    fn of(declared: &str) -> Affinity {
        let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
        match declared {
            "" | "any" => Affinity::Any,
            _ if has(&["int"]) => Affinity::Integer,
            _ if has(&["char", "clob", "text"]) => Affinity::Text,
            _ if has(&["blob"]) => Affinity::Blob,
            _ if has(&["real", "floa", "doub"]) => Affinity::Real,
            _ => Affinity::Numeric,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_take_what_they_hold_as_it_is() {
        use ColumnType::*;
        let fitting = |base: &str| {
            let all = [Bool, I16, I32, I64, F32, F64, Text, Bytes];
            all.into_iter().filter(|of| Sqlite::fits(*of, base)).collect::<Vec<_>>()
        };
        assert_eq!(fitting("integer"), [Bool, I16, I32, I64]);
        assert_eq!(fitting("boolean"), [Bool, I16, I32, I64, F32, F64]);
        assert_eq!(fitting("double precision"), [I16, I32, F32, F64]);
        assert_eq!(fitting("varchar(5)"), [Text]);
        assert_eq!(fitting("blob"), [Bytes]);
        assert_eq!(fitting("datetime"), [Bool, I16, I32, I64, F32, F64, Text]);
        assert_eq!(fitting("").len(), 8);
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(Sqlite::quoted("a \"b\"; DROP TABLE c"), "\"a \"\"b\"\"; DROP TABLE c\"");
    }
}
