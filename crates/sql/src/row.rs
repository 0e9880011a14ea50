//! [`Row`]: a record as a row of a table. Tuples are rows whose columns the sink names; a struct says its columns itself.

use crate::value::{Column, RowWriter, Value};
use headwater_core::Record;

/// A record that is a row of a table.
///
/// Tuples of up to twelve values are: their columns are named by [`SqlSink::columns`](crate::SqlSink::columns). A type of
/// one's own says its columns and puts its values, in the same order:
///
/// ```
/// use headwater_sql::{Column, Row, RowWriter};
///
/// struct Payment {
///     account: String,
///     cents: i64,
///     note: Option<String>,
/// }
/// impl Row for Payment {
///     fn columns() -> Vec<Column> {
///         vec![Column::of::<String>("account"), Column::of::<i64>("cents"), Column::of::<Option<String>>("note")]
///     }
///     fn values(self, row: &mut RowWriter<'_>) {
///         row.put(self.account);
///         row.put(self.cents);
///         row.put(self.note);
///     }
/// }
/// assert_eq!(Payment::columns().len(), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of a table",
    note = "map each record to a tuple of up to 12 values, for example `(String, u64)`, or implement `Row` for it"
)]
pub trait Row: Record {
    /// Its columns; without names where the sink gives them.
    fn columns() -> Vec<Column>;
    /// Puts its values, in the order of its columns.
    fn values(self, row: &mut RowWriter<'_>);
}

macro_rules! tuples {
    ($($name:ident)+) => {
        impl<$($name: Value + Record),+> Row for ($($name,)+) {
            fn columns() -> Vec<Column> {
                vec![$(Column::of::<$name>("")),+]
            }
            #[allow(non_snake_case, reason = "a value is named as its type")]
            fn values(self, row: &mut RowWriter<'_>) {
                let ($($name,)+) = self;
                $(row.put($name);)+
            }
        }
    };
}
tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
