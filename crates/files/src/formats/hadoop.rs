//! The output formats of Hadoop: [`TextOutputFormat`] and [`SequenceFileOutputFormat`], both of pairs.

use super::shared_buffer::SharedBuffer;
use super::{FileFormat, RecordWriter};
use crate::sequence_file::{Compression, SyncMarker, Writable, Writer, WriterOptions};
use crate::text_output::write_line;
use headwater_core::env::Env;
use headwater_core::{Error, ErrorKind, Record, Result};
use std::fmt::Display;

/// Lines of `key TAB value`, by the `Display` of both. Nothing is escaped, as with Hadoop.
#[derive(Clone, Copy, Debug)]
pub struct TextOutputFormat;

impl<K: Record + Display, V: Record + Display> FileFormat<(K, V)> for TextOutputFormat {
    fn writer(&self, _: &Env) -> Result<Box<dyn RecordWriter<(K, V)>>> {
        Ok(Box::new(TextOutputFormat))
    }
}
impl<K: Record + Display, V: Record + Display> RecordWriter<(K, V)> for TextOutputFormat {
    fn write(&mut self, (key, value): &(K, V), out: &mut Vec<u8>) -> Result<()> {
        let failed = |error| Error::new(ErrorKind::Data, "the Display of a key or value failed").because(error);
        write_line(out, Some(key), Some(value)).map_err(failed)
    }
    fn goes_on_without(&self) -> bool {
        true
    }
}

/// Hadoop's SequenceFile: see [`sequence_file`](crate::sequence_file), which reads them too.
#[derive(Clone, Copy, Default, Debug)]
pub struct SequenceFileOutputFormat {
    /// What is compressed, and how.
    pub compression: Compression,
}

impl<K: Record + Writable, V: Record + Writable> FileFormat<(K, V)> for SequenceFileOutputFormat {
    fn writer(&self, env: &Env) -> Result<Box<dyn RecordWriter<(K, V)>>> {
        let buffer = SharedBuffer::default();
        let options = WriterOptions::new(SyncMarker::random(&*env.random)).compression(self.compression);
        Ok(Box::new(Pairs::<K, V> { writer: Writer::new(buffer.clone(), options)?, buffer }))
    }
}

struct Pairs<K, V> {
    writer: Writer<K, V, SharedBuffer>,
    buffer: SharedBuffer,
}
impl<K: Record + Writable, V: Record + Writable> RecordWriter<(K, V)> for Pairs<K, V> {
    fn write(&mut self, (key, value): &(K, V), out: &mut Vec<u8>) -> Result<()> {
        self.writer.append(key, value)?;
        self.buffer.move_to(out);
        Ok(())
    }
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.writer.finish()?.move_to(out);
        Ok(())
    }
}
