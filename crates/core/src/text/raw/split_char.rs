//! The hot path of a word count: splitting a line at one character, 64 bytes at a time.

use std::mem;

use super::Text;
use super::mask::{Exactly, wanted_mask};

/// The iterator of [`Text::split`] at a `char`: one comparison of 64 bytes serves all separators of a usual line.
#[derive(Clone)]
pub struct SplitChar {
    line: Text,
    separator: char,
    /// Where the next word begins.
    word: usize,
    /// Where the 64 bytes of the mask begin.
    window: usize,
    /// The separators in the window that are still to come.
    mask: u64,
    finished: bool,
}

impl SplitChar {
    #[inline(always)]
    pub(in crate::text) fn new(line: Text, separator: char) -> SplitChar {
        let mut split = SplitChar { line, separator, word: 0, window: 0, mask: 0, finished: false };
        split.mask = split.separators();
        split
    }

    /// The separators that begin in the 64 bytes from `window` on, one bit each.
    #[inline(always)]
    fn separators(&self) -> u64 {
        let left = self.line.len() - self.window;
        let mut buffer = [0; 4];
        let first = self.separator.encode_utf8(&mut buffer).as_bytes()[0];
        let mask = if self.line.is_inline() {
            // SAFETY: an inline text has 16 bytes.
            unsafe { wanted_mask::<1>(self.line.start(), Exactly(first)) }
        } else {
            // SAFETY: the window begins inside the text, and 64 bytes of padding follow every block.
            unsafe { wanted_mask::<4>(self.line.start().add(self.window), Exactly(first)) }
        };
        let mask = if left < 64 { mask & ((1 << left) - 1) } else { mask };
        if self.separator.is_ascii() { mask } else { self.whole_characters(mask) }
    }

    /// Of the places where the separator's first byte is, those where all of it is.
    #[cold]
    fn whole_characters(&self, first_bytes: u64) -> u64 {
        let mut buffer = [0; 4];
        let separator = self.separator.encode_utf8(&mut buffer).as_bytes();
        let rest = &self.line.as_bytes()[self.window..];
        let (mut left, mut mask) = (first_bytes, 0);
        while left != 0 {
            let at = left.trailing_zeros();
            left &= left - 1;
            mask |= u64::from(rest[at as usize..].starts_with(separator)) << at;
        }
        mask
    }
}

impl Iterator for SplitChar {
    type Item = Text;

    #[inline(always)]
    fn next(&mut self) -> Option<Text> {
        loop {
            if self.mask != 0 {
                let end = self.window + self.mask.trailing_zeros() as usize;
                self.mask &= self.mask - 1;
                // SAFETY: `word` is 0 or the end of a separator and `end` is where the next one begins: separators
                // are whole characters, come in order, and lie inside the line.
                let word = unsafe { self.line.cut(self.word, end) };
                self.word = end + self.separator.len_utf8();
                return Some(word);
            }
            if self.window + 64 >= self.line.len() {
                if mem::replace(&mut self.finished, true) {
                    return None;
                }
                // SAFETY: as above; the last separator ends inside the line or at its end.
                return Some(unsafe { self.line.cut(self.word, self.line.len()) });
            }
            self.window += 64;
            self.mask = self.separators();
        }
    }
}

impl std::iter::FusedIterator for SplitChar {}
