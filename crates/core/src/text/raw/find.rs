//! Whether a text holds a string: the first and the last byte of it are compared 64 places at a time, so that a search
//! needs no preparation. A record is short, and `str`'s own search prepares for a long one each time.

use super::Text;
use super::mask::{Exactly, wanted_mask};

/// Longer strings are left to `str`: comparing them at every candidate could take their length times the text's.
const WANTED_MAX: usize = 32;

impl Text {
    /// Whether `wanted` occurs.
    #[inline]
    pub(in crate::text) fn contains_str(&self, wanted: &str) -> bool {
        if wanted.len() > WANTED_MAX {
            return self.as_str().contains(wanted);
        }
        self.contains_bytes(wanted.as_bytes())
    }

    #[inline]
    fn contains_bytes(&self, wanted: &[u8]) -> bool {
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return true };
        if self.is_inline() {
            return self.as_bytes().windows(wanted.len()).any(|part| part == wanted);
        }
        let Some(places) = (self.len() + 1).checked_sub(wanted.len()) else { return false };
        let (first, last) = (Exactly(*first), Exactly(*last));
        let mut window = 0;
        while window < places {
            // SAFETY: the window begins at a place where the whole of `wanted` fits into the text, so that its last
            // byte there lies inside the text too, and 64 bytes of padding follow every block.
            let mut candidates = unsafe {
                let start = self.start().add(window);
                wanted_mask::<4>(start, first) & wanted_mask::<4>(start.add(wanted.len() - 1), last)
            };
            while candidates != 0 {
                let at = window + candidates.trailing_zeros() as usize;
                if at >= places {
                    return false;
                }
                if &self.as_bytes()[at..at + wanted.len()] == wanted {
                    return true;
                }
                candidates &= candidates - 1;
            }
            window += 64;
        }
        false
    }
}
