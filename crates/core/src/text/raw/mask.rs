//! Which of 16 or 64 bytes are wanted, one bit each: the comparison under every split of a line.

/// A set of bytes that a split looks for.
pub(in crate::text) trait Wanted: Copy {
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn contains(self, byte: u8) -> bool;

    /// 0xFF for each wanted byte, 0 for the others.
    #[cfg(target_arch = "x86_64")]
    fn compare(self, bytes: std::arch::x86_64::__m128i) -> std::arch::x86_64::__m128i;
}

/// Exactly this byte.
#[derive(Clone, Copy)]
pub(in crate::text) struct Exactly(pub(in crate::text) u8);

impl Wanted for Exactly {
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn contains(self, byte: u8) -> bool {
        byte == self.0
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn compare(self, bytes: std::arch::x86_64::__m128i) -> std::arch::x86_64::__m128i {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_set1_epi8};
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { _mm_cmpeq_epi8(bytes, _mm_set1_epi8(self.0 as i8)) }
    }
}

/// The white space of `u8::is_ascii_whitespace`.
#[derive(Clone, Copy)]
pub(in crate::text) struct AsciiWhitespace;

impl Wanted for AsciiWhitespace {
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn contains(self, byte: u8) -> bool {
        byte.is_ascii_whitespace()
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn compare(self, bytes: std::arch::x86_64::__m128i) -> std::arch::x86_64::__m128i {
        use std::arch::x86_64::{_mm_andnot_si128, _mm_cmpeq_epi8, _mm_set1_epi8};
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x0b)), Whitespace.compare(bytes)) }
    }
}

/// The ASCII bytes of `char::is_whitespace`: those of [`AsciiWhitespace`] and the vertical tab.
#[derive(Clone, Copy)]
pub(in crate::text) struct Whitespace;

impl Wanted for Whitespace {
    #[cfg(any(test, not(target_arch = "x86_64")))]
    fn contains(self, byte: u8) -> bool {
        byte.is_ascii_whitespace() || byte == 0x0b
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn compare(self, bytes: std::arch::x86_64::__m128i) -> std::arch::x86_64::__m128i {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_min_epu8, _mm_or_si128, _mm_set1_epi8, _mm_sub_epi8};
        // SAFETY: every x86-64 processor has SSE2.
        unsafe {
            // 9 to 13 are 0 to 4 above the tab, and all others wrap to more.
            let above_tab = _mm_sub_epi8(bytes, _mm_set1_epi8(9));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(above_tab, _mm_set1_epi8(4)), above_tab);
            _mm_or_si128(control, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b' ' as i8)))
        }
    }
}

/// The mask of `16 * BLOCKS` bytes, the first in bit 0.
///
/// # Safety
/// `16 * BLOCKS` bytes from `start` on are readable and initialised.
#[inline(always)]
pub(super) unsafe fn wanted_mask<const BLOCKS: usize>(start: *const u8, wanted: impl Wanted) -> u64 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_movemask_epi8};
        let mut mask = 0;
        for block in 0..BLOCKS {
            // SAFETY: the caller's, and every x86-64 processor has SSE2.
            let bits = unsafe {
                let bytes = _mm_loadu_si128(start.add(16 * block).cast::<__m128i>());
                _mm_movemask_epi8(wanted.compare(bytes))
            };
            mask |= u64::from(bits as u32) << (16 * block);
        }
        mask
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        // SAFETY: the caller's; bytes have no alignment.
        portable_mask(unsafe { &*start.cast::<[[u8; 16]; BLOCKS]>() }, wanted)
    }
}

/// The same without vector instructions.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn portable_mask<const BLOCKS: usize>(blocks: &[[u8; 16]; BLOCKS], wanted: impl Wanted) -> u64 {
    let bytes = blocks.as_flattened().iter().enumerate();
    bytes.fold(0, |mask, (at, byte)| mask | u64::from(wanted.contains(*byte)) << at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(blocks: &[[u8; 16]; 4], wanted: impl Wanted) {
        // SAFETY: the array has 64 bytes.
        let fast = unsafe { wanted_mask::<4>(blocks.as_flattened().as_ptr(), wanted) };
        assert_eq!(fast, portable_mask(blocks, wanted));
        // SAFETY: the array has 16 bytes.
        let short = unsafe { wanted_mask::<1>(blocks[1].as_ptr(), wanted) };
        assert_eq!(short, portable_mask(&[blocks[1]], wanted));
    }

    proptest! {
        #[test]
        fn both_ways_agree(blocks: [[u8; 16]; 4], byte: u8) {
            check(&blocks, Exactly(byte));
            check(&blocks, Exactly(blocks[1][7]));
        }
    }

    #[test]
    fn both_ways_agree_on_white_space() {
        for first in [0, 64, 128, 192u8] {
            let blocks: [[u8; 16]; 4] = std::array::from_fn(|b| std::array::from_fn(|at| first + (16 * b + at) as u8));
            check(&blocks, AsciiWhitespace);
            check(&blocks, Whitespace);
        }
    }
}
