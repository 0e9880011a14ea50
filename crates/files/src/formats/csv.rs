//! [`Csv`]: records as comma-separated values.

use super::shared_buffer::SharedBuffer;
use super::{FileFormat, RecordWriter};
use headwater_core::env::Env;
use headwater_core::{Error, ErrorKind, Record, Result};
use serde::Serialize;
use std::any::type_name;

/// Each record as a line of its fields, in quotes where commas, quotes or newlines are in them (RFC 4180, but with `\n`).
/// A struct's fields are the columns; a field that is a struct or a map itself is an error.
#[derive(Clone, Copy, Debug)]
pub struct Csv {
    header: bool,
}

impl Csv {
    /// With the names of the fields as the first line of each file that has records. Records that have no names, such as
    /// tuples, have no such line.
    pub fn new() -> Csv {
        Csv { header: true }
    }
    /// Without it.
    pub fn without_header() -> Csv {
        Csv { header: false }
    }
    pub(super) fn has_header(self) -> bool {
        self.header
    }
}
impl Default for Csv {
    fn default() -> Csv {
        Csv::new()
    }
}

impl<T: Record + Serialize> FileFormat<T> for Csv {
    fn writer(&self, _: &Env) -> Result<Box<dyn RecordWriter<T>>> {
        let buffer = SharedBuffer::default();
        let writer = csv::WriterBuilder::new().has_headers(self.header).from_writer(buffer.clone());
        Ok(Box::new(CsvWriter { writer, buffer }))
    }
}

struct CsvWriter {
    writer: csv::Writer<SharedBuffer>,
    buffer: SharedBuffer,
}
impl<T: Record + Serialize> RecordWriter<T> for CsvWriter {
    fn write(&mut self, record: &T, out: &mut Vec<u8>) -> Result<()> {
        self.writer.serialize(record).map_err(refused::<T>)?;
        self.buffer.move_to(out);
        Ok(())
    }
    fn finish(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.writer.flush().map_err(|error| refused::<T>(error.into()))?;
        self.buffer.move_to(out);
        Ok(())
    }
}

fn refused<T>(error: csv::Error) -> Error {
    let is_of_record = matches!(error.kind(), csv::ErrorKind::UnequalLengths { .. });
    let kind = if is_of_record { ErrorKind::Data } else { ErrorKind::Program };
    let message = format!(
        "a record of type {} cannot be written as CSV, where each has the same number of plain fields",
        type_name::<T>()
    );
    Error::new(kind, message).because(error)
}
