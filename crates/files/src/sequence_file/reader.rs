//! [`Reader`]: the records of a file as values.

use super::writable::types_of;
use super::{Header, RawReader, ReaderOptions, Writable};
use headwater_core::env::FileSystem;
use headwater_core::{Error, ErrorKind, Result};
use std::io::Read;
use std::marker::PhantomData;

/// Reads keys of type `K` and values of type `V` (`SequenceFile.Reader.next`). It iterates over the records; the first
/// error is the last item.
///
/// ```
/// use headwater_core::Result;
/// use headwater_files::sequence_file::{Reader, ReaderOptions, SyncMarker, Writer, WriterOptions};
///
/// let options = WriterOptions::new(SyncMarker::from_bytes(*b"one of the tests"));
/// let mut writer = Writer::<String, i32, _>::new(Vec::new(), options)?;
/// writer.append(&"the".to_string(), &2)?;
/// let file = writer.finish()?;
///
/// let counts = Reader::<String, i32, _>::new(&file[..], "counts", ReaderOptions::new())?;
/// assert_eq!(counts.collect::<Result<Vec<_>>>()?, [("the".to_string(), 2)]);
///
/// let error = Reader::<String, i64, _>::new(&file[..], "counts", ReaderOptions::new()).err().unwrap();
/// assert_eq!(
///     error.to_string(),
///     "counts has values of the class org.apache.hadoop.io.IntWritable, and the program reads \
///      org.apache.hadoop.io.LongWritable: it reads as i32"
/// );
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct Reader<K, V, R = Box<dyn Read + Send>> {
    raw: RawReader<R>,
    /// After an error.
    has_failed: bool,
    _types: PhantomData<fn() -> (K, V)>,
}

impl<K: Writable, V: Writable> Reader<K, V> {
    /// Opens a file. Fails where its classes are not those of `K` and `V`.
    pub fn open(files: &dyn FileSystem, path: &str, options: ReaderOptions) -> Result<Reader<K, V>> {
        Reader::of(RawReader::open(files, path, options)?)
    }
}

impl<K: Writable, V: Writable, R: Read> Reader<K, V, R> {
    /// Reads the file whose first byte is the next of `input`, and which errors call `path`. Fails where its classes
    /// are not those of `K` and `V`.
    pub fn new(input: R, path: &str, options: ReaderOptions) -> Result<Reader<K, V, R>> {
        Reader::of(RawReader::new(input, path, options)?)
    }
    fn of(raw: RawReader<R>) -> Result<Reader<K, V, R>> {
        check_class(raw.path(), "keys", &raw.header().key_class, K::CLASS)?;
        check_class(raw.path(), "values", &raw.header().value_class, V::CLASS)?;
        Ok(Reader { raw, has_failed: false, _types: PhantomData })
    }
    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        self.raw.header()
    }
    /// The next record; `None` at the end of the file or of the range, and after an error.
    pub fn next_record(&mut self) -> Result<Option<(K, V)>> {
        if self.has_failed {
            return Ok(None);
        }
        let read = self.read();
        self.has_failed = read.is_err();
        read
    }
    fn read(&mut self) -> Result<Option<(K, V)>> {
        let Some(record) = self.raw.next_record()? else { return Ok(None) };
        let (place, values) = (record.place, (whole(record.key), whole(record.value)));
        let within = |what, error: Error| error.within(format!("{}, {place}: the {what}", self.raw.path()));
        let key = values.0.map_err(|error| within("key", error))?;
        Ok(Some((key, values.1.map_err(|error| within("value", error))?)))
    }
}

impl<K: Writable, V: Writable, R: Read> Iterator for Reader<K, V, R> {
    type Item = Result<(K, V)>;
    fn next(&mut self) -> Option<Result<(K, V)>> {
        self.next_record().transpose()
    }
}

/// The value that all of `bytes` are.
fn whole<T: Writable>(mut bytes: &[u8]) -> Result<T> {
    let all = bytes.len();
    let value = T::read(&mut bytes)?;
    match bytes.len() {
        0 => Ok(value),
        left => Err(Error::new(ErrorKind::Data, format!("{} of {all} bytes are left behind the {}", left, T::CLASS))),
    }
}

fn check_class(path: &str, what: &str, found: &str, asked: &str) -> Result<()> {
    if found == asked {
        return Ok(());
    }
    let help = match types_of(found) {
        Some(types) => format!("it reads as {types}"),
        None => "implement Writable with this CLASS, or take RawReader".to_string(),
    };
    let message = format!("{path} has {what} of the class {found}, and the program reads {asked}: {help}");
    Err(Error::new(ErrorKind::Program, message))
}

#[cfg(test)]
mod tests;
