//! [`ObjectFiles`]: records as they are, for a program that has their type.

use super::shared_buffer::SharedBuffer;
use super::{FileFormat, RecordWriter};
use headwater_core::env::Env;
use headwater_core::object_file::ObjectWriter;
use headwater_core::{Data, Result};

/// Headwater's own format, with a version and checksums: what `save_as_object_files` writes and `object_file` reads.
#[derive(Clone, Copy, Debug)]
pub struct ObjectFiles;

impl<T: Data> FileFormat<T> for ObjectFiles {
    fn writer(&self, _: &Env) -> Result<Box<dyn RecordWriter<T>>> {
        let buffer = SharedBuffer::default();
        Ok(Box::new(Objects { writer: ObjectWriter::new(buffer.clone())?, buffer }))
    }
}

struct Objects<T> {
    writer: ObjectWriter<T, SharedBuffer>,
    buffer: SharedBuffer,
}
impl<T: Data> RecordWriter<T> for Objects<T> {
    fn write(&mut self, record: &T, out: &mut Vec<u8>) -> Result<()> {
        self.writer.write(record)?;
        self.buffer.move_to(out);
        Ok(())
    }
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()> {
        self.writer.finish()?.move_to(out);
        Ok(())
    }
}
