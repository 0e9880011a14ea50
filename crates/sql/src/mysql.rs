//! MySQL's and MariaDB's dialect. Rows go by INSERT with many rows a statement, in strict mode, so that no value is cut, and
//! where 0 is no word for the next number of a counter.

use crate::address::Address;
use crate::dialect::{Dialect, Options};
use crate::insert::{Limits, insert};
use crate::plan::Plan;
use crate::settings::Settings;
use crate::table::{Table, TableColumn, value_names};
use crate::value::{ColumnType, Refuses};
use headwater_core::{Error, ErrorKind, Result};
use sqlx::ConnectOptions;
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError};

pub(crate) struct Mysql;

/// A prepared statement has up to 65,535 values, and packets have 16 MiB or more.
const LIMITS: Limits = Limits { rows: 1024, values: 65_535, bytes: 1 << 20 };
/// The parameters that the driver knows.
const PARAMETERS: &[&str] = &[
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "sslca",
    "ssl-cert",
    "sslcert",
    "ssl-key",
    "sslkey",
    "charset",
    "collation",
    "socket",
    "statement-cache-capacity",
    "timezone",
    "time-zone",
];

impl Dialect for Mysql {
    type Db = sqlx::MySql;
    const BEGIN: &'static str = "START TRANSACTION";
    const SESSION: &'static [&'static str] =
        &["SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO')"];
    const TABLE_OPTIONS: &'static str = " ENGINE = InnoDB";
    // Bytes: text would be one name with another that differs in case, accents or blanks at its end.
    const LEDGER_TYPES: (&'static str, &'static str) = ("VARBINARY(500)", "BIGINT");
    const OR_LEAVE: &'static str = " ON DUPLICATE KEY UPDATE batch_ms = batch_ms";
    const ANY_UNIQUE_INDEX_DECIDES: bool = true;
    const NAME_MAX: usize = 64;
    const REFUSES: Refuses = Refuses { not_a_number: true, infinity: true, zero_in_text: false };

    fn options(address: &Address, _: &Settings) -> Result<Options<Self>> {
        let options: MySqlConnectOptions = address.options(&["mysql", "mariadb"], PARAMETERS)?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(Error::program(format!("the address {address} names no database: mysql://host/database")));
        }
        Ok(options.disable_statement_logging())
    }
    fn quoted(name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }
    fn mark(_: usize) -> String {
        "?".to_owned()
    }
    fn same_name(one: &str, other: &str) -> bool {
        one.to_lowercase() == other.to_lowercase()
    }
    fn sql_type(column_type: ColumnType, is_key: bool) -> &'static str {
        match column_type {
            ColumnType::Bool => "BOOLEAN",
            ColumnType::I16 => "SMALLINT",
            ColumnType::I32 => "INT",
            ColumnType::I64 => "BIGINT",
            ColumnType::F32 => "FLOAT",
            ColumnType::F64 => "DOUBLE",
            // An index needs a length, and keys of streams differ where one letter does, or a blank at the end. The comments
            // are for MariaDB and for MySQL, which have two names for that.
            ColumnType::Text if is_key => {
                "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */"
            }
            ColumnType::Text => "LONGTEXT CHARACTER SET utf8mb4",
            ColumnType::Bytes if is_key => "VARBINARY(255)",
            ColumnType::Bytes => "LONGBLOB",
        }
    }
    fn fits(column_type: ColumnType, base: &str) -> bool {
        match column_type {
            ColumnType::Bool => matches!(base, "tinyint" | "smallint" | "mediumint" | "int" | "bigint"),
            ColumnType::I16 => matches!(base, "smallint" | "mediumint" | "int" | "bigint" | "decimal"),
            ColumnType::I32 => matches!(base, "int" | "bigint" | "decimal"),
            ColumnType::I64 => matches!(base, "bigint" | "decimal"),
            ColumnType::F32 => matches!(base, "float" | "double"),
            ColumnType::F64 => base == "double",
            ColumnType::Text => {
                let text = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum", "uuid"];
                text.contains(&base) || matches!(base, "date" | "time" | "datetime" | "timestamp")
            }
            ColumnType::Bytes => {
                matches!(base, "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob")
            }
        }
    }
    async fn describe(connection: &mut MySqlConnection, table: &str) -> sqlx::Result<Option<Table>> {
        let sql = "SELECT CAST(table_type AS CHAR), CAST(COALESCE(engine, '') AS CHAR) FROM information_schema.tables \
                   WHERE table_schema = DATABASE() AND table_name = ?";
        let found: Option<(String, String)> = sqlx::query_as(sql).bind(table).fetch_optional(&mut *connection).await?;
        let Some((kind, engine)) = found else { return Ok(None) };
        let unfit = match (kind.as_str(), engine.as_str()) {
            ("BASE TABLE", "InnoDB") => None,
            ("BASE TABLE", engine) => {
                Some(format!("its engine {engine} has no transactions: ALTER TABLE ... ENGINE = InnoDB"))
            }
            _ => Some("it is no table, but a view or the like".to_owned()),
        };
        let sql = "SELECT CAST(column_name AS CHAR), CAST(data_type AS CHAR), CAST(column_type AS CHAR), \
                   CAST(is_nullable = 'NO' AS SIGNED), CAST(column_default IS NOT NULL AS SIGNED), \
                   CAST(LOWER(extra) AS CHAR) FROM information_schema.columns \
                   WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";
        let columns: Vec<(String, String, String, i64, i64, String)> =
            sqlx::query_as(sql).bind(table).fetch_all(&mut *connection).await?;
        let columns = columns.into_iter().map(|(name, base, declared, not_null, has_default, extra)| TableColumn {
            name,
            base: base.to_lowercase(),
            declared: declared.to_uppercase(),
            not_null: not_null == 1,
            has_default: has_default == 1,
            is_generated: extra.contains("virtual generated") || extra.contains("stored generated"),
            is_counter: extra.contains("auto_increment"),
        });
        // A part of a column, or an expression, gets no name and so is no key.
        let sql = "SELECT CAST(index_name AS CHAR), CAST(IF(sub_part IS NULL, column_name, NULL) AS CHAR) \
                   FROM information_schema.statistics \
                   WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 ORDER BY index_name, seq_in_index";
        let indexed: Vec<(String, Option<String>)> = sqlx::query_as(sql).bind(table).fetch_all(connection).await?;
        let indices = indexed.chunk_by(|one, other| one.0 == other.0);
        let unique = indices.map(|index| index.iter().map(|(_, name)| name.clone().unwrap_or_default()).collect());
        Ok(Some(Table { columns: columns.collect(), unique: unique.collect(), unfit }))
    }
    async fn write(connection: &mut MySqlConnection, plan: &Plan, rows: &[&[u8]]) -> sqlx::Result<()> {
        insert::<Mysql>(connection, plan, rows, &LIMITS, &on_duplicate_key(plan)).await
    }
    fn kind(error: &dyn DatabaseError) -> ErrorKind {
        let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
        // https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, and MariaDB's 4025.
        match number {
            // Null, duplicate, out of range, cut, wrong text, too large a row, a foreign key, a condition.
            1048 | 1062 | 1153 | 1216 | 1264 | 1265 | 1292 | 1364 | 1366 | 1367 | 1406 | 1425 | 1452 | 1586 | 1690 => {
                ErrorKind::Data
            }
            3140 | 3819 | 4025 => ErrorKind::Data,
            // Access, a database, a table or a column that is not there, and statements that do not read.
            1044 | 1045 | 1049 | 1051 | 1054 | 1064 | 1103 | 1109 | 1136 | 1142 | 1143 | 1146 | 1227 | 1471 | 1698 => {
                ErrorKind::Program
            }
            _ => ErrorKind::Outside,
        }
    }
}

/// VALUES() is MySQL's older word, which MariaDB has too.
fn on_duplicate_key(plan: &Plan) -> String {
    if plan.keys.is_empty() {
        return String::new();
    }
    let values = value_names::<Mysql>(plan).into_iter().map(|name| format!("{name} = VALUES({name})"));
    let set: Vec<String> = values.collect();
    let nothing = || {
        let first = Mysql::quoted(plan.columns[plan.keys[0]].name());
        format!("{first} = {first}")
    };
    let set = if set.is_empty() { nothing() } else { set.join(", ") };
    format!(" ON DUPLICATE KEY UPDATE {set}")
}
