//! [`Writer`]: values into a file.

use super::{RawWriter, Writable, WriterOptions};
use headwater_core::Result;
use headwater_core::env::{FileSystem, FileWriter};
use std::io::Write;
use std::marker::PhantomData;

/// Writes keys of type `K` and values of type `V` (`SequenceFile.Writer.append`). Nothing is whole before
/// [`finish`](Writer::finish): what is dropped without it loses its last records.
///
/// For an example see [`Reader`](super::Reader).
pub struct Writer<K, V, W = Box<dyn FileWriter>> {
    raw: RawWriter<W>,
    _types: PhantomData<fn(K, V)>,
}

impl<K: Writable, V: Writable> Writer<K, V> {
    /// Creates the file, or empties the one that is there.
    pub fn create(files: &dyn FileSystem, path: &str, options: WriterOptions) -> Result<Writer<K, V>> {
        Writer::new(files.create(path)?, options).map_err(|error| error.within(path))
    }
}

impl<K: Writable, V: Writable, W: Write> Writer<K, V, W> {
    /// Begins a file, by its header.
    pub fn new(output: W, options: WriterOptions) -> Result<Writer<K, V, W>> {
        Ok(Writer { raw: RawWriter::new(output, K::CLASS, V::CLASS, options)?, _types: PhantomData })
    }
    /// Writes a record. Where the key or the value cannot be written, the file is as it was.
    pub fn append(&mut self, key: &K, value: &V) -> Result<()> {
        self.raw.append_with(|out| key.write(out), |out| value.write(out))
    }
    /// The bytes of the file so far, without those of an open block.
    pub fn position(&self) -> u64 {
        self.raw.position()
    }
    /// Closes the open block, if there is one with records; without blocks, writes a marker here, unless it would
    /// stand right behind another.
    pub fn sync(&mut self) -> Result<()> {
        self.raw.sync()
    }
    /// Writes what is left and flushes the file, which is returned: whoever wants it durable syncs it.
    pub fn finish(self) -> Result<W> {
        self.raw.finish()
    }
}
