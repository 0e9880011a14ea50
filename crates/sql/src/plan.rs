//! [`Plan`]: what a sink does with the records of one type, and a partition as bytes by it. Runs in tasks; touches no
//! database.

use crate::datum;
use crate::dialect::Dialect;
use crate::row::Row;
use crate::rows::shown;
use crate::value::{Column, ColumnType, Refuses, RowWriter, Trouble};
use headwater_core::{Error, ErrorKind, Result};

/// The table, its columns and what happens where a key is there already.
pub(crate) struct Plan {
    pub(crate) table: String,
    pub(crate) columns: Vec<Column>,
    /// The numbers of the key columns; none where rows are appended.
    pub(crate) keys: Vec<usize>,
    pub(crate) create_table: bool,
    pub(crate) accept_lost_ledger: bool,
    /// What the database would not take as it is.
    pub(crate) refuses: Refuses,
    /// Prepared bytes of a batch, at most.
    pub(crate) batch_bytes_max: usize,
}

impl Plan {
    /// The columns of `T` by the names that the sink gives them, if it does.
    pub(crate) fn columns<T: Row>(table: &str, names: &[String]) -> Result<Vec<Column>> {
        let columns = T::columns();
        let wrong = |what: String| Err(Error::program(format!("table {table:?}: {what}")));
        if columns.is_empty() {
            return wrong("the records have no columns".to_owned());
        }
        let columns: Vec<Column> = if names.is_empty() {
            columns
        } else if names.len() == columns.len() {
            columns.into_iter().zip(names).map(|(column, name)| column.named(name)).collect()
        } else {
            return wrong(format!(
                "{} columns are named {names:?}, and the records have {}",
                names.len(),
                columns.len()
            ));
        };
        if columns.iter().any(|column| column.name().is_empty()) {
            return wrong("name the columns of the records: `.columns([\"word\", \"count\"])`".to_owned());
        }
        let twice = columns
            .iter()
            .enumerate()
            .find(|(at, column)| columns[..*at].iter().any(|other| other.name().eq_ignore_ascii_case(column.name())));
        match twice {
            Some((_, column)) => wrong(format!("the column {:?} is named twice", column.name())),
            None => Ok(columns),
        }
    }
    /// The numbers of the key columns.
    pub(crate) fn keys(table: &str, columns: &[Column], keys: &[String]) -> Result<Vec<usize>> {
        let wrong = |what: String| Error::program(format!("table {table:?}: {what}"));
        let found = keys.iter().map(|key| {
            let names = || columns.iter().map(Column::name).collect::<Vec<_>>();
            let at = columns.iter().position(|column| column.name() == key);
            let at = at.ok_or_else(|| wrong(format!("the key {key:?} is none of the columns {:?}", names())))?;
            match columns[at].column_type() {
                ColumnType::F32 | ColumnType::F64 => Err(wrong(format!(
                    "the key {key:?} has floating-point numbers, which are no keys: use an integer or text"
                ))),
                _ => Ok(at),
            }
        });
        found.collect()
    }
    /// Whether the records have a column that the database calls so.
    pub(crate) fn writes<D: Dialect>(&self, name: &str) -> bool {
        self.columns.iter().any(|column| D::same_name(column.name(), name))
    }
    /// The table, as errors name it.
    pub(crate) fn error(&self, kind: ErrorKind, message: impl std::fmt::Display) -> Error {
        Error::new(kind, format!("table {:?}: {message}", self.table))
    }
    /// A row that is refused, of a column if it is known.
    pub(crate) fn refused(&self, column: Option<&str>, row: &[u8], reason: &str) -> Error {
        let column = column.map(|column| format!(", column {column:?}")).unwrap_or_default();
        let row = shown(row, self.columns.len());
        Error::new(ErrorKind::Data, format!("table {:?}{column}: the row {row} is refused: {reason}", self.table))
    }

    /// The rows of a partition as bytes, without those that `refuse` takes, by their positions and why they are refused.
    pub(crate) fn encode<T: Row>(
        &self,
        records: impl Iterator<Item = T>,
        refuse: impl Fn(usize, Error) -> Result<()>,
    ) -> Result<Vec<u8>> {
        let mut bytes = vec![datum::VERSION];
        for (index, record) in records.enumerate() {
            let begin = bytes.len();
            let mut row = RowWriter::new(&mut bytes, &self.columns, self.refuses);
            record.values(&mut row);
            match row.end() {
                None => {}
                Some(Trouble::Program(message)) => return Err(self.error(ErrorKind::Program, message)),
                Some(Trouble::Value(at, reason)) => {
                    let column = self.columns.get(at).map(Column::name);
                    refuse(index, self.refused(column, &bytes[begin..], &reason))?;
                    bytes.truncate(begin);
                }
            }
            self.check_size(bytes.len())?;
        }
        Ok(bytes)
    }
    /// Fails where a batch has more bytes than it may have.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<()> {
        if bytes <= self.batch_bytes_max {
            return Ok(());
        }
        let max = self.batch_bytes_max;
        let hint = "make batches shorter, limit the rate, or raise `batch_bytes_max`";
        Err(self.error(ErrorKind::Resources, format!("the rows of a batch have more than {max} bytes: {hint}")))
    }
}

#[cfg(test)]
pub(crate) mod tests;
