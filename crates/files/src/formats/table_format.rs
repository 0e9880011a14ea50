//! [`TableFormat`]: a format that is read again too, as a table needs to merge its files.

use super::{Csv, FileFormat, JsonLines, ObjectFiles, SequenceFileOutputFormat, TextLines};
use crate::sequence_file::{Reader, ReaderOptions, Writable};
use headwater_core::object_file::ObjectReader;
use headwater_core::{Data, Error, ErrorKind, Record, Result, TextRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use std::io::{BufRead, BufReader, Read};
use std::str::FromStr;

/// The records of a file, in their order; the first error is the last item.
pub type Records<T> = Box<dyn Iterator<Item = Result<T>>>;

/// A format of files that are read again, by [`TableReader`](crate::TableReader) and where a table merges small files.
pub trait TableFormat<T>: FileFormat<T> {
    /// What it is called in the manifest of a table, in this and all later releases: an output that has written files of one
    /// format to a table does not write those of another one beside them.
    fn name(&self) -> &str;
    /// Reads a file that [`FileFormat::writer`] has made and that errors call `path`.
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<T>>;
}

/// What a line may have no more of than this, for a damaged file to be an error and no end of memory.
const LINE_BYTES_MAX: u64 = 1 << 30;

/// Lines as `parse` takes them. Each must end in a newline, or the file was cut off.
fn lines<T: 'static>(
    input: Box<dyn Read + Send>,
    path: &str,
    parse: impl Fn(&str) -> Result<T, String> + 'static,
) -> Records<T> {
    let (mut input, path, mut number, mut has_failed) = (BufReader::new(input), path.to_owned(), 0u64, false);
    let mut next = move || -> Result<Option<T>> {
        let (mut line, wrong) = (Vec::new(), |number: u64, what: &str| {
            Error::new(ErrorKind::Data, format!("{path}, line {number}: {what}"))
        });
        let unreadable = |error| Error::outside(format!("cannot read {path}"), error);
        if (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(unreadable)? == 0 {
            return Ok(None);
        }
        number += 1;
        if line.pop() != Some(b'\n') {
            return Err(wrong(number, "it does not end: the file is cut off or damaged"));
        }
        let line = std::str::from_utf8(&line).map_err(|error| wrong(number, &error.to_string()))?;
        parse(line).map(Some).map_err(|what| wrong(number, &what))
    };
    Box::new(std::iter::from_fn(move || {
        let record = if has_failed { None } else { next().transpose() };
        has_failed = matches!(record, Some(Err(_)));
        record
    }))
}

/// A record must be one line that reads as it was written: a text that has a newline becomes two.
impl<T: TextRecord + FromStr<Err: Display>> TableFormat<T> for TextLines {
    fn name(&self) -> &str {
        "lines of text"
    }
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<T>> {
        Ok(lines(input, path, |line| line.parse().map_err(|error: T::Err| error.to_string())))
    }
}

impl<T: Record + Serialize + DeserializeOwned> TableFormat<T> for JsonLines {
    fn name(&self) -> &str {
        "lines of JSON"
    }
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<T>> {
        Ok(lines(input, path, |line| serde_json::from_str(line).map_err(|error| error.to_string())))
    }
}

impl<T: Data> TableFormat<T> for ObjectFiles {
    fn name(&self) -> &str {
        "object files"
    }
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<T>> {
        Ok(Box::new(ObjectReader::new(input, path)?))
    }
}

impl<K: Record + Writable, V: Record + Writable> TableFormat<(K, V)> for SequenceFileOutputFormat {
    fn name(&self) -> &str {
        "SequenceFiles"
    }
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<(K, V)>> {
        Ok(Box::new(Reader::<K, V, _>::new(input, path, ReaderOptions::new())?))
    }
}

impl<T: Record + Serialize + DeserializeOwned> TableFormat<T> for Csv {
    fn name(&self) -> &str {
        // Where one is merged as the other, a line of names would become a record.
        if self.has_header() { "CSV" } else { "CSV without a header" }
    }
    fn read(&self, input: Box<dyn Read + Send>, path: &str) -> Result<Records<T>> {
        let path = path.to_owned();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(input);
        let mut rows = Vec::new();
        for row in reader.records().take(2) {
            rows.push(row.map_err(|error| unreadable(&path, error))?);
        }
        let header = match &rows[..] {
            [first, second] if self.has_header() && is_header::<T>(first, second) => Some(rows.remove(0)),
            _ => None,
        };
        let rows = rows.into_iter().map(Ok).chain(reader.into_records());
        Ok(Box::new(rows.map(move |row| {
            row.and_then(|row| row.deserialize(header.as_ref())).map_err(|error| unreadable(&path, error))
        })))
    }
}

/// Whether the first row has the names of the fields: a record that is read with them is written below them again.
/// Records without names, such as tuples, are written without.
fn is_header<T: Serialize + DeserializeOwned>(first: &csv::StringRecord, second: &csv::StringRecord) -> bool {
    let Ok(record) = second.deserialize::<T>(Some(first)) else { return false };
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let Ok(bytes) = writer.serialize(record).map(|()| writer.into_inner().unwrap_or_default()) else { return false };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
    let rows: Vec<_> = reader.records().flatten().collect();
    rows.len() == 2 && rows[0] == *first
}

fn unreadable(path: &str, error: csv::Error) -> Error {
    let kind = if error.is_io_error() { ErrorKind::Outside } else { ErrorKind::Data };
    Error::new(kind, format!("cannot read {path}")).because(error)
}
