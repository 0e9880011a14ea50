//! [`JsonLines`]: records as JSON, one a line.

use super::{FileFormat, RecordWriter};
use headwater_core::env::Env;
use headwater_core::{Error, ErrorKind, Record, Result};
use serde::Serialize;
use std::any::type_name;

/// Each record as JSON on a line of its own ([JSON Lines](https://jsonlines.org)). Newlines in texts are escaped, and
/// numbers that are infinite or NaN become `null`. A map whose keys are neither texts nor numbers is an error.
#[derive(Clone, Copy, Debug)]
pub struct JsonLines;

impl<T: Record + Serialize> FileFormat<T> for JsonLines {
    fn writer(&self, _: &Env) -> Result<Box<dyn RecordWriter<T>>> {
        Ok(Box::new(JsonLines))
    }
}
impl<T: Record + Serialize> RecordWriter<T> for JsonLines {
    fn write(&mut self, record: &T, out: &mut Vec<u8>) -> Result<()> {
        serde_json::to_writer(&mut *out, record).map_err(|error| {
            let message = format!("a record of type {} cannot be written as JSON", type_name::<T>());
            Error::new(ErrorKind::Data, message).because(error)
        })?;
        out.push(b'\n');
        Ok(())
    }
    fn goes_on_without(&self) -> bool {
        true
    }
}
