//! Rows by INSERT with several rows a statement, as SQLite and MySQL take them fastest. A statement either writes all of its
//! rows or none.

use crate::dialect::{Conn, Dialect, Driver, Sql};
use crate::plan::Plan;
use crate::rows::values;
use crate::table::names;

/// What a statement may have.
pub(crate) struct Limits {
    pub(crate) rows: usize,
    /// Bound values: a limit of the database.
    pub(crate) values: usize,
    /// Bytes of its values; a single row may be larger.
    pub(crate) bytes: usize,
}

/// Writes rows; `ending` is what stands behind the values.
pub(crate) async fn insert<D: Dialect>(
    connection: &mut Conn<D>,
    plan: &Plan,
    mut rows: &[&[u8]],
    limits: &Limits,
    ending: &str,
) -> sqlx::Result<()> {
    let rows_max = limits.rows.min(limits.values / plan.columns.len()).max(1);
    let mut statement: Option<(usize, Sql)> = None;
    while !rows.is_empty() {
        let count = statement_rows(rows, rows_max, limits.bytes);
        let (now, later) = rows.split_at(count);
        let sql = match &statement {
            Some((of, sql)) if *of == count => sql,
            _ => &statement.insert((count, insert_sql::<D>(plan, count, ending))).1,
        };
        D::Db::run(connection, sql, now.iter().flat_map(|row| values(row))).await?;
        rows = later;
    }
    Ok(())
}

/// As many of the rows as a statement takes: always a power of two, so that there are few statements, which stay prepared.
fn statement_rows(rows: &[&[u8]], rows_max: usize, bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = rows.iter().take(rows_max).take_while(|row| {
        bytes += row.len();
        bytes <= bytes_max
    });
    let count = fits.count().max(1);
    1 << count.ilog2()
}

fn insert_sql<D: Dialect>(plan: &Plan, rows: usize, ending: &str) -> Sql {
    let columns = plan.columns.len();
    let row = |row: usize| {
        let marks: Vec<String> = (1..=columns).map(|column| D::mark(row * columns + column)).collect();
        format!("({})", marks.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {} ({}) VALUES {}{ending}", D::quoted(&plan.table), names::<D>(plan), rows.join(", ")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_have_powers_of_two_within_their_limits() {
        let (row, long) = ([0u8; 10], [0u8; 1000]);
        let rows = [&row[..]; 1000];
        for (rows_max, bytes_max, count) in [(100, 10_000, 64), (128, 10_000, 128), (100, 100, 8), (100, 5, 1)] {
            assert_eq!(statement_rows(&rows, rows_max, bytes_max), count, "{rows_max} {bytes_max}");
        }
        assert_eq!(statement_rows(&rows[..3], 100, 10_000), 2);
        assert_eq!(statement_rows(&[&row, &long, &row], 100, 100), 1);
        assert_eq!(statement_rows(&[&long, &row], 100, 100), 1);
    }
}
