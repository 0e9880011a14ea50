//! [`ReaderOptions`]: which part of a file is read, and what it may ask of memory.

use std::ops::Range;

/// The longest record by default; see [`ReaderOptions::record_bytes_max`].
pub const RECORD_BYTES_MAX: usize = 256 << 20;

/// How a file is read.
#[derive(Clone, Debug)]
pub struct ReaderOptions {
    pub(super) range: Range<u64>,
    pub(super) record_bytes_max: usize,
}

impl Default for ReaderOptions {
    fn default() -> ReaderOptions {
        ReaderOptions::new()
    }
}

impl ReaderOptions {
    /// The whole file, and records of up to [`RECORD_BYTES_MAX`].
    pub fn new() -> ReaderOptions {
        ReaderOptions { range: 0..u64::MAX, record_bytes_max: RECORD_BYTES_MAX }
    }
    /// Only the records of a part of the file: those behind each marker that begins within the range, as with the
    /// input splits of Hadoop. The header counts as a marker that begins where it ends. So the records of a file are
    /// read once each, whatever the ranges are into which it is cut; what begins in a range may end behind it.
    pub fn range(self, range: Range<u64>) -> ReaderOptions {
        ReaderOptions { range, ..self }
    }
    /// The longest record, and with blocks the keys or the values of a block, compressed or not. What is longer is an
    /// error. A damaged length takes no memory, but one that decompresses to so much does.
    pub fn record_bytes_max(self, bytes: usize) -> ReaderOptions {
        ReaderOptions { record_bytes_max: bytes, ..self }
    }
}
