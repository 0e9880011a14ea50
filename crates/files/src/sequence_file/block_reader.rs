//! The block that a reader stands in: keys and values of many records, which were compressed together.

use super::deflate::Decompressor;
use super::raw_reader::{Bounds, Place, RawRecord};
use super::source::Source;
use super::sync_marker::{ESCAPE, SYNC_BYTES};
use super::vint;
use headwater_core::Result;
use std::io::Read;

/// Every block is checked as a whole when it is read, so that giving out its records cannot fail.
pub(super) struct Block {
    decompressor: Decompressor,
    compressed: Vec<u8>,
    /// In the file, with its marker.
    position: u64,
    /// Whether the marker of the next block was read before.
    is_behind_marker: bool,
    records: usize,
    /// Of which so many were given out.
    taken: usize,
    key_lengths: Column,
    keys: Column,
    value_lengths: Column,
    values: Column,
}

/// A buffer of a block.
#[derive(Default)]
struct Column {
    bytes: Vec<u8>,
    /// What was taken of it.
    taken: usize,
}

impl Column {
    fn take(&mut self, length: usize) -> &[u8] {
        let start = self.taken;
        self.taken += length;
        &self.bytes[start..self.taken]
    }
    fn take_length(&mut self) -> usize {
        let mut rest = &self.bytes[self.taken..];
        let length = vint::take(&mut rest).expect("lengths were checked with their block");
        self.taken = self.bytes.len() - rest.len();
        length as usize
    }
}

impl Block {
    /// No block yet.
    pub(super) fn new(decompressor: Decompressor, is_behind_marker: bool) -> Block {
        Block {
            decompressor,
            compressed: Vec::new(),
            position: 0,
            is_behind_marker,
            records: 0,
            taken: 0,
            key_lengths: Column::default(),
            keys: Column::default(),
            value_lengths: Column::default(),
            values: Column::default(),
        }
    }
    /// The next record, of this block or the next.
    pub(super) fn next_record<R: Read>(
        &mut self,
        source: &mut Source<R>,
        bounds: &Bounds,
    ) -> Result<Option<RawRecord<'_>>> {
        while self.taken == self.records {
            if !self.read(source, bounds)? {
                return Ok(None);
            }
        }
        let place = Place { position: self.position, record_of_block: Some(self.taken) };
        self.taken += 1;
        let (key_length, value_length) = (self.key_lengths.take_length(), self.value_lengths.take_length());
        Ok(Some(RawRecord { key: self.keys.take(key_length), value: self.values.take(value_length), place }))
    }

    /// Reads the next block; false where there is none.
    fn read<R: Read>(&mut self, source: &mut Source<R>, bounds: &Bounds) -> Result<bool> {
        if std::mem::take(&mut self.is_behind_marker) {
            self.position = source.position() - SYNC_BYTES as u64;
        } else {
            if source.is_at_end()? {
                return Ok(false);
            }
            self.position = source.position();
            if source.array("the marker of a block")? != ESCAPE {
                return Err(
                    source.damaged(self.position, "no sync marker begins here, as each block has: the file is damaged")
                );
            }
            if !bounds.marker_is_ours(source, self.position)? {
                return Ok(false);
            }
        }
        (self.records, self.taken) = (source.vint_length("the number of records of a block")?, 0);
        let columns = [
            (&mut self.key_lengths, "the lengths of keys"),
            (&mut self.keys, "the keys"),
            (&mut self.value_lengths, "the lengths of values"),
            (&mut self.values, "the values"),
        ];
        for (column, what) in columns {
            let length = source.vint_length(what)?;
            bounds.check_length(source, self.position, what, length)?;
            self.compressed.clear();
            source.take(length, what, &mut self.compressed)?;
            let (decompressor, out) = (&mut self.decompressor, &mut column.bytes);
            bounds.decompress(source, self.position, what, decompressor, &self.compressed, out)?;
            column.taken = 0;
        }
        self.check(source, &self.key_lengths, &self.keys, "keys")?;
        self.check(source, &self.value_lengths, &self.values, "values")?;
        Ok(true)
    }
    /// Whether there are as many lengths as records, which come to as many bytes as there are.
    fn check<R: Read>(&self, source: &Source<R>, lengths: &Column, bytes: &Column, what: &str) -> Result<()> {
        let wrong = |why: &str| source.damaged(self.position, &format!("the block is damaged: {why}"));
        let (mut rest, mut sum) = (&lengths.bytes[..], 0usize);
        for record in 0..self.records {
            let length = vint::take(&mut rest).and_then(|length| usize::try_from(length).ok());
            let total = length.and_then(|length| sum.checked_add(length)).filter(|total| *total <= bytes.bytes.len());
            sum = total.ok_or_else(|| wrong(&format!("the {what} end at record {record} of {}", self.records)))?;
        }
        if rest.is_empty() && sum == bytes.bytes.len() {
            Ok(())
        } else {
            Err(wrong(&format!("it has more {what} than its {} records", self.records)))
        }
    }
}
