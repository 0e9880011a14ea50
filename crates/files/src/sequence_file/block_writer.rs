//! The open block of a writer: keys and values of many records, which are compressed together.

use super::deflate::Compressor;
use super::raw_writer::int_length;
use super::{Codec, vint};
use headwater_core::Result;

pub(super) struct BlockBuffers {
    records: usize,
    /// The length of each key, and of each value, as variable-length numbers.
    key_lengths: Vec<u8>,
    value_lengths: Vec<u8>,
    keys: Vec<u8>,
    values: Vec<u8>,
    compressor: Compressor,
    compressed: Vec<u8>,
}

impl BlockBuffers {
    pub(super) fn new(codec: Codec) -> BlockBuffers {
        BlockBuffers {
            records: 0,
            key_lengths: Vec::new(),
            value_lengths: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            compressor: Compressor::new(codec),
            compressed: Vec::new(),
        }
    }
    pub(super) fn records(&self) -> usize {
        self.records
    }
    /// Of keys and values.
    pub(super) fn bytes(&self) -> usize {
        self.keys.len() + self.values.len()
    }
    /// Adds a record, or leaves the block as it was.
    pub(super) fn append(
        &mut self,
        key: impl FnOnce(&mut Vec<u8>) -> Result<()>,
        value: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let (keys, values) = (self.keys.len(), self.values.len());
        let appended = key(&mut self.keys).and_then(|()| value(&mut self.values));
        // Both of them may have grown to what no buffer of Hadoop's holds.
        let fits = appended.and_then(|()| int_length(self.keys.len().max(self.values.len())));
        if let Err(error) = fits {
            self.keys.truncate(keys);
            self.values.truncate(values);
            return Err(error);
        }
        vint::write((self.keys.len() - keys) as i64, &mut self.key_lengths);
        vint::write((self.values.len() - values) as i64, &mut self.value_lengths);
        self.records += 1;
        Ok(())
    }
    /// Appends the block, which stands behind a marker, to `out`, and begins another; without records nothing.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) -> Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        vint::write(i64::from(int_length(self.records)?), out);
        for buffer in [&mut self.key_lengths, &mut self.keys, &mut self.value_lengths, &mut self.values] {
            self.compressed.clear();
            self.compressor.compress(buffer, &mut self.compressed);
            vint::write(i64::from(int_length(self.compressed.len())?), out);
            out.extend_from_slice(&self.compressed);
            buffer.clear();
        }
        self.records = 0;
        Ok(())
    }
}
