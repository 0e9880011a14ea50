//! A received block as a record of a write-ahead log: bytes that every later version of the program reads.
//!
//! ```text
//! record = version:u8 kind:u8 number:u64 records:u64 note_bytes:u32 note content
//! kind   = 1: content is UTF-8, lines with their ends
//!          2: content is MessagePack, an array of records whose fields have names
//! ```
//! Numbers are little-endian. `number` counts the blocks of an input from 0 on, over all its processes; a block that was
//! written twice, since nobody knew whether the first time had worked, has the same number. `note` is the receiver's own.

use crate::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 1 + 8 + 8 + 4;

/// What a block holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BlockKind {
    Text = 1,
    Records = 2,
}

/// The parts of a record.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct BlockRecord<'a> {
    pub(super) number: u64,
    /// How many records, or lines, the block has.
    pub(super) records: u64,
    pub(super) note: &'a [u8],
    pub(super) content: &'a [u8],
}

impl<'a> BlockRecord<'a> {
    pub(super) fn to_bytes(&self, kind: BlockKind) -> Vec<u8> {
        let note_bytes = u32::try_from(self.note.len()).expect("notes are short");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.note.len() + self.content.len());
        bytes.extend([VERSION, kind as u8]);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.records.to_le_bytes());
        bytes.extend(note_bytes.to_le_bytes());
        bytes.extend(self.note);
        bytes.extend(self.content);
        bytes
    }
    /// Reads a block of this kind.
    pub(super) fn from_bytes(bytes: &'a [u8], kind: BlockKind) -> Result<BlockRecord<'a>> {
        let damaged = |what: String| Error::new(ErrorKind::Data, format!("no received block: {what}"));
        let version = bytes.first().copied().unwrap_or(0);
        if version != VERSION {
            return Err(damaged(format!("version {version}; this program reads {VERSION}, a newer one may read it")));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
            return Err(damaged(format!("{} bytes are too few", bytes.len())));
        };
        if head[1] != kind as u8 {
            let (found, expected) = (head[1], kind as u8);
            return Err(Error::program(format!(
                "a block of another kind of input was stored ({found}, not {expected}: 1 is text, 2 typed records); the \
                 program's inputs must stay as they were"
            )));
        }
        let number = u64::from_le_bytes(head[2..10].try_into().expect("eight of them"));
        let records = u64::from_le_bytes(head[10..18].try_into().expect("eight of them"));
        let note_bytes = u32::from_le_bytes(head[18..].try_into().expect("four of them"));
        let Some((note, content)) = rest.split_at_checked(note_bytes as usize) else {
            return Err(damaged(format!("a note of {note_bytes} bytes in {}", bytes.len())));
        };
        Ok(BlockRecord { number, records, note, content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// These bytes are for good.
    #[test]
    fn the_bytes_of_version_1_still_read() {
        let bytes = [
            1, 1, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, //
            b'n', b'a', b'\n', b'b',
        ];
        let block = BlockRecord { number: 7, records: 2, note: b"n", content: b"a\nb" };
        assert_eq!(block.to_bytes(BlockKind::Text), bytes);
        assert_eq!(BlockRecord::from_bytes(&bytes, BlockKind::Text).unwrap(), block);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let good = BlockRecord { number: 0, records: 1, note: b"note", content: b"" }.to_bytes(BlockKind::Records);
        let cases = [
            (good.clone(), BlockKind::Text, "another kind of input was stored (2, not 1"),
            ([&[9], &good[1..]].concat(), BlockKind::Records, "version 9; this program reads 1"),
            (good[..20].to_vec(), BlockKind::Records, "20 bytes are too few"),
            (good[..24].to_vec(), BlockKind::Records, "a note of 4 bytes in 24"),
        ];
        for (bytes, kind, reason) in cases {
            let error = BlockRecord::from_bytes(&bytes, kind).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(block) = BlockRecord::from_bytes(&bytes, BlockKind::Text) {
                prop_assert_eq!(block.to_bytes(BlockKind::Text), bytes);
            }
        }
    }
}
