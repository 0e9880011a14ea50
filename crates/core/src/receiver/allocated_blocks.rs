//! [`AllocatedBlocks`]: what a batch has of an input's log, as bytes that a journal keeps and gives back after a restart.
//!
//! ```text
//! allocation = version:u8 first:u64 until:u64 records:u64 from_bytes:u8 from note
//! ```
//! Numbers are little-endian. Blocks have numbers, so two of them say which the batch has, and the newest allocation says
//! what no batch has: all from `until` on. `from` is the handle of the oldest block that was needed then, from which the
//! log is read after a restart; without bytes there was none. Segments before that of `from` may be removed once the batch
//! is done, and not earlier: then the journal has this allocation, or a later one.

use super::RecordHandle;
use crate::{Error, ErrorKind, Result};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 1 + 8 + 8 + 8 + 1;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AllocatedBlocks {
    /// The number of the batch's first block.
    pub(super) first: u64,
    /// The number behind its last one, also of a batch without blocks.
    pub(super) until: u64,
    /// The records of its blocks.
    pub(super) records: u64,
    pub(super) from: Option<RecordHandle>,
    /// The receiver's own: what it knew behind block `until`.
    pub(super) note: Vec<u8>,
}

impl AllocatedBlocks {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let from = self.from.as_ref().map_or(&[][..], RecordHandle::as_bytes);
        let mut bytes = Vec::with_capacity(HEAD_BYTES + from.len() + self.note.len());
        bytes.push(VERSION);
        for number in [self.first, self.until, self.records] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(u8::try_from(from.len()).expect("handles are short"));
        bytes.extend(from);
        bytes.extend(&self.note);
        bytes
    }
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<AllocatedBlocks> {
        let damaged = |what: String| Error::new(ErrorKind::Data, format!("no allocation of blocks: {what}"));
        let version = bytes.first().copied().unwrap_or(0);
        if version != VERSION {
            return Err(damaged(format!("version {version}; this program reads {VERSION}, a newer one may read it")));
        }
        let Some((head, rest)) = bytes.split_first_chunk::<HEAD_BYTES>() else {
            return Err(damaged(format!("{} bytes are too few", bytes.len())));
        };
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight of them"));
        let (first, until, records) = (number(1), number(9), number(17));
        let Some((from, note)) = rest.split_at_checked(head[25].into()) else {
            return Err(damaged(format!("a handle of {} bytes in {}", head[25], bytes.len())));
        };
        if first > until {
            return Err(damaged(format!("blocks {first}..{until}")));
        }
        let from = if from.is_empty() { None } else { Some(RecordHandle::new(from)?) };
        Ok(AllocatedBlocks { first, until, records, from, note: note.to_vec() })
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
            1, 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, //
            2, b'a', b't', b'n',
        ];
        let from = Some(RecordHandle::new(b"at").unwrap());
        let allocated = AllocatedBlocks { first: 2, until: 5, records: 265, from, note: b"n".to_vec() };
        assert_eq!(allocated.to_bytes(), bytes);
        assert_eq!(AllocatedBlocks::from_bytes(&bytes).unwrap(), allocated);
    }

    #[test]
    fn other_bytes_are_refused_with_the_reason() {
        let allocated = AllocatedBlocks { first: 3, until: 2, records: 0, from: None, note: Vec::new() };
        let good = allocated.to_bytes();
        let cases = [
            (good.clone(), "blocks 3..2"),
            ([&[2], &good[1..]].concat(), "version 2; this program reads 1"),
            (good[..9].to_vec(), "9 bytes are too few"),
            ([&good[..25], &[4]].concat(), "a handle of 4 bytes in 26"),
        ];
        for (bytes, reason) in cases {
            let error = AllocatedBlocks::from_bytes(&bytes).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(allocated) = AllocatedBlocks::from_bytes(&bytes) {
                prop_assert_eq!(allocated.to_bytes(), bytes);
            }
        }
    }
}
