//! A received buffer, checked and frozen: what a source cuts its records from.

use std::fmt;
use std::str::Utf8Error;

use super::Text;
use super::raw::{Frozen, Memory};

/// Valid UTF-8 that no one writes any more. Clones and the lines cut from it share its memory.
///
/// ```
/// use headwater_core::text::Block;
///
/// let block = Block::from_utf8(b"one\r\n\ntwo").expect("the bytes are UTF-8");
/// let (mut lines, mut position) = (Vec::new(), 0);
/// block.next_lines(&mut position, block.len(), 1024, &mut lines);
/// assert_eq!(lines, ["one", "", "two"]);
/// ```
#[derive(Clone)]
pub struct Block {
    frozen: Frozen,
}

impl Block {
    pub(super) fn new(frozen: Frozen) -> Block {
        Block { frozen }
    }

    /// A block of just these bytes, in memory of its own. A source whose builder is mostly empty gives out such a copy
    /// and goes on filling the builder.
    ///
    /// # Panics
    /// If there are 2 GiB or more.
    pub fn from_utf8(bytes: &[u8]) -> Result<Block, Utf8Error> {
        let memory = Memory::copy_of(bytes);
        Frozen::new(memory, bytes.len())
            .map(Block::new)
            // The fast check does not say where it failed.
            .map_err(|_| std::str::from_utf8(bytes).expect_err("two checks of UTF-8 agree"))
    }

    /// A block of these bytes with each malformed sequence replaced by U+FFFD, as in [`String::from_utf8_lossy`], and
    /// the number of replacements.
    ///
    /// # Panics
    /// If the result has 2 GiB or more.
    pub fn from_utf8_lossy(bytes: &[u8]) -> (Block, usize) {
        if let Ok(block) = Block::from_utf8(bytes) {
            return (block, 0);
        }
        let (mut text, mut replaced) = (String::with_capacity(bytes.len() + 64), 0);
        for chunk in bytes.utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                replaced += 1;
            }
        }
        (Block::from_utf8(text.as_bytes()).expect("a String is UTF-8"), replaced)
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        self.frozen.as_str()
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.as_str().len()
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends up to `limit` lines of the bytes `*position..end` to `out` and moves `*position` behind them; it is
    /// at `end` when all were read.
    ///
    /// Lines are those of [`str::lines`]: each ends at `\n` or `\r\n`, the last one may have no end, and empty lines
    /// are records. `end` is taken to be the block's at most, and `*position` to be `end` at most.
    ///
    /// # Panics
    /// If `*position` or `end` lies inside a character.
    pub fn next_lines(&self, position: &mut usize, end: usize, limit: usize, out: &mut Vec<Text>) {
        let end = end.min(self.len());
        *position = end.min(*position);
        self.frozen.next_lines(position, end, limit, out);
    }

    /// How many lines [`Block::next_lines`] gives out from the whole block.
    ///
    /// ```
    /// use headwater_core::text::Block;
    /// assert_eq!(Block::from_utf8(b"one\r\n\ntwo").unwrap().count_lines(), 3);
    /// assert_eq!(Block::from_utf8(b"one\n").unwrap().count_lines(), 1);
    /// assert_eq!(Block::from_utf8(b"").unwrap().count_lines(), 0);
    /// ```
    pub fn count_lines(&self) -> usize {
        let bytes = self.as_str().as_bytes();
        let unfinished = bytes.last().is_some_and(|last| *last != b'\n');
        memchr::memchr_iter(b'\n', bytes).count() + usize::from(unfinished)
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.frozen.count()
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block").field("len", &self.len()).finish_non_exhaustive()
    }
}
