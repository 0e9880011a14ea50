//! [`Table`]: what a database says of a table, and whether a sink's rows fit it. Compared before the first batch.

use crate::dialect::Dialect;
use crate::plan::Plan;
use crate::value::Column;
use headwater_core::{ErrorKind, Result};

/// A table as the database has it.
#[derive(Default, Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<TableColumn>,
    /// The columns of each unique index over whole columns and all rows, the primary key too.
    pub(crate) unique: Vec<Vec<String>>,
    /// Why it cannot be written to exactly once, if so.
    pub(crate) unfit: Option<String>,
}
/// A column as the database has it.
#[derive(Debug)]
pub(crate) struct TableColumn {
    pub(crate) name: String,
    /// Its type, in lower-case and without its length.
    pub(crate) base: String,
    /// Its type as a person knows it.
    pub(crate) declared: String,
    pub(crate) not_null: bool,
    /// It gets a value where a row has none for it.
    pub(crate) has_default: bool,
    /// It is computed and cannot be written.
    pub(crate) is_generated: bool,
    /// It numbers rows by itself.
    pub(crate) is_counter: bool,
}

impl Table {
    fn column<D: Dialect>(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| D::same_name(&column.name, name))
    }
    /// Whether the rows of a plan fit.
    pub(crate) fn check<D: Dialect>(&self, plan: &Plan) -> Result<()> {
        let wrong = |what: String| Err(plan.error(ErrorKind::Program, what));
        if let Some(reason) = &self.unfit {
            return wrong(reason.clone());
        }
        for column in &plan.columns {
            let name = column.name();
            let Some(found) = self.column::<D>(name) else {
                let names: Vec<_> = self.columns.iter().map(|column| column.name.as_str()).collect();
                return wrong(format!("it has no column {name:?}; it has {names:?}"));
            };
            if found.is_generated {
                return wrong(format!("the column {name:?} is computed by the database: leave it out of the records"));
            }
            if !D::fits(column.column_type(), &found.base) {
                let (declared, records) = (&found.declared, column.column_type());
                return wrong(format!(
                    "the column {name:?} is {declared}, which cannot hold the {records} of the records: change the one or the other"
                ));
            }
        }
        let missing = self.columns.iter().find(|column| {
            column.not_null
                && !column.has_default
                && !column.is_generated
                && !column.is_counter
                && !plan.writes::<D>(&column.name)
        });
        if let Some(column) = missing {
            let name = &column.name;
            return wrong(format!(
                "the column {name:?} may not be null and has no default, and the records do not have it"
            ));
        }
        self.check_keys::<D>(plan)
    }
    /// An upsert finds its rows by a unique index.
    fn check_keys<D: Dialect>(&self, plan: &Plan) -> Result<()> {
        if plan.keys.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = plan.keys.iter().map(|&key| plan.columns[key].name()).collect();
        let is_key = |index: &[String]| {
            index.len() == keys.len() && index.iter().all(|name| keys.iter().any(|key| D::same_name(key, name)))
        };
        if !self.unique.iter().any(|index| is_key(index)) {
            let message = format!(
                "rows are replaced by the key {keys:?}, and no primary key or unique index has just these columns: create one"
            );
            return Err(plan.error(ErrorKind::Program, message));
        }
        // Where any unique index decides, a row could replace one of another key; but not by a number that the database gives.
        let is_counter = |name: &str| self.column::<D>(name).is_some_and(|column| column.is_counter);
        let is_harmless =
            |index: &[String]| is_key(index) || index.iter().any(|name| is_counter(name) && !plan.writes::<D>(name));
        match self.unique.iter().find(|index| D::ANY_UNIQUE_INDEX_DECIDES && !is_harmless(index)) {
            Some(index) => {
                let message = format!(
                    "rows are replaced by the key {keys:?}, but in this database they would replace those of the unique index over {index:?} too: drop that index, or append"
                );
                Err(plan.error(ErrorKind::Program, message))
            }
            None => Ok(()),
        }
    }
}

/// The statement that makes the table for a plan.
pub(crate) fn create_table<D: Dialect>(plan: &Plan) -> String {
    let column = |(at, column): (usize, &Column)| {
        let is_key = plan.keys.contains(&at);
        let null = if column.is_nullable() && !is_key { "" } else { " NOT NULL" };
        format!("{} {}{null}", D::quoted(column.name()), D::sql_type(column.column_type(), is_key))
    };
    let mut columns: Vec<String> = plan.columns.iter().enumerate().map(column).collect();
    if !plan.keys.is_empty() {
        columns.push(format!("PRIMARY KEY ({})", key_names::<D>(plan)));
    }
    format!("CREATE TABLE IF NOT EXISTS {} ({}){}", D::quoted(&plan.table), columns.join(", "), D::TABLE_OPTIONS)
}
/// The names of all columns, quoted.
pub(crate) fn names<D: Dialect>(plan: &Plan) -> String {
    let names: Vec<String> = plan.columns.iter().map(|column| D::quoted(column.name())).collect();
    names.join(", ")
}
/// The names of the key columns, quoted.
pub(crate) fn key_names<D: Dialect>(plan: &Plan) -> String {
    let names: Vec<String> = plan.keys.iter().map(|&key| D::quoted(plan.columns[key].name())).collect();
    names.join(", ")
}
/// The names of the other columns, quoted.
pub(crate) fn value_names<D: Dialect>(plan: &Plan) -> Vec<String> {
    let values = plan.columns.iter().enumerate().filter(|(at, _)| !plan.keys.contains(at));
    values.map(|(_, column)| D::quoted(column.name())).collect()
}
/// What follows an INSERT so that rows replace those of their key; nothing where they are appended. As SQLite and
/// PostgreSQL have it.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn on_conflict<D: Dialect>(plan: &Plan) -> String {
    if plan.keys.is_empty() {
        return String::new();
    }
    let values = value_names::<D>(plan);
    let set: Vec<String> = values.iter().map(|name| format!("{name} = excluded.{name}")).collect();
    let action = if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
    format!(" ON CONFLICT ({}) DO {action}", key_names::<D>(plan))
}
