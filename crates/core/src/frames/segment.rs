//! [`Segment`]: a run of records as bytes, in postcard's format.

use crate::rdd::CHUNK;
use crate::{Data, Error, ErrorKind, Result};
use postcard::ser_flavors::Flavor;
use std::any::type_name;
use std::marker::PhantomData;

/// Bytes from which on a segment is closed. It is longer only by its last record.
const SEGMENT_BYTES: usize = 64 << 10;

/// At most [`CHUNK`] records, one after the other.
pub(crate) struct Segment {
    pub(crate) records: u32,
    pub(crate) bytes: Box<[u8]>,
}

impl Segment {
    /// Appends the records to `out`. The error says that they are none of `T`, and what that may come from.
    pub(crate) fn decode<T: Data>(&self, out: &mut Vec<T>) -> Result<()> {
        out.reserve(self.records as usize);
        let mut rest = &self.bytes[..];
        for _ in 0..self.records {
            let (record, behind) = postcard::take_from_bytes(rest).map_err(not_read::<T>)?;
            out.push(record);
            rest = behind;
        }
        if rest.is_empty() { Ok(()) } else { Err(not_read::<T>("bytes are left")) }
    }
}

/// Makes segments of records.
pub(crate) struct SegmentWriter<T> {
    done: Vec<Segment>,
    /// What `done` takes.
    done_bytes: usize,
    open: Vec<u8>,
    /// In `open`.
    records: u32,
    /// Whether a record was read back.
    tried: bool,
    _records: PhantomData<fn(T)>,
}

impl<T: Data> SegmentWriter<T> {
    pub(crate) fn new() -> SegmentWriter<T> {
        let (done, open) = (Vec::new(), Vec::new());
        SegmentWriter { done, done_bytes: 0, open, records: 0, tried: false, _records: PhantomData }
    }
    /// Appends `records`, which stay. Runs the records' `Serialize`, which may panic; the writer is of no use then.
    pub(crate) fn push(&mut self, records: &[T]) -> Result<()> {
        for record in records {
            let start = self.open.len();
            append(record, &mut self.open)?;
            if !self.tried {
                self.tried = true;
                try_back::<T>(&self.open[start..])?;
            }
            self.records += 1;
            if self.open.len() >= SEGMENT_BYTES || self.records as usize == CHUNK {
                self.close();
            }
        }
        Ok(())
    }
    /// The bytes of memory that the segments take, without those taken out.
    pub(crate) fn bytes(&self) -> usize {
        self.done_bytes + self.open.len()
    }
    /// Takes out the segments that are full.
    pub(crate) fn take_full(&mut self) -> Vec<Segment> {
        self.done_bytes = 0;
        std::mem::take(&mut self.done)
    }
    /// All that were not taken out.
    pub(crate) fn finish(mut self) -> Vec<Segment> {
        if self.records > 0 {
            self.close();
        }
        self.done
    }
    fn close(&mut self) {
        self.done.push(Segment { records: self.records, bytes: self.open.as_slice().into() });
        self.done_bytes += self.open.len() + size_of::<Segment>();
        self.records = 0;
        self.open.clear();
    }
}

/// Reads one record back: a type that postcard writes but does not read is found before anything relies on it. What is
/// read need not have the same bytes, since a map has no order, but as many.
fn try_back<T: Data>(bytes: &[u8]) -> Result<()> {
    let (record, behind): (T, _) = postcard::take_from_bytes(bytes).map_err(not_read::<T>)?;
    let mut again = Vec::new();
    append(&record, &mut again)?;
    if behind.is_empty() && again.len() == bytes.len() { Ok(()) } else { Err(not_read::<T>("it has other fields")) }
}

fn append<T: Data>(record: &T, bytes: &mut Vec<u8>) -> Result<()> {
    postcard::serialize_with_flavor(record, Append(bytes)).map_err(|error| {
        let message = format!("a record of type {} cannot be serialised", type_name::<T>());
        Error::new(ErrorKind::Program, message).because(error)
    })
}

fn not_read<T>(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let message = format!(
        "the bytes do not read as a record of type {}; its Serialize and Deserialize must agree without help of the \
         format: no #[serde(flatten, untagged, skip_serializing_if, ...)]",
        type_name::<T>()
    );
    Error::new(ErrorKind::Program, message).because(cause)
}

/// Lets postcard write behind what a vector holds.
struct Append<'a>(&'a mut Vec<u8>);
impl Flavor for Append<'_> {
    type Output = ();
    #[inline]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }
    #[inline]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::collections::HashMap;

    fn there_and_back<T: Data>(records: &[T]) -> Result<Vec<T>> {
        let mut writer = SegmentWriter::new();
        records.chunks(100).try_for_each(|chunk| writer.push(chunk))?;
        let bytes = writer.bytes();
        let segments = writer.finish();
        assert!(segments.iter().map(|segment| segment.bytes.len()).sum::<usize>() <= bytes);
        assert!(segments.iter().all(|segment| segment.records as usize <= CHUNK));
        let mut out = Vec::new();
        segments.iter().try_for_each(|segment| segment.decode(&mut out))?;
        Ok(out)
    }

    #[test]
    fn records_come_back_in_order() {
        let numbers: Vec<i64> = (-2000..3000).collect();
        assert_eq!(there_and_back(&numbers).unwrap(), numbers);
        let long: Vec<(String, u8)> = (0..50).map(|n| ("x".repeat(n * 1000), n as u8)).collect();
        assert_eq!(there_and_back(&long).unwrap(), long);
        assert_eq!(there_and_back(&[(); 5000]).unwrap().len(), 5000);
        assert_eq!(there_and_back::<u8>(&[]).unwrap(), []);
        let map: HashMap<u32, String> = (0..100).map(|n| (n, n.to_string())).collect();
        assert_eq!(there_and_back(std::slice::from_ref(&map)).unwrap(), [map]);
    }

    #[test]
    fn a_type_that_is_written_but_not_read_is_named() {
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(untagged)]
        enum Untagged {
            Number(u8),
        }
        #[derive(Clone, Serialize, Deserialize)]
        struct Skipping {
            #[serde(skip_serializing_if = "Option::is_none")]
            maybe: Option<u8>,
            number: u8,
        }
        let error = there_and_back(&[Untagged::Number(1)]).err().unwrap().to_string();
        assert!(error.contains("Untagged") && error.contains("untagged"), "{error}");
        let error = there_and_back(&[Skipping { maybe: None, number: 0 }]).err().unwrap().to_string();
        assert!(error.contains("Skipping"), "{error}");
    }

    #[test]
    fn bytes_of_another_type_are_an_error() {
        let mut writer = SegmentWriter::new();
        writer.push(&[300u64, 400]).unwrap();
        let segment = writer.finish().remove(0);
        assert!(segment.decode::<String>(&mut Vec::new()).is_err());
        assert!(segment.decode::<u8>(&mut Vec::new()).is_err());
    }
}
