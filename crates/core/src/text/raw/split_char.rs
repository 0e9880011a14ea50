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
        if !self.separator.is_ascii() {
            return self.multi_byte_separators();
        }
        let left = self.line.len() - self.window;
        let wanted = Exactly(self.separator as u8);
        let mask = if self.line.is_inline() {
            // SAFETY: an inline text has 16 bytes.
            unsafe { wanted_mask::<1>(self.line.start(), wanted) }
        } else {
            // SAFETY: the window begins inside the text, and 64 bytes of padding follow every block.
            unsafe { wanted_mask::<4>(self.line.start().add(self.window), wanted) }
        };
        if left < 64 { mask & ((1 << left) - 1) } else { mask }
    }

    /// The same for a separator of two to four bytes. It is inlined although it is not hot: a call with `self` would
    /// keep the iterator in memory instead of in registers.
    #[inline(always)]
    fn multi_byte_separators(&self) -> u64 {
        let mut buffer = [0; 4];
        let separator = self.separator.encode_utf8(&mut buffer).as_bytes();
        let rest = &self.line.as_bytes()[self.window..];
        let begins = |at: &usize| rest[*at] == separator[0] && rest[*at..].starts_with(separator);
        (0..rest.len().min(64)).filter(begins).fold(0, |mask, at| mask | 1 << at)
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
