//! Records as rows and as bytes, and what is refused before a database sees it.

use super::*;
use crate::rows::{Rows, values};

/// A word and its count, with key columns.
pub(crate) fn plan(keys: &[usize]) -> Plan {
    Plan {
        table: "counts".to_owned(),
        columns: Plan::columns::<(String, u64)>("counts", &["word".to_owned(), "count".to_owned()]).unwrap(),
        keys: keys.to_vec(),
        create_table: false,
        accept_lost_ledger: false,
        refuses: Refuses { not_a_number: true, infinity: true, zero_in_text: true },
        batch_bytes_max: 1 << 20,
    }
}
fn of<T: Row>() -> Plan {
    let names: Vec<String> = (0..T::columns().len()).map(|number| format!("c{number}")).collect();
    Plan { columns: Plan::columns::<T>("counts", &names).unwrap(), ..plan(&[]) }
}
fn stop(_: usize, error: Error) -> Result<()> {
    Err(error)
}
fn refused<T: Row>(record: T) -> (ErrorKind, String) {
    let error = of::<T>().encode([record].into_iter(), stop).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn a_row_of_every_type_becomes_values() {
    let record = (true, -3i16, 7u16, u32::MAX, 1.5f32, "text".to_owned(), vec![1u8], None::<String>, Some(i64::MIN));
    let plan = of::<(bool, i16, u16, u32, f32, String, Vec<u8>, Option<String>, Option<i64>)>();
    let part = plan.encode([record].into_iter(), stop).unwrap();
    let rows = Rows::of(&plan, std::slice::from_ref(&part)).unwrap().rows.len();
    let shown: Vec<String> = values(&part[1..]).map(|value| value.to_string()).collect();
    assert_eq!(rows, 1);
    let wanted = ["true", "-3", "7", "4294967295", "1.5", "\"text\"", "1 bytes", "NULL", "-9223372036854775808"];
    assert_eq!(shown, wanted);
}

#[test]
fn a_value_that_no_database_takes_names_table_column_and_row() {
    let (kind, message) = refused(("a".to_owned(), u64::MAX));
    assert_eq!(kind, ErrorKind::Data);
    let front = "table \"counts\", column \"c1\": the row (\"a\", \"18446744073709551615\") is refused: ";
    assert!(message.starts_with(front), "{message}");
    assert!(
        refused((1i64, f64::NAN)).1.contains("column \"c1\": the row (1, \"NaN\") is refused: the database has no NaN")
    );
    assert!(refused((f32::NEG_INFINITY,)).1.ends_with("the database has no -inf"));
    assert!(refused(("a\0b".to_owned(), 1i16)).1.contains("column \"c0\": the row (\"a\\0b\", 1) is refused"));
}

#[test]
fn a_row_that_does_not_put_what_it_says_is_the_programs_fault() {
    struct Wrong(bool);
    impl Row for Wrong {
        fn columns() -> Vec<Column> {
            vec![Column::of::<i64>("id"), Column::of::<i64>("count")]
        }
        fn values(self, row: &mut RowWriter<'_>) {
            row.put(1i64);
            if self.0 {
                row.put("two");
            }
        }
    }
    let (kind, message) = refused(Wrong(true));
    assert_eq!(kind, ErrorKind::Program);
    assert!(message.contains("\"c1\" is given text and has integers of 64 bits"), "{message}");
    assert!(refused(Wrong(false)).1.contains("a row has 1 values for its 2 columns"));
}

#[test]
fn columns_are_named_once_and_keys_are_columns() {
    let named = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Plan::columns::<(String, f64)>("t", &names).map_err(|error| error.to_string())
    };
    assert!(named(&[]).unwrap_err().contains(".columns([\"word\", \"count\"])"));
    assert!(named(&["a"]).unwrap_err().contains("1 columns are named [\"a\"], and the records have 2"));
    assert!(named(&["a", "A"]).unwrap_err().contains("\"A\" is named twice"));
    let columns = named(&["a", "b"]).unwrap();
    let keys = |key: &str| Plan::keys("t", &columns, &[key.to_owned()]).map_err(|error| error.to_string());
    assert_eq!(keys("a").unwrap(), [0]);
    assert!(keys("c").unwrap_err().contains("the key \"c\" is none of the columns [\"a\", \"b\"]"));
    assert!(keys("b").unwrap_err().contains("floating-point numbers, which are no keys"));
}

#[test]
fn a_batch_has_a_largest_size() {
    let plan = Plan { batch_bytes_max: 100, ..plan(&[]) };
    let error = plan.encode((0..1000).map(|n: u64| ("word".to_owned(), n)), stop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resources);
    assert!(error.to_string().contains("more than 100 bytes: make batches shorter"), "{error}");
    let part = plan.encode((0..9).map(|n: u64| ("word".to_owned(), n)), stop).unwrap();
    assert_eq!(Rows::of(&plan, &[part.clone(), part]).err().unwrap().kind(), ErrorKind::Resources);
}

#[test]
fn a_null_is_no_key() {
    let mut plan = of::<(Option<String>, i64)>();
    plan.keys = vec![0];
    let part = plan.encode([(None::<String>, 1i64)].into_iter(), stop).unwrap();
    let error = Rows::of(&plan, &[part]).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(error.to_string().contains("column \"c0\": the row (NULL, 1) is refused: a key is never null"), "{error}");
}

#[test]
fn a_row_that_is_refused_leaves_the_others() {
    let refused = std::cell::RefCell::new(Vec::new());
    let refuse = |index, error: Error| {
        refused.borrow_mut().push((index, error.to_string()));
        Ok(())
    };
    let plan = of::<(i64, f64)>();
    let part = plan.encode([(1i64, 0.5), (2, f64::NAN), (3, 1.5)].into_iter(), refuse).unwrap();
    assert_eq!(part, plan.encode([(1i64, 0.5), (3, 1.5)].into_iter(), stop).unwrap());
    let refused = refused.into_inner();
    assert!(refused.len() == 1 && refused[0].0 == 1 && refused[0].1.contains("column \"c1\""), "{refused:?}");
}
