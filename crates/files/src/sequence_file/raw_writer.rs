//! [`RawWriter`]: records that are bytes already, into a file.

use super::block_writer::BlockBuffers;
use super::deflate::Compressor;
use super::sync_marker::SYNC_INTERVAL;
use super::{Compression, Header, SyncMarker};
use headwater_core::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::io::Write;

/// The bytes of keys and values by default from which on a block is closed (`io.seqfile.compress.blocksize`).
pub const BLOCK_BYTES: usize = 1_000_000;
/// What is collected before the file is written to.
const OUT_BYTES: usize = 64 << 10;

/// How a file is written.
///
/// ```
/// use headwater_files::sequence_file::{Codec, Compression, SyncMarker, WriterOptions};
///
/// let options = WriterOptions::new(SyncMarker::from_bytes(*b"one of the tests"))
///     .compression(Compression::Block(Codec::Default))
///     .metadata("origin", "sensor 7");
/// ```
#[derive(Clone, Debug)]
pub struct WriterOptions {
    sync: SyncMarker,
    compression: Compression,
    metadata: BTreeMap<String, String>,
    sync_interval: u64,
    block_bytes: usize,
}

impl WriterOptions {
    /// No compression, no metadata, Hadoop's distances between markers ([`SYNC_INTERVAL`]) and sizes of blocks
    /// ([`BLOCK_BYTES`]). Two files should not have the same marker.
    pub fn new(sync: SyncMarker) -> WriterOptions {
        let (compression, metadata) = (Compression::None, BTreeMap::new());
        WriterOptions { sync, compression, metadata, sync_interval: SYNC_INTERVAL, block_bytes: BLOCK_BYTES }
    }
    /// What is compressed, and how.
    pub fn compression(self, compression: Compression) -> WriterOptions {
        WriterOptions { compression, ..self }
    }
    /// Adds a note to the header; a later one of the same key replaces it.
    pub fn metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> WriterOptions {
        self.metadata.insert(key.into(), value.into());
        self
    }
    /// After how many bytes there is another marker, before the next record. Every block has one before it, whatever
    /// this says.
    pub fn sync_interval(self, bytes: u64) -> WriterOptions {
        WriterOptions { sync_interval: bytes, ..self }
    }
    /// From how many bytes of keys and values on a block is closed.
    pub fn block_bytes(self, bytes: usize) -> WriterOptions {
        WriterOptions { block_bytes: bytes, ..self }
    }
}

/// Writes keys and values that are bytes already (`SequenceFile.Writer.appendRaw`). Nothing is whole before
/// [`finish`](RawWriter::finish): what is dropped without it loses its last records.
///
/// ```
/// use headwater_files::sequence_file::{RawReader, RawWriter, ReaderOptions, SyncMarker, WriterOptions};
///
/// let options = WriterOptions::new(SyncMarker::from_bytes(*b"one of the tests"));
/// let mut writer = RawWriter::new(Vec::new(), "com.example.Key", "com.example.Value", options)?;
/// writer.append(b"key", b"value")?;
/// let file = writer.finish()?;
///
/// let mut reader = RawReader::new(&file[..], "the file", ReaderOptions::new())?;
/// assert_eq!(reader.header().key_class, "com.example.Key");
/// let record = reader.next_record()?.expect("there is one");
/// assert_eq!((record.key, record.value), (&b"key"[..], &b"value"[..]));
/// assert!(reader.next_record()?.is_none());
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct RawWriter<W> {
    output: W,
    options: WriterOptions,
    /// What was not given to `output` yet.
    pending: Vec<u8>,
    /// What was.
    written: u64,
    /// Behind the last marker; at first the beginning of the file, as in Hadoop.
    last_sync: u64,
    /// Whether `output` failed, so that nobody knows what it holds.
    has_failed: bool,
    form: Form,
}

enum Form {
    None { record: Vec<u8> },
    Record { record: Vec<u8>, value: Vec<u8>, compressor: Compressor },
    Block(BlockBuffers),
}

impl<W: Write> RawWriter<W> {
    /// Begins a file, by its header.
    pub fn new(output: W, key_class: &str, value_class: &str, options: WriterOptions) -> Result<RawWriter<W>> {
        let (compression, sync) = (options.compression, options.sync);
        let (key_class, value_class) = (key_class.to_owned(), value_class.to_owned());
        let header = Header { key_class, value_class, compression, metadata: options.metadata.clone(), sync };
        let mut pending = Vec::with_capacity(OUT_BYTES);
        header.write(&mut pending)?;
        let form = match compression {
            Compression::None => Form::None { record: Vec::new() },
            Compression::Record(codec) => {
                Form::Record { record: Vec::new(), value: Vec::new(), compressor: Compressor::new(codec) }
            }
            Compression::Block(codec) => Form::Block(BlockBuffers::new(codec)),
        };
        Ok(RawWriter { output, options, pending, written: 0, last_sync: 0, has_failed: false, form })
    }
    /// Writes a record. Fails where the file does, and where the record has 2 GiB or more.
    pub fn append(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        let put = |bytes: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        self.append_with(|out| put(key, out), |out| put(value, out))
    }
    /// The bytes of the file so far, without those of an open block.
    pub fn position(&self) -> u64 {
        self.written + self.pending.len() as u64
    }
    /// Closes the open block, if there is one with records; without blocks, writes a marker here, unless it would
    /// stand right behind another.
    pub fn sync(&mut self) -> Result<()> {
        if matches!(self.form, Form::Block(_)) { self.close_block() } else { self.write_sync() }
    }
    /// Writes what is left and flushes the file, which is returned: whoever wants it durable syncs it.
    pub fn finish(mut self) -> Result<W> {
        self.close_block()?;
        self.flush()?;
        self.output.flush().map_err(unwritable)?;
        Ok(self.output)
    }

    /// Writes a record whose key and value the functions append. One that fails leaves the file as it was.
    pub(super) fn append_with(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>) -> Result<()>,
        value: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        match &mut self.form {
            Form::Block(block) => {
                block.append(key, value)?;
                return if block.bytes() >= self.options.block_bytes { self.close_block() } else { Ok(()) };
            }
            Form::None { record } => {
                let key_length = begin_record(record, key)?;
                value(record)?;
                end_record(record, key_length)?;
            }
            Form::Record { record, value: plain, compressor } => {
                let key_length = begin_record(record, key)?;
                plain.clear();
                value(plain)?;
                compressor.compress(plain, record);
                end_record(record, key_length)?;
            }
        }
        if self.position() >= self.last_sync.saturating_add(self.options.sync_interval) {
            self.write_sync()?;
        }
        if let Form::None { record } | Form::Record { record, .. } = &self.form {
            self.pending.extend_from_slice(record);
        }
        self.flush_if_full()
    }
    fn write_sync(&mut self) -> Result<()> {
        if self.last_sync != self.position() {
            self.pending.extend_from_slice(&self.options.sync.escaped());
            self.last_sync = self.position();
        }
        self.flush_if_full()
    }
    fn close_block(&mut self) -> Result<()> {
        if let Form::Block(block) = &self.form
            && block.records() > 0
        {
            self.write_sync()?;
        }
        if let Form::Block(block) = &mut self.form {
            block.close(&mut self.pending)?;
        }
        self.flush_if_full()
    }
    fn flush_if_full(&mut self) -> Result<()> {
        if self.pending.len() >= OUT_BYTES { self.flush() } else { Ok(()) }
    }
    fn flush(&mut self) -> Result<()> {
        if self.has_failed {
            return Err(Error::new(ErrorKind::Outside, "an earlier write to the file has failed: write it anew"));
        }
        // Also where writing panics.
        self.has_failed = true;
        self.output.write_all(&self.pending).map_err(unwritable)?;
        self.has_failed = false;
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

fn unwritable(error: std::io::Error) -> Error {
    Error::outside("cannot write a SequenceFile", error)
}

/// Leaves room for the lengths and appends the key; returns its length.
fn begin_record(record: &mut Vec<u8>, key: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<usize> {
    record.clear();
    record.resize(8, 0);
    key(record)?;
    Ok(record.len() - 8)
}

fn end_record(record: &mut [u8], key_length: usize) -> Result<()> {
    let length = int_length(record.len() - 8)?;
    record[..4].copy_from_slice(&length.to_be_bytes());
    record[4..8].copy_from_slice(&(key_length as u32).to_be_bytes());
    Ok(())
}

/// Java's lengths have 31 bits.
pub(super) fn int_length(bytes: usize) -> Result<i32> {
    let message = || format!("a record or block of {bytes} bytes is too long for a SequenceFile: less than 2 GiB");
    i32::try_from(bytes).map_err(|_| Error::new(ErrorKind::Resources, message()))
}

#[cfg(test)]
mod tests;
