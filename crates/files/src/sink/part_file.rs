//! [`PartFile`]: one file that a task writes, from its first byte to the disk.

use super::disk::{Disk, judged};
use crate::formats::FileFormat;
use headwater_core::env::{Env, FileWriter};
use headwater_core::{Error, ErrorKind, Result};

/// What is collected before the file is written to.
const BUFFER_BYTES: usize = 128 << 10;

/// A file that is being written, behind a buffer.
pub(crate) struct PartFile {
    file: Box<dyn FileWriter>,
    path: String,
    buffer: Vec<u8>,
    written: u64,
}

impl PartFile {
    pub(crate) fn create(disk: Disk<'_>, path: String) -> Result<PartFile> {
        let file = disk.0.create(&path).map_err(judged)?;
        Ok(PartFile { file, path, buffer: Vec::with_capacity(BUFFER_BYTES), written: 0 })
    }
    /// Writes records of a format, each with its position, as many as `is_full` lets in by the bytes of the file so far, and
    /// without those that the format and `refuse` leave out; makes the file durable and returns how many records it has, and
    /// its bytes.
    pub(crate) fn write<T, F: FileFormat<T>>(
        mut self,
        env: &Env,
        format: &F,
        records: &mut impl Iterator<Item = (usize, T)>,
        is_full: impl Fn(u64) -> bool,
        refuse: impl Fn(usize, Error) -> Result<()>,
    ) -> Result<(u64, u64)> {
        let (mut writer, mut written) = (format.writer(env)?, 0);
        while !is_full(self.bytes())
            && let Some((index, record)) = records.next()
        {
            let begin = self.buffer.len();
            match writer.write(&record, &mut self.buffer) {
                Ok(()) => written += 1,
                Err(error) if error.kind() == ErrorKind::Data && writer.goes_on_without() => {
                    self.buffer.truncate(begin);
                    refuse(index, error).map_err(|error| of_record(index, error))?;
                }
                Err(error) => return Err(of_record(index, error)),
            }
            self.flush_from(BUFFER_BYTES)?;
        }
        writer.finish(&mut self.buffer)?;
        self.flush_from(1)?;
        self.file.flush().map_err(|error| self.unwritable(error))?;
        self.file.sync().map_err(judged)?;
        Ok((written, self.bytes()))
    }
    fn bytes(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }
    fn flush_from(&mut self, bytes: usize) -> Result<()> {
        if self.buffer.len() >= bytes {
            self.file.write_all(&self.buffer).map_err(|error| self.unwritable(error))?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
    fn unwritable(&self, error: std::io::Error) -> Error {
        judged(Error::outside(format!("cannot write {}", self.path), error))
    }
}

/// An error of one record, with its position for people. A dead letter has it anyway.
fn of_record(index: usize, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Data => error.within(format!("record {index} of its partition, counted from 0")),
        _ => error,
    }
}
