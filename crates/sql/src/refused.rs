//! Which row a database has refused. Rows are written many at a time, so whoever wants to name the one looks for it: half of
//! the rows again, and half of that half, in a transaction that comes to nothing.

use crate::dialect::{Conn, Dialect, Driver};
use crate::plan::Plan;
use headwater_core::{Error, ErrorKind};
use sqlx::Connection;
use sqlx::error::DatabaseError;

/// The error of a batch with a value that the database refuses.
pub(crate) async fn explained<D: Dialect>(
    connection: &mut Conn<D>,
    plan: &Plan,
    rows: &[&[u8]],
    error: sqlx::Error,
) -> Error {
    // Where the search fails, or finds nothing since another program has changed the table, the first error stays.
    match find::<D>(connection, plan, rows).await {
        Ok(Some((row, error))) => {
            let told = told::<D>(&error);
            plan.refused(column(plan, &told), row, &told)
        }
        _ => {
            let told = told::<D>(&error);
            let column = column(plan, &told).map(|column| format!("column {column:?}: ")).unwrap_or_default();
            plan.error(ErrorKind::Data, format!("{column}a row is refused: {told}"))
        }
    }
}

/// The first row that is refused when the rows are written in their order, and why.
async fn find<'a, D: Dialect>(
    connection: &mut Conn<D>,
    plan: &Plan,
    rows: &[&'a [u8]],
) -> sqlx::Result<Option<(&'a [u8], sqlx::Error)>> {
    let mut transaction = connection.begin_with(D::BEGIN).await?;
    // Those before `from` are written, and the one is before `to`.
    let (mut from, mut to) = (0, rows.len());
    let mut found = None;
    while from < to {
        let middle = from + (to - from).div_ceil(2);
        D::Db::plain(&mut transaction, &["SAVEPOINT headwater"]).await?;
        match D::write(&mut transaction, plan, &rows[from..middle]).await {
            Ok(()) => {
                D::Db::plain(&mut transaction, &["RELEASE SAVEPOINT headwater"]).await?;
                from = middle;
            }
            Err(error) if is_data::<D>(&error) => {
                D::Db::plain(&mut transaction, &["ROLLBACK TO SAVEPOINT headwater"]).await?;
                if middle - from == 1 {
                    found = Some((rows[from], error));
                    break;
                }
                to = middle;
            }
            Err(error) => return Err(error),
        }
    }
    transaction.rollback().await?;
    Ok(found)
}
fn is_data<D: Dialect>(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if D::kind(&**error) == ErrorKind::Data)
}
fn told<D: Dialect>(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => D::told(&**error as &dyn DatabaseError),
        error => error.to_string(),
    }
}

/// The column of which a database speaks, in one of the forms that they have for it.
fn column<'a>(plan: &'a Plan, told: &str) -> Option<&'a str> {
    let told = told.to_lowercase();
    // SQLite shows the condition, and MariaDB its name, which is that of the column where it has none of its own.
    let condition = told.split_once("constraint failed: ").map_or("", |(_, condition)| condition);
    let words = || condition.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    let speaks_of = |name: &str| {
        let name = name.to_lowercase();
        let forms = [
            format!("column '{name}'"),
            format!("column \"{name}\""),
            format!("column {name}:"),
            format!("({name})"),
            format!("constraint `{name}`"),
            format!(".{name}` failed"),
            format!("for key '{name}'"),
            format!(".{name}'"),
        ];
        forms.iter().any(|form| told.contains(form)) || words().any(|word| word == name)
    };
    plan.columns.iter().map(|column| column.name()).find(|name| speaks_of(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn the_column_is_found_in_what_databases_say() {
        let plan = plan(&[]);
        for told in [
            "NOT NULL constraint failed: counts.word",
            "UNIQUE constraint failed: counts.word, counts.day",
            "CHECK constraint failed: length(word) < 5",
            "CONSTRAINT `word` failed for `shop`.`counts`",
            "CONSTRAINT `counts.word` failed for `shop`.`counts`",
            "value too long for type character varying(5); COPY counts, line 2, column word: \"abcdef\"",
            "null value in column \"word\" of relation \"counts\" violates not-null constraint",
            "duplicate key value violates unique constraint \"c\"; Key (word)=(a) already exists.",
            "Data too long for column 'word' at row 1",
            "Duplicate entry 'a' for key 'counts.word'",
            "Duplicate entry 'a' for key 'word'",
        ] {
            assert_eq!(column(&plan, told), Some("word"), "{told}");
        }
        assert_eq!(column(&plan, "CHECK constraint failed: 5 > count"), Some("count"));
        assert_eq!(column(&plan, "Duplicate entry 'count' for key 'PRIMARY'"), None);
    }
}
