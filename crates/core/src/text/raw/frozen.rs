//! A block's memory once it is valid UTF-8 and shared: counted, and cut into lines.

use super::mask::{Exactly, wanted_mask};
use super::memory::{Memory, Owner};
use super::{INLINE_MAX, Text};
use std::{slice, str};

/// The first `len` bytes of shared memory, valid UTF-8, with one reference.
pub(in crate::text) struct Frozen {
    owner: Owner,
    len: usize,
}

// SAFETY: the bytes are not written while a reference exists, and the count is atomic.
unsafe impl Send for Frozen {}
// SAFETY: as above.
unsafe impl Sync for Frozen {}

impl Frozen {
    /// Shares the first `len` bytes if they are valid UTF-8, else gives the memory back.
    pub(in crate::text) fn new(memory: Memory, len: usize) -> Result<Frozen, Memory> {
        match simdutf8::basic::from_utf8(&memory.bytes()[..len]) {
            Ok(_) => Ok(Frozen { owner: memory.share(), len }),
            Err(_) => Err(memory),
        }
    }

    #[inline(always)]
    pub(in crate::text) fn as_str(&self) -> &str {
        // SAFETY: checked in `new`; our reference keeps the memory as it is.
        unsafe { str::from_utf8_unchecked(slice::from_raw_parts(self.owner.data(), self.len)) }
    }

    /// Cuts lines as [`Block::next_lines`](crate::text::Block::next_lines) says; `*position..end` lies inside the text
    /// and on character boundaries, which is checked.
    pub(in crate::text) fn next_lines(&self, position: &mut usize, end: usize, limit: usize, out: &mut Vec<Text>) {
        // Sliced as a `str`, so that a place inside a character panics here.
        let part = &self.as_str()[*position..end];
        let bytes = part.as_bytes();
        // A line takes a byte at least. All are counted in one step before they exist; too many are given back below.
        let counted = limit.min(bytes.len());
        // SAFETY: `self` holds a reference; texts take over `shared` of the new ones, the rest is given back below.
        unsafe { self.owner.retain(counted) };
        let mut shared = 0;
        let mut from = 0;
        // From the block's own address: what is read at a time reaches over the end of the part.
        // SAFETY: the position lies inside the text.
        let start = unsafe { self.owner.data().add(*position) };
        // SAFETY: the bytes lie in a block, behind which there are 64 bytes of padding.
        let mut newlines = unsafe { Newlines::new(start, bytes.len()) };
        for _ in 0..counted {
            if from >= bytes.len() {
                break;
            }
            let newline = newlines.next();
            let mut to = newline.unwrap_or(bytes.len());
            let next = to + 1;
            if newline.is_some() && to > from && bytes[to - 1] == b'\r' {
                to -= 1;
            }
            out.push(if to - from <= INLINE_MAX {
                // SAFETY: `from` is inside the text, and padding follows every block.
                let line = unsafe { start.add(from).cast::<[u8; 16]>().read_unaligned() };
                Text::inline(u128::from_le_bytes(line), to - from)
            } else {
                shared += 1;
                Text::slice_of(self.owner, *position + from, to - from)
            });
            from = next;
        }
        // SAFETY: these were added above and no text took them; the reference of `self` is left.
        unsafe { self.owner.give_back(counted - shared) };
        *position = (*position + from).min(end);
    }

    #[cfg(test)]
    pub(in crate::text) fn count(&self) -> usize {
        self.owner.count()
    }
}

/// Where the newlines are: 64 bytes at a time, since a search per line would cost more than most lines are long.
struct Newlines {
    start: *const u8,
    len: usize,
    /// Where the 64 bytes of the mask begin.
    window: usize,
    mask: u64,
}

impl Newlines {
    /// # Safety
    /// `len + 64` bytes from `start` on are readable as long as this lives.
    #[inline(always)]
    unsafe fn new(start: *const u8, len: usize) -> Newlines {
        let mut newlines = Newlines { start, len, window: 0, mask: 0 };
        newlines.mask = newlines.at_window();
        newlines
    }
    #[inline(always)]
    fn at_window(&self) -> u64 {
        // SAFETY: the window begins inside the bytes or at their end, and `new` was promised 64 more.
        unsafe { wanted_mask::<4>(self.start.add(self.window), Exactly(b'\n')) }
    }
}

impl Iterator for Newlines {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.window += 64;
            if self.window >= self.len {
                self.window = self.len;
                return None;
            }
            self.mask = self.at_window();
        }
        let at = self.window + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        // What lies behind the end is padding, or belongs to someone else's part of the block.
        (at < self.len).then_some(at)
    }
}

impl Clone for Frozen {
    fn clone(&self) -> Frozen {
        // SAFETY: `self` holds a reference; the clone releases the added one.
        unsafe { self.owner.retain(1) };
        Frozen { owner: self.owner, len: self.len }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // SAFETY: this is the reference of `self`, which ends here.
        unsafe { self.owner.release(1) }
    }
}
