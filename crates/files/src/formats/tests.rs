//! Formats by themselves: records in, bytes or an error out.

use super::*;
use crate::sequence_file::{Codec, Compression, Reader, ReaderOptions};
use headwater_core::{ErrorKind, Record};
use serde::Serialize;
use std::collections::BTreeMap;

fn file<T: Record>(format: impl FileFormat<T>, records: impl IntoIterator<Item = T>) -> Result<Vec<u8>> {
    let (mut writer, mut out) = (format.writer(&headwater::system_env())?, Vec::new());
    records.into_iter().try_for_each(|record| writer.write(&record, &mut out))?;
    writer.finish(&mut out)?;
    Ok(out)
}
fn text<T: Record>(format: impl FileFormat<T>, records: impl IntoIterator<Item = T>) -> String {
    String::from_utf8(file(format, records).unwrap()).unwrap()
}

#[derive(Clone, Serialize)]
struct Sale {
    item: String,
    sold: Option<u64>,
}
fn sale(item: &str, sold: Option<u64>) -> Sale {
    Sale { item: item.to_owned(), sold }
}

#[test]
fn lines() {
    assert_eq!(text(TextLines, [1.5, 2.0]), "1.5\n2\n");
    assert_eq!(text(TextOutputFormat, [("a", 1), ("", 2)]), "a\t1\n\t2\n");
    assert_eq!(text(JsonLines, [sale("a\n\"b\"", None)]), "{\"item\":\"a\\n\\\"b\\\"\",\"sold\":null}\n");
    assert_eq!(text(JsonLines, [f64::NAN, 1.0]), "null\n1.0\n");
    assert_eq!(text::<u64>(JsonLines, []), "");
}

#[test]
fn csv() {
    let sales = || [sale("cup", Some(1)), sale("a,b\n\"c\"", None)];
    assert_eq!(text(Csv::new(), sales()), "item,sold\ncup,1\n\"a,b\n\"\"c\"\"\",\n");
    assert_eq!(text(Csv::without_header(), sales()), "cup,1\n\"a,b\n\"\"c\"\"\",\n");
    assert_eq!(text(Csv::new(), [("x", 1)]), "x,1\n");
    assert_eq!(text::<Sale>(Csv::new(), []), "");
}

#[test]
fn a_record_that_does_not_fit_its_format_is_named_with_its_type() {
    #[derive(Serialize)]
    struct Nested {
        sale: BTreeMap<u8, Sale>,
    }
    let nested = || Nested { sale: BTreeMap::from([(1, sale("cup", None))]) };
    let error = file(Csv::new(), [nested()]).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Program && error.to_string().contains("Nested cannot be written as CSV"),
        "{error}"
    );
    let error = file(Csv::new(), [vec![1], vec![1, 2]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    let error = file(JsonLines, [BTreeMap::from([((1, 2), 3)])]).unwrap_err();
    assert!(error.kind() == ErrorKind::Data && error.to_string().contains("cannot be written as JSON"), "{error}");
}

#[test]
fn sequence_files_of_each_compression_are_read_again() {
    let pairs = || (0..2000).map(|n| (n, format!("value {n}")));
    let block = Compression::Block(Codec::Default);
    for compression in [Compression::None, Compression::Record(Codec::Gzip), block] {
        let bytes = file(SequenceFileOutputFormat { compression }, pairs()).unwrap();
        let reader = Reader::<i32, String, _>::new(&bytes[..], "f", ReaderOptions::new()).unwrap();
        assert!(reader.map(Result::unwrap).eq(pairs()), "{compression:?}");
    }
    let two = [(); 2].map(|()| file(SequenceFileOutputFormat { compression: block }, pairs()).unwrap());
    assert_ne!(two[0], two[1], "each file has a marker of its own");
}
