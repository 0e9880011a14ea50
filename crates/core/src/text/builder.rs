//! A block while a source receives into it.

use std::fmt;
use std::str::Utf8Error;

use super::Block;
use super::raw::{Frozen, Memory};

/// Memory of a [`BlockPool`](super::BlockPool) that fills with received bytes until it is frozen into a [`Block`].
///
/// A builder that is dropped gives its memory back to the pool.
///
/// ```
/// use headwater_core::text::BlockPool;
///
/// let mut source: &[u8] = b"first\nsecond\nthi";
/// let pool = BlockPool::new(4096, 2);
/// let (mut builder, mut next) = (pool.take(), pool.take());
/// let received = std::io::Read::read(&mut source, builder.spare_mut()).expect("a slice reads");
/// builder.advance(received);
/// // The last line is incomplete: it goes to the front of the next block.
/// builder.split_off_tail(13, &mut next);
/// assert_eq!(builder.freeze().expect("UTF-8").as_str(), "first\nsecond\n");
/// assert_eq!(next.as_bytes(), b"thi");
/// ```
pub struct BlockBuilder {
    /// `None` only while the builder is taken apart.
    memory: Option<Memory>,
    /// Received bytes, at the front of the memory.
    len: usize,
}

const TAKEN_APART: &str = "a builder has memory until it is frozen or dropped";

impl BlockBuilder {
    pub(super) fn new(memory: Memory) -> BlockBuilder {
        BlockBuilder { memory: Some(memory), len: 0 }
    }

    fn memory(&self) -> &Memory {
        self.memory.as_ref().expect(TAKEN_APART)
    }

    /// How many bytes the block can hold.
    pub fn capacity(&self) -> usize {
        self.memory().capacity()
    }

    /// How many bytes were received.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was received.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The received bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.memory().bytes()[..self.len]
    }

    /// The room behind the received bytes, to read into. It holds zeros or bytes of a former block.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        &mut self.memory.as_mut().expect(TAKEN_APART).bytes_mut()[self.len..]
    }

    /// Counts `received` bytes that were written to the front of [`spare_mut`](BlockBuilder::spare_mut).
    ///
    /// # Panics
    /// If there was not so much room.
    pub fn advance(&mut self, received: usize) {
        let room = self.capacity() - self.len;
        assert!(received <= room, "advanced by {received} bytes in a block with room for {room}");
        self.len += received;
    }

    /// Appends as many of `bytes` as there is room for, and returns their number.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare_mut();
        let copied = bytes.len().min(spare.len());
        spare[..copied].copy_from_slice(&bytes[..copied]);
        self.len += copied;
        copied
    }

    /// Keeps the first `len` bytes; does nothing if there are fewer.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Moves the bytes from `at` on behind those of `next`: an incomplete last line to where it will be completed.
    ///
    /// # Panics
    /// If `at` is behind the received bytes, or `next` has no room for the tail.
    pub fn split_off_tail(&mut self, at: usize, next: &mut BlockBuilder) {
        let tail = &self.as_bytes()[at..];
        let room = next.capacity() - next.len();
        assert!(tail.len() <= room, "a tail of {} bytes in a block with room for {room}", tail.len());
        next.extend_from_slice(tail);
        self.len = at;
    }

    /// Ends the filling. If the bytes are not valid UTF-8, says where, and the builder comes back unchanged.
    pub fn freeze(mut self) -> Result<Block, (Utf8Error, BlockBuilder)> {
        let memory = self.memory.take().expect(TAKEN_APART);
        match Frozen::new(memory, self.len) {
            Ok(frozen) => Ok(Block::new(frozen)),
            Err(memory) => {
                self.memory = Some(memory);
                // The fast check does not say where it failed.
                let error = std::str::from_utf8(self.as_bytes()).expect_err("two checks of UTF-8 agree");
                Err((error, self))
            }
        }
    }

    /// Ends the filling. Malformed sequences become U+FFFD, as in [`String::from_utf8_lossy`]; also returns their
    /// number. With malformed bytes the block is a copy of its own, which may be longer than the builder's capacity.
    ///
    /// # Panics
    /// If the copy reaches 2 GiB.
    pub fn freeze_lossy(self) -> (Block, usize) {
        match self.freeze() {
            Ok(block) => (block, 0),
            Err((_, builder)) => Block::from_utf8_lossy(builder.as_bytes()),
        }
    }
}

impl Drop for BlockBuilder {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            memory.end();
        }
    }
}

impl fmt::Debug for BlockBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockBuilder").field("len", &self.len).field("capacity", &self.capacity()).finish()
    }
}
