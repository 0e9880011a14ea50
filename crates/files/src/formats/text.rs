//! [`TextLines`]: records by their `Display`, one a line.

use super::{FileFormat, RecordWriter};
use headwater_core::env::Env;
use headwater_core::{Error, ErrorKind, Result, TextRecord};
use std::io::Write;

/// Each record in its `Display` form and a newline, as `save_as_text_files` writes it. Nothing is escaped: a newline in a
/// record is one in the file.
#[derive(Clone, Copy, Debug)]
pub struct TextLines;

impl<T: TextRecord> FileFormat<T> for TextLines {
    fn writer(&self, _: &Env) -> Result<Box<dyn RecordWriter<T>>> {
        Ok(Box::new(TextLines))
    }
}
impl<T: TextRecord> RecordWriter<T> for TextLines {
    fn write(&mut self, record: &T, out: &mut Vec<u8>) -> Result<()> {
        let failed = |error| Error::new(ErrorKind::Data, "the Display of a record failed").because(error);
        writeln!(out, "{record}").map_err(failed)
    }
    fn goes_on_without(&self) -> bool {
        true
    }
}
