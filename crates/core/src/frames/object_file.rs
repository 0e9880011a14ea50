//! [`ObjectWriter`] and [`ObjectReader`]: one object file, for who writes and reads them without a dataset.

use super::{FrameReader, FrameWriter, SegmentWriter, name_of};
use crate::{Data, Error, Result};
use std::io::{self, Read, Write};
use std::marker::PhantomData;

/// Writes a file of records as [`Rdd::save_as_object_file`](crate::Rdd::save_as_object_file) does: with a version, and
/// checksums by which damage is found. Without [`finish`](ObjectWriter::finish) it is not whole, and does not read.
///
/// ```
/// use headwater_core::object_file::{ObjectReader, ObjectWriter};
/// let mut writer = ObjectWriter::new(Vec::new())?;
/// for number in 0..5000 {
///     writer.write(&(number, "text".to_string()))?;
/// }
/// let file = writer.finish()?;
/// let reader = ObjectReader::<(i32, String)>::new(Box::new(std::io::Cursor::new(file)), "the file")?;
/// let numbers = reader.map(|record| record.map(|(number, _)| number)).collect::<headwater_core::Result<Vec<_>>>()?;
/// assert_eq!(numbers, (0..5000).collect::<Vec<_>>());
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct ObjectWriter<T, W> {
    segments: SegmentWriter<T>,
    file: FrameWriter<W>,
}

impl<T: Data, W: Write> ObjectWriter<T, W> {
    /// Begins a file.
    pub fn new(out: W) -> Result<ObjectWriter<T, W>> {
        let file = FrameWriter::new(out, name_of::<T>()).map_err(unwritable)?;
        Ok(ObjectWriter { segments: SegmentWriter::new(), file })
    }
    /// Writes a record. An error of the kind `Program` says that its type does not read back.
    pub fn write(&mut self, record: &T) -> Result<()> {
        self.segments.push(std::slice::from_ref(record))?;
        self.segments.take_full().iter().try_for_each(|segment| self.file.write(segment)).map_err(unwritable)
    }
    /// Writes what is left and the end, flushes the file and returns it: whoever wants it durable syncs it.
    pub fn finish(mut self) -> Result<W> {
        self.segments.finish().iter().try_for_each(|segment| self.file.write(segment)).map_err(unwritable)?;
        self.file.finish().map_err(unwritable)?;
        Ok(self.file.into_inner())
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::outside("cannot write an object file", error)
}

/// Iterates over the records of such a file; the first error is the last item. [`ObjectWriter`] has an example.
pub struct ObjectReader<T> {
    file: FrameReader,
    /// Records of the segment that was read last.
    ready: std::vec::IntoIter<T>,
    /// After the end and after an error.
    has_ended: bool,
    _records: PhantomData<fn() -> T>,
}

impl<T: Data> ObjectReader<T> {
    /// Reads the file whose first byte is the next of `input`, and which errors call `path`.
    pub fn new(input: Box<dyn Read + Send>, path: &str) -> Result<ObjectReader<T>> {
        let file = FrameReader::open(input, path)?;
        Ok(ObjectReader { file, ready: Vec::new().into_iter(), has_ended: false, _records: PhantomData })
    }
    /// The type of the records as the program that wrote them called it.
    pub fn written_as(&self) -> &str {
        self.file.name()
    }
    fn refill(&mut self) -> Result<()> {
        match self.file.next()? {
            Some(segment) => {
                let mut records = Vec::new();
                segment.decode(&mut records)?;
                self.ready = records.into_iter();
            }
            None => self.has_ended = true,
        }
        Ok(())
    }
}

impl<T: Data> Iterator for ObjectReader<T> {
    type Item = Result<T>;
    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(record) = self.ready.next() {
                return Some(Ok(record));
            }
            if self.has_ended {
                return None;
            }
            if let Err(error) = self.refill() {
                self.has_ended = true;
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn read<T: Data>(file: &[u8]) -> Vec<Result<T>> {
        ObjectReader::new(Box::new(io::Cursor::new(file.to_vec())), "f").unwrap().collect()
    }

    #[test]
    fn a_file_that_is_cut_off_gives_what_is_whole_and_one_error() {
        let mut writer = ObjectWriter::new(Vec::new()).unwrap();
        (0..3000u64).for_each(|number| writer.write(&number).unwrap());
        let file = writer.finish().unwrap();
        assert!(read::<u64>(&file).into_iter().map(Result::unwrap).eq(0..3000));
        let cut = read::<u64>(&file[..file.len() - 1]);
        assert!(cut[..3000].iter().all(Result::is_ok) && cut.len() == 3001);
        assert_eq!(cut[3000].as_ref().unwrap_err().kind(), ErrorKind::Data);
        let other = read::<String>(&file);
        assert_eq!((other.len(), other[0].as_ref().unwrap_err().kind()), (1, ErrorKind::Program));
    }

    #[test]
    fn no_records_are_a_file_too() {
        let file = ObjectWriter::<u8, _>::new(Vec::new()).unwrap().finish().unwrap();
        assert_eq!(read::<u8>(&file).len(), 0);
        let reader = ObjectReader::<i64>::new(Box::new(io::Cursor::new(file)), "f").unwrap();
        assert_eq!(reader.written_as(), "u8");
    }
}
