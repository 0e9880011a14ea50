//! PostgreSQL's dialect. Rows go by COPY, as text: a column whose type has changed meanwhile refuses text that it cannot read,
//! where it would take the bytes of a number for another number.

use crate::address::Address;
use crate::datum::Datum;
use crate::dialect::{Dialect, Options};
use crate::plan::Plan;
use crate::rows::values;
use crate::settings::Settings;
use crate::table::{Table, TableColumn, names, on_conflict};
use crate::value::{ColumnType, Refuses};
use headwater_core::{ErrorKind, Result};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::fmt::Write;

pub(crate) struct Postgres;

/// Rows are sent in blocks of about so many bytes.
const BLOCK: usize = 64 << 10;
/// The parameters that the driver knows.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl Dialect for Postgres {
    type Db = sqlx::Postgres;
    const BEGIN: &'static str = "BEGIN";
    // What a commit says it has done must be there after a power cut, also where the server is set to be less strict.
    const SESSION: &'static [&'static str] =
        &["SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"];
    const TABLE_OPTIONS: &'static str = "";
    const LEDGER_TYPES: (&'static str, &'static str) = ("TEXT", "BIGINT");
    const OR_LEAVE: &'static str = " ON CONFLICT DO NOTHING";
    const ANY_UNIQUE_INDEX_DECIDES: bool = false;
    // Longer names would be cut.
    const NAME_MAX: usize = 63;
    const REFUSES: Refuses = Refuses { not_a_number: false, infinity: false, zero_in_text: true };

    fn options(address: &Address, _: &Settings) -> Result<Options<Self>> {
        let options: PgConnectOptions = address.options(&["postgres", "postgresql"], PARAMETERS)?;
        Ok(options.disable_statement_logging())
    }
    fn quoted(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
    fn mark(number: usize) -> String {
        format!("${number}")
    }
    fn same_name(one: &str, other: &str) -> bool {
        one == other
    }
    fn sql_type(column_type: ColumnType, _: bool) -> &'static str {
        match column_type {
            ColumnType::Bool => "BOOLEAN",
            ColumnType::I16 => "SMALLINT",
            ColumnType::I32 => "INTEGER",
            ColumnType::I64 => "BIGINT",
            ColumnType::F32 => "REAL",
            ColumnType::F64 => "DOUBLE PRECISION",
            ColumnType::Text => "TEXT",
            ColumnType::Bytes => "BYTEA",
        }
    }
    fn fits(column_type: ColumnType, base: &str) -> bool {
        match column_type {
            ColumnType::Bool => base == "bool",
            ColumnType::I16 => matches!(base, "int2" | "int4" | "int8" | "numeric"),
            ColumnType::I32 => matches!(base, "int4" | "int8" | "numeric"),
            ColumnType::I64 => matches!(base, "int8" | "numeric"),
            ColumnType::F32 => matches!(base, "float4" | "float8"),
            ColumnType::F64 => base == "float8",
            // The server reads the text, and refuses what is none of its type.
            ColumnType::Text => {
                let text = ["text", "varchar", "bpchar", "citext", "json", "jsonb", "uuid"];
                let times = ["date", "time", "timetz", "timestamp", "timestamptz", "interval"];
                text.contains(&base) || times.contains(&base)
            }
            ColumnType::Bytes => base == "bytea",
        }
    }
    async fn describe(connection: &mut PgConnection, table: &str) -> sqlx::Result<Option<Table>> {
        let table = Self::quoted(table);
        let sql = "SELECT relkind::text, relpersistence::text FROM pg_class WHERE oid = to_regclass($1)";
        let found: Option<(String, String)> = sqlx::query_as(sql).bind(&table).fetch_optional(&mut *connection).await?;
        let Some((kind, persistence)) = found else { return Ok(None) };
        let unfit = match (kind.as_str(), persistence.as_str()) {
            ("r" | "p", "u") => Some("it is UNLOGGED, so a crash of the server empties it: ALTER TABLE ... SET LOGGED"),
            ("r" | "p", _) => None,
            _ => Some("it is no table, but a view or the like"),
        };
        // Of a domain, the type below it.
        let sql = "SELECT a.attname::text, COALESCE(b.typname, t.typname)::text, format_type(a.atttypid, a.atttypmod), \
                   a.attnotnull, a.atthasdef AND a.attgenerated = '', a.attgenerated <> '' OR a.attidentity = 'a', \
                   a.attidentity <> '' \
                   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype \
                   WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
        let columns: Vec<(String, String, String, bool, bool, bool, bool)> =
            sqlx::query_as(sql).bind(&table).fetch_all(&mut *connection).await?;
        let columns = columns.into_iter().map(|column| {
            let (name, base, declared, not_null, has_default, is_generated, is_counter) = column;
            TableColumn { name, base, declared, not_null, has_default, is_generated, is_counter }
        });
        let sql = "SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a \
                   WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey[0:i.indnkeyatts - 1])) \
                   FROM pg_index i WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate \
                   AND i.indpred IS NULL AND i.indexprs IS NULL";
        let unique: Vec<(Vec<String>,)> = sqlx::query_as(sql).bind(&table).fetch_all(connection).await?;
        let unique = unique.into_iter().map(|(columns,)| columns).collect();
        Ok(Some(Table { columns: columns.collect(), unique, unfit: unfit.map(str::to_owned) }))
    }
    async fn write(connection: &mut PgConnection, plan: &Plan, rows: &[&[u8]]) -> sqlx::Result<()> {
        let (table, names) = (Self::quoted(&plan.table), names::<Postgres>(plan));
        if plan.keys.is_empty() {
            return copy(connection, &table, &names, rows).await;
        }
        // COPY replaces nothing, so the rows pass through a table of the transaction's own.
        let batch = "pg_temp.headwater_batch";
        let create = format!(
            "CREATE TEMPORARY TABLE headwater_batch ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA"
        );
        connection.execute(AssertSqlSafe(create)).await?;
        copy(connection, batch, &names, rows).await?;
        let ending = on_conflict::<Postgres>(plan);
        let insert = format!("INSERT INTO {table} ({names}) SELECT {names} FROM {batch}{ending}");
        connection.execute(AssertSqlSafe(insert)).await?;
        connection.execute("DROP TABLE pg_temp.headwater_batch").await?;
        Ok(())
    }
    fn kind(error: &dyn DatabaseError) -> ErrorKind {
        let code = error.code().unwrap_or_default();
        // https://www.postgresql.org/docs/current/errcodes-appendix.html
        match code.get(..2) {
            // Two keys that are one to the database, data exceptions, constraints, a row that is too long.
            Some("21" | "22" | "23" | "54") => ErrorKind::Data,
            // A disk or memory that is full, too many connections.
            Some("53") => ErrorKind::Resources,
            // A password, a database or a schema that is wrong; what is not there or not allowed.
            Some("28" | "3D" | "3F" | "42") => ErrorKind::Program,
            _ => ErrorKind::Outside,
        }
    }
    fn told(error: &dyn DatabaseError) -> String {
        let mut told = error.message().to_owned();
        if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            for more in [error.detail(), error.r#where()].into_iter().flatten() {
                told.push_str("; ");
                told.push_str(more);
            }
        }
        told
    }
}

async fn copy(connection: &mut PgConnection, table: &str, names: &str, rows: &[&[u8]]) -> sqlx::Result<()> {
    // The line that ends data in older servers, `\.`, cannot come up: backslashes are doubled.
    let mut copy = connection.copy_in_raw(&format!("COPY {table} ({names}) FROM STDIN")).await?;
    let mut block = String::with_capacity(BLOCK + BLOCK / 4);
    for row in rows {
        write_line(&mut block, row);
        if block.len() >= BLOCK {
            copy.send(block.as_bytes()).await?;
            block.clear();
        }
    }
    copy.send(block.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

/// A row as a line of COPY's text format.
fn write_line(line: &mut String, row: &[u8]) {
    for (at, value) in values(row).enumerate() {
        if at > 0 {
            line.push('\t');
        }
        write_value(line, value).expect("a string takes all that is written");
    }
    line.push('\n');
}
fn write_value(line: &mut String, value: Datum<'_>) -> std::fmt::Result {
    match value {
        Datum::Null => line.push_str("\\N"),
        Datum::Bool(value) => line.push(if value { 't' } else { 'f' }),
        Datum::Integer(value) => write!(line, "{value}")?,
        // As the shortest text that is read back as the same number.
        Datum::F32(value) if value.is_finite() => write!(line, "{value:e}")?,
        Datum::F64(value) if value.is_finite() => write!(line, "{value:e}")?,
        Datum::F32(value) => write_special(line, value.into()),
        Datum::F64(value) => write_special(line, value),
        Datum::Text(value) => write_text(line, value),
        Datum::Bytes(value) => {
            line.push_str("\\\\x");
            value.iter().try_for_each(|byte| write!(line, "{byte:02x}"))?;
        }
    }
    Ok(())
}
fn write_special(line: &mut String, number: f64) {
    line.push_str(if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    });
}
fn write_text(line: &mut String, mut text: &str) {
    while let Some(at) = text.find(['\\', '\t', '\n', '\r']) {
        line.push_str(&text[..at]);
        line.push_str(match text.as_bytes()[at] {
            b'\\' => "\\\\",
            b'\t' => "\\t",
            b'\n' => "\\n",
            _ => "\\r",
        });
        text = &text[at + 1..];
    }
    line.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_lines_of_copy() {
        let mut row = Vec::new();
        let values = [
            Datum::Null,
            Datum::Bool(true),
            Datum::Integer(-7),
            Datum::F64(0.1),
            Datum::F64(1e300),
            Datum::F32(f32::NEG_INFINITY),
            Datum::F64(f64::NAN),
            Datum::Text("a\tb\\.\r\nö"),
            Datum::Text(""),
            Datum::Bytes(&[0, 0xab]),
        ];
        values.iter().for_each(|value| crate::datum::write(&mut row, *value));
        let mut line = String::new();
        write_line(&mut line, &row);
        assert_eq!(line, "\\N\tt\t-7\t1e-1\t1e300\t-Infinity\tNaN\ta\\tb\\\\.\\r\\nö\t\t\\\\x00ab\n");
    }
}
