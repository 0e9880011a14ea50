//! Splitting at runs of ASCII white space, 64 bytes at a time.

use super::Text;
use super::mask::{Wanted, wanted_mask};

/// The words of `line` between runs of wanted bytes, which are ASCII.
#[derive(Clone)]
pub(in crate::text) struct Words<W> {
    line: Text,
    wanted: W,
    /// Where the next word begins, or wanted bytes before it.
    word: usize,
    /// Where the 64 bytes of the mask begin.
    window: usize,
    /// The wanted bytes in the window that are still to come.
    mask: u64,
}

impl<W: Wanted> Words<W> {
    #[inline(always)]
    pub(in crate::text) fn new(line: Text, wanted: W) -> Words<W> {
        let mut words = Words { line, wanted, word: 0, window: 0, mask: 0 };
        words.mask = words.wanted();
        words
    }

    /// The wanted bytes of the 64 from `window` on, one bit each.
    #[inline(always)]
    fn wanted(&self) -> u64 {
        let left = self.line.len() - self.window;
        let mask = if self.line.is_inline() {
            // SAFETY: an inline text has 16 bytes.
            unsafe { wanted_mask::<1>(self.line.start(), self.wanted) }
        } else {
            // SAFETY: the window begins inside the text, and 64 bytes of padding follow every block.
            unsafe { wanted_mask::<4>(self.line.start().add(self.window), self.wanted) }
        };
        if left < 64 { mask & ((1 << left) - 1) } else { mask }
    }
}

impl<W: Wanted> Iterator for Words<W> {
    type Item = Text;

    #[inline(always)]
    fn next(&mut self) -> Option<Text> {
        loop {
            while self.mask != 0 {
                let end = self.window + self.mask.trailing_zeros() as usize;
                self.mask &= self.mask - 1;
                let start = std::mem::replace(&mut self.word, end + 1);
                if start != end {
                    // SAFETY: `start` is 0 or behind an ASCII byte, `end` is at the next one, both in the line.
                    return Some(unsafe { self.line.cut(start, end) });
                }
            }
            if self.window + 64 >= self.line.len() {
                let end = self.line.len();
                let start = std::mem::replace(&mut self.word, end);
                // SAFETY: as above; the last wanted byte ends inside the line or at its end.
                return (start < end).then(|| unsafe { self.line.cut(start, end) });
            }
            self.window += 64;
            self.mask = self.wanted();
        }
    }
}
