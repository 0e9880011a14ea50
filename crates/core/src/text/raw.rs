//! The 16 bytes of a `Text` and everything that must trust them: counting, cutting, and the loads that read up to
//! 64 bytes at once. The rest of `text` is safe code over this.
#![allow(unsafe_code, reason = "a text of 16 bytes is a union of inline bytes and a counted pointer")]

mod find;
mod frozen;
mod mask;
mod memory;
mod split_ascii;
mod split_char;
mod traits;
mod truncate;

use std::{slice, str};

pub(in crate::text) use frozen::Frozen;
pub(in crate::text) use mask::{AsciiWhitespace, Whitespace};
pub(in crate::text) use memory::{MAX_BYTES, Memory};
pub(in crate::text) use split_ascii::Words;
pub use split_char::SplitChar;

use memory::Owner;

#[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
compile_error!("a Text keeps its tag in the last of 16 little-endian bytes, behind a pointer of 8");

/// The longest text that needs no block.
pub(in crate::text) const INLINE_MAX: usize = 15;
const SHARED: u32 = 1 << 31;

/// An immutable string of 16 bytes, cheap to cut, clone, hash and compare: the record type of every text source.
///
/// Up to 15 bytes lie inside the text itself. Longer text is a counted slice of the [`Block`](crate::text::Block) it
/// was received in, so neither cutting nor cloning allocates. A long text keeps its whole block in memory: state that
/// lives longer than a batch stores [`detached`](Text::detached) text.
///
/// A text reads as a `&str`, by [`as_str`](Text::as_str) or by dereference (`line.find("x")`, `line.parse()`).
/// Where `str` has a method that returns parts of the string, `Text` has its own of the same name that returns texts,
/// so that `lines.flat_map(|line| line.split(' '))` compiles. Iterators take the text by value: clone the line if it
/// is used again, which costs a counter and no copy.
///
/// Its hash differs from that of `str`, because hashing 15 inline bytes as two words is much faster. There is no
/// `Borrow<str>` for that reason: look a word up by `map.get(&Text::from("the"))`. A text is shorter than 2 GiB.
pub struct Text {
    bits: Bits,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Bits {
    /// Bytes, then zeros, then the length in byte 15.
    inline: [u8; 16],
    /// The same as two words; for a shared text only good for comparison.
    halves: [u64; 2],
    shared: Shared,
}

/// A slice of a block, with one reference to it. Longer than 15 bytes, valid UTF-8 and never written again.
#[derive(Clone, Copy)]
#[repr(C)]
struct Shared {
    owner: Owner,
    offset: u32,
    /// The top bit is set. It is the top bit of byte 15, which in an inline text holds at most 15.
    tagged_len: u32,
}

// SAFETY: the bytes of a block are not written while a text of it exists, and the count is atomic.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

const MASKS: [u128; 16] = {
    let mut masks = [0; 16];
    let mut len = 1;
    while len < 16 {
        masks[len] = u128::MAX >> (128 - 8 * len);
        len += 1;
    }
    masks
};

impl Text {
    /// A text without any bytes.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::EMPTY, "");
    /// ```
    pub const EMPTY: Text = Text { bits: Bits { inline: [0; 16] } };

    /// Copies `text`: into the 16 bytes if it fits, else into memory of its own.
    pub(in crate::text) fn copy_of(text: &str) -> Text {
        if text.len() <= INLINE_MAX {
            let mut inline = [0; 16];
            inline[..text.len()].copy_from_slice(text.as_bytes());
            inline[15] = text.len() as u8;
            return Text { bits: Bits { inline } };
        }
        let owner = Memory::copy_of(text.as_bytes()).share();
        // The text takes over the memory's one reference.
        Text::slice_of(owner, 0, text.len())
    }

    /// The first `len` of 16 bytes, at most 15; they are valid UTF-8.
    #[inline(always)]
    fn inline(bytes: u128, len: usize) -> Text {
        let whole = bytes & MASKS[len & 15];
        Text { bits: Bits { halves: [whole as u64, (whole >> 64) as u64 | (len as u64) << 56] } }
    }

    /// A text that takes over one of the memory's references.
    #[inline(always)]
    fn slice_of(owner: Owner, offset: usize, len: usize) -> Text {
        debug_assert!(len > INLINE_MAX && offset + len <= owner.capacity());
        Text { bits: Bits { shared: Shared { owner, offset: offset as u32, tagged_len: len as u32 | SHARED } } }
    }

    /// Whether the bytes lie in the text itself, so that it keeps no block alive.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert!(Text::from("fifteen bytes..").is_inline());
    /// assert!(!Text::from("sixteen bytes...").is_inline());
    /// ```
    #[inline(always)]
    pub fn is_inline(&self) -> bool {
        // SAFETY: all 16 bytes are initialised in every variant.
        unsafe { self.bits.inline[15] & 0x80 == 0 }
    }

    /// # Safety
    /// The text is not inline.
    #[inline(always)]
    unsafe fn shared(&self) -> Shared {
        debug_assert!(!self.is_inline());
        // SAFETY: the tag says that the shared variant was written. (An `Option` here costs the hot path a branch.)
        unsafe { self.bits.shared }
    }

    /// The number of bytes.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("née").len(), 4);
    /// ```
    #[inline(always)]
    pub fn len(&self) -> usize {
        if self.is_inline() {
            // SAFETY: all 16 bytes are initialised in every variant.
            unsafe { self.bits.inline[15] as usize }
        } else {
            // SAFETY: not inline.
            unsafe { (self.shared().tagged_len & !SHARED) as usize }
        }
    }

    /// Whether there are no bytes.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert!(Text::default().is_empty());
    /// ```
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline(always)]
    fn start(&self) -> *const u8 {
        if self.is_inline() {
            // SAFETY: taking the address reads nothing.
            unsafe { self.bits.inline.as_ptr() }
        } else {
            // SAFETY: not inline; the offset lies inside the memory.
            unsafe { self.shared().owner.data().add(self.shared().offset as usize) }
        }
    }

    /// The text as a string slice.
    ///
    /// ```
    /// # use headwater_core::text::Text;
    /// assert_eq!(Text::from("the").as_str(), "the");
    /// ```
    #[inline(always)]
    pub fn as_str(&self) -> &str {
        // SAFETY: `start` and `len` describe initialised, valid UTF-8 that lives and stays as long as `self` does.
        unsafe { str::from_utf8_unchecked(slice::from_raw_parts(self.start(), self.len())) }
    }

    /// The bytes `from..to` as a text of their own.
    ///
    /// # Safety
    /// `from <= to <= self.len()`, and both are character boundaries.
    #[inline(always)]
    unsafe fn cut(&self, from: usize, to: usize) -> Text {
        let len = to - from;
        if len <= INLINE_MAX {
            let bytes = if self.is_inline() {
                // SAFETY: all 16 bytes are initialised in every variant.
                u128::from_le_bytes(unsafe { self.bits.inline }) >> ((8 * from as u32) & 127)
            } else {
                // SAFETY: `from` is inside the text or at its end, and padding follows every block.
                u128::from_le_bytes(unsafe { self.start().add(from).cast::<[u8; 16]>().read_unaligned() })
            };
            Text::inline(bytes, len)
        } else {
            // SAFETY: a part longer than an inline text is part of a shared one. `self` holds a reference; the new
            // text releases the added one.
            unsafe {
                let Shared { owner, offset, .. } = self.shared();
                owner.retain(1);
                Text::slice_of(owner, offset as usize + from, len)
            }
        }
    }

    /// A part of this text, found by `str`'s own methods, as a text of its own.
    #[inline]
    pub(in crate::text) fn part(&self, part: &str) -> Text {
        let from = (part.as_ptr() as usize).wrapping_sub(self.start() as usize);
        if from > self.len() || part.len() > self.len() - from {
            // Not ours: a default value such as `""`.
            return Text::copy_of(part);
        }
        // SAFETY: checked above that `part` lies inside this text; being a `str`, it begins and ends at characters.
        unsafe { self.cut(from, from + part.len()) }
    }

    /// Whether the memory behind the text holds nothing but the text.
    pub(in crate::text) fn is_detached(&self) -> bool {
        if self.is_inline() {
            return true;
        }
        // SAFETY: not inline.
        let owner = unsafe { self.shared() }.owner;
        owner.capacity() == self.len() && !owner.is_pooled()
    }
}
