//! [`Value`]: what may stand in a column, [`Column`]: a name and what stands there, and [`RowWriter`], which takes the values
//! of one row. First on a row's way: in its task. Nothing here knows a database but by what it refuses.

use crate::datum::{self, Datum};
use headwater_core::Text;
use std::fmt;

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnType {
    /// True or false.
    Bool,
    /// An integer of 16 bits.
    I16,
    /// An integer of 32 bits.
    I32,
    /// An integer of 64 bits.
    I64,
    /// A floating-point number of 32 bits.
    F32,
    /// A floating-point number of 64 bits.
    F64,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            ColumnType::Bool => "booleans",
            ColumnType::I16 => "integers of 16 bits",
            ColumnType::I32 => "integers of 32 bits",
            ColumnType::I64 => "integers of 64 bits",
            ColumnType::F32 => "floating-point numbers of 32 bits",
            ColumnType::F64 => "floating-point numbers of 64 bits",
            ColumnType::Text => "text",
            ColumnType::Bytes => "bytes",
        })
    }
}

/// A column of the table: its name and what the records have for it.
///
/// ```
/// use headwater_sql::{Column, ColumnType};
/// let count = Column::of::<u64>("count");
/// assert_eq!((count.name(), count.column_type(), count.is_nullable()), ("count", ColumnType::I64, false));
/// assert!(Column::of::<Option<f32>>("mean").is_nullable());
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    name: String,
    column_type: ColumnType,
    nullable: bool,
}
impl Column {
    /// A column for values of the type `V`.
    pub fn of<V: Value>(name: impl Into<String>) -> Column {
        Column { name: name.into(), column_type: V::TYPE, nullable: V::NULLABLE }
    }
    pub(crate) fn named(self, name: &str) -> Column {
        Column { name: name.to_owned(), ..self }
    }
    /// Its name, as the table has it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// What stands in it.
    pub fn column_type(&self) -> ColumnType {
        self.column_type
    }
    /// Whether it may be null.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }
}

/// A type that a column takes: booleans, integers, floating-point numbers, text, bytes, and each as an `Option`. A type of
/// one's own hands on one of these:
///
/// ```
/// use headwater_sql::{ColumnType, RowWriter, Value};
/// struct Cents(i64);
/// impl Value for Cents {
///     const TYPE: ColumnType = ColumnType::I64;
///     fn write(self, row: &mut RowWriter<'_>) {
///         row.put(self.0);
///     }
/// }
/// assert_eq!(headwater_sql::Column::of::<Option<Cents>>("price").column_type(), ColumnType::I64);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of a column",
    note = "bool, i8 to i64, u8 to u64, f32, f64, String, &str, Text, Vec<u8> and Option of these are"
)]
pub trait Value {
    /// What stands in the column.
    const TYPE: ColumnType;
    /// Whether it may be null.
    const NULLABLE: bool = false;
    /// Puts one value.
    fn write(self, row: &mut RowWriter<'_>);
}

macro_rules! integers {
    ($($integer:ty: $column_type:ident),*) => {$(
        impl Value for $integer {
            const TYPE: ColumnType = ColumnType::$column_type;
            fn write(self, row: &mut RowWriter<'_>) {
                row.value(ColumnType::$column_type, Datum::Integer(self.into()));
            }
        }
    )*};
}
integers!(i8: I16, u8: I16, i16: I16, u16: I32, i32: I32, u32: I64, i64: I64);

/// Databases have no integers above `i64::MAX`: such a value fails the batch.
impl Value for u64 {
    const TYPE: ColumnType = ColumnType::I64;
    fn write(self, row: &mut RowWriter<'_>) {
        match i64::try_from(self) {
            Ok(integer) => row.value(ColumnType::I64, Datum::Integer(integer)),
            Err(_) => {
                row.refuse(
                    format!("{self} is above the largest integer of a database, {}", i64::MAX),
                    &self.to_string(),
                );
            }
        }
    }
}
impl Value for bool {
    const TYPE: ColumnType = ColumnType::Bool;
    fn write(self, row: &mut RowWriter<'_>) {
        row.value(ColumnType::Bool, Datum::Bool(self));
    }
}
impl Value for f32 {
    const TYPE: ColumnType = ColumnType::F32;
    fn write(self, row: &mut RowWriter<'_>) {
        row.float(ColumnType::F32, self.into(), Datum::F32(self));
    }
}
impl Value for f64 {
    const TYPE: ColumnType = ColumnType::F64;
    fn write(self, row: &mut RowWriter<'_>) {
        row.float(ColumnType::F64, self, Datum::F64(self));
    }
}
impl Value for &str {
    const TYPE: ColumnType = ColumnType::Text;
    fn write(self, row: &mut RowWriter<'_>) {
        if row.refuses.zero_in_text && self.contains('\0') {
            return row.refuse("PostgreSQL takes no text with the character U+0000".to_owned(), self);
        }
        row.value(ColumnType::Text, Datum::Text(self));
    }
}
impl Value for String {
    const TYPE: ColumnType = ColumnType::Text;
    fn write(self, row: &mut RowWriter<'_>) {
        self.as_str().write(row);
    }
}
impl Value for Text {
    const TYPE: ColumnType = ColumnType::Text;
    fn write(self, row: &mut RowWriter<'_>) {
        let text: &str = &self;
        text.write(row);
    }
}
impl Value for Vec<u8> {
    const TYPE: ColumnType = ColumnType::Bytes;
    fn write(self, row: &mut RowWriter<'_>) {
        row.value(ColumnType::Bytes, Datum::Bytes(&self));
    }
}
impl<V: Value> Value for Option<V> {
    const TYPE: ColumnType = V::TYPE;
    const NULLABLE: bool = true;
    fn write(self, row: &mut RowWriter<'_>) {
        match self {
            Some(value) => value.write(row),
            None => row.value(V::TYPE, Datum::Null),
        }
    }
}

/// What a database would take for something else, or refuse, so that it is found before.
#[derive(Clone, Copy, Default)]
pub(crate) struct Refuses {
    /// SQLite makes NULL of it, MySQL refuses it.
    pub(crate) not_a_number: bool,
    /// MySQL refuses it.
    pub(crate) infinity: bool,
    /// PostgreSQL has no text with U+0000.
    pub(crate) zero_in_text: bool,
}

/// Takes the values of a row, in the order of its columns.
pub struct RowWriter<'a> {
    bytes: &'a mut Vec<u8>,
    columns: &'a [Column],
    refuses: Refuses,
    /// How many values have come.
    count: usize,
    trouble: Option<Trouble>,
}
/// Why a row cannot be taken.
pub(crate) enum Trouble {
    /// The value of a column, by its number.
    Value(usize, String),
    /// The program puts other values than it says.
    Program(String),
}

impl<'a> RowWriter<'a> {
    pub(crate) fn new(bytes: &'a mut Vec<u8>, columns: &'a [Column], refuses: Refuses) -> RowWriter<'a> {
        RowWriter { bytes, columns, refuses, count: 0, trouble: None }
    }
    /// Puts the value of the next column.
    pub fn put<V: Value>(&mut self, value: V) {
        value.write(self);
    }
    /// What was wrong, if anything.
    pub(crate) fn end(self) -> Option<Trouble> {
        let (count, wanted) = (self.count, self.columns.len());
        let short = || {
            Trouble::Program(format!(
                "a row has {count} values for its {wanted} columns: `Row::values` and `Row::columns` must agree"
            ))
        };
        self.trouble.or_else(|| (count != wanted).then(short))
    }
    fn float(&mut self, column_type: ColumnType, number: f64, datum: Datum<'_>) {
        let is_refused =
            (self.refuses.not_a_number && number.is_nan()) || (self.refuses.infinity && number.is_infinite());
        match is_refused {
            true => self.refuse(format!("the database has no {number}"), &number.to_string()),
            false => self.value(column_type, datum),
        }
    }
    fn value(&mut self, column_type: ColumnType, datum: Datum<'_>) {
        let column = self.columns.get(self.count);
        if let Some(column) = column.filter(|column| column.column_type != column_type) {
            let (name, wanted) = (&column.name, column.column_type);
            let message = format!(
                "the column {name:?} is given {column_type} and has {wanted}: `Row::values` and `Row::columns` must agree"
            );
            self.trouble.get_or_insert(Trouble::Program(message));
        }
        self.count += 1;
        datum::write(self.bytes, datum);
    }
    /// The value is no value of the column; it is noted as text, so that the row can be shown.
    fn refuse(&mut self, reason: String, shown: &str) {
        self.trouble.get_or_insert(Trouble::Value(self.count, reason));
        self.count += 1;
        datum::write(self.bytes, Datum::Text(shown));
    }
}
