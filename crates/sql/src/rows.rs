//! [`Rows`]: what the partitions of a batch have prepared, as one list of rows; of those with the same key the last one.

use crate::datum::{self, Datum};
use crate::plan::Plan;
use headwater_core::{Error, ErrorKind, Result};
use std::borrow::Cow;
use std::collections::HashMap;

/// Of a row an error shows so many characters.
const SHOWN_MAX: usize = 200;

/// The rows of a batch: the bytes of each.
pub(crate) struct Rows<'a> {
    pub(crate) rows: Vec<&'a [u8]>,
}

impl<'a> Rows<'a> {
    /// Joins the partitions, in their order.
    pub(crate) fn of(plan: &Plan, parts: &'a [Vec<u8>]) -> Result<Rows<'a>> {
        plan.check_size(parts.iter().map(Vec::len).sum())?;
        let mut rows = Vec::new();
        let mut places = HashMap::new();
        for part in parts {
            let mut bytes = match part.split_first() {
                Some((&datum::VERSION, bytes)) => bytes,
                _ => return Err(damaged(plan)),
            };
            while !bytes.is_empty() {
                let row = next_row(&mut bytes, plan.columns.len()).ok_or_else(|| damaged(plan))?;
                if plan.keys.is_empty() {
                    rows.push(row);
                    continue;
                }
                let place = *places.entry(key(plan, row)?).or_insert(rows.len());
                match rows.get_mut(place) {
                    Some(earlier) => *earlier = row,
                    None => rows.push(row),
                }
            }
        }
        Ok(Rows { rows })
    }
}

fn damaged(plan: &Plan) -> Error {
    let hint = "all processes of an application must be of one build";
    plan.error(ErrorKind::Internal, format!("a prepared partition does not read: {hint}"))
}
fn next_row<'a>(bytes: &mut &'a [u8], columns: usize) -> Option<&'a [u8]> {
    let all = *bytes;
    for _ in 0..columns {
        datum::read(bytes)?;
    }
    Some(&all[..all.len() - bytes.len()])
}

/// What tells a row from others of its key.
fn key<'a>(plan: &Plan, row: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    let (mut rest, mut ends) = (row, vec![0]);
    for column in &plan.columns {
        let value = datum::read(&mut rest);
        if matches!(value, Some(Datum::Null)) && plan.keys.contains(&(ends.len() - 1)) {
            return Err(plan.refused(
                Some(column.name()),
                row,
                "a key is never null: two nulls are not equal in a database",
            ));
        }
        ends.push(row.len() - rest.len());
    }
    let is_front = plan.keys.iter().enumerate().all(|(at, key)| at == *key);
    Ok(match is_front {
        true => Cow::Borrowed(&row[..ends[plan.keys.len()]]),
        false => Cow::Owned(plan.keys.iter().flat_map(|&key| &row[ends[key]..ends[key + 1]]).copied().collect()),
    })
}

/// The values of a row.
pub(crate) fn values(row: &[u8]) -> impl Iterator<Item = Datum<'_>> {
    let mut rest = row;
    std::iter::from_fn(move || (!rest.is_empty()).then(|| datum::read(&mut rest).expect("a row was read before")))
}

/// A row as an error shows it.
pub(crate) fn shown(row: &[u8], columns: usize) -> String {
    let mut text = String::from("(");
    let (mut rest, mut count) = (row, 0);
    while let Some(value) = datum::read(&mut rest).filter(|_| count < columns && text.len() <= SHOWN_MAX) {
        if count > 0 {
            text.push_str(", ");
        }
        match value {
            // Long text is cut before it is quoted.
            Datum::Text(long) if long.len() > SHOWN_MAX => {
                let short: String = long.chars().take(SHOWN_MAX / 4).collect();
                text.push_str(&format!("{short:?}... of {} bytes", long.len()));
            }
            value => text.push_str(&value.to_string()),
        }
        count += 1;
    }
    text.push_str(if count < columns { ", ...)" } else { ")" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    fn rows(plan: &Plan, parts: &[Vec<(&'static str, u64)>]) -> Vec<String> {
        let parts: Vec<_> =
            parts.iter().map(|part| plan.encode(part.clone().into_iter(), |_, error| Err(error)).unwrap()).collect();
        Rows::of(plan, &parts).unwrap().rows.iter().map(|row| shown(row, 2)).collect()
    }

    #[test]
    fn rows_that_are_appended_all_stay() {
        let parts = [vec![("a", 1), ("a", 1)], vec![], vec![("b", 2)]];
        assert_eq!(rows(&plan(&[]), &parts), ["(\"a\", 1)", "(\"a\", 1)", "(\"b\", 2)"]);
    }

    #[test]
    fn of_rows_with_one_key_the_last_one_stays() {
        let parts = [vec![("a", 1), ("b", 1), ("a", 2)], vec![("c", 1), ("b", 3)]];
        assert_eq!(rows(&plan(&[0]), &parts), ["(\"a\", 2)", "(\"b\", 3)", "(\"c\", 1)"]);
        assert_eq!(rows(&plan(&[1]), &parts), ["(\"c\", 1)", "(\"a\", 2)", "(\"b\", 3)"]);
        assert_eq!(rows(&plan(&[0, 1]), &parts).len(), 5);
    }

    #[test]
    fn what_is_no_partition_is_an_error() {
        let plan = plan(&[]);
        let whole = plan.encode([("hello", 5u64)].into_iter(), |_, error| Err(error)).unwrap();
        for bytes in [vec![], vec![9], whole[..whole.len() - 1].to_vec()] {
            assert_eq!(Rows::of(&plan, &[bytes]).err().unwrap().kind(), ErrorKind::Internal);
        }
    }

    #[test]
    fn a_long_row_is_shown_shortly() {
        let plan = plan(&[]);
        let long: &'static str = "x".repeat(5000).leak();
        let shown = rows(&plan, &[vec![(long, 1)]]).remove(0);
        assert!(shown.len() < 100 && shown.ends_with("... of 5000 bytes, 1)"), "{shown}");
    }
}
