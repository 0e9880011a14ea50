//! The traits of a `Text` that count its references or look at its 16 bytes as two words.

use std::hash::{Hash, Hasher};

use super::Text;

impl Clone for Text {
    #[inline(always)]
    fn clone(&self) -> Text {
        if !self.is_inline() {
            // SAFETY: not inline. `self` holds a reference; the copy releases the added one.
            unsafe { self.shared().owner.retain(1) };
        }
        Text { bits: self.bits }
    }
}

impl Drop for Text {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.is_inline() {
            // SAFETY: not inline. This is the reference of `self`, which ends here.
            unsafe { self.shared().owner.release(1) }
        }
    }
}

impl PartialEq for Text {
    #[inline(always)]
    fn eq(&self, other: &Text) -> bool {
        // SAFETY: all 16 bytes are initialised in every variant.
        let (a, b) = unsafe { (self.bits.halves, other.bits.halves) };
        // A short text is always inline and filled up with zeros: equal bits mean equal text.
        (a[0] == b[0]) & (a[1] == b[1]) || !self.is_inline() && !other.is_inline() && self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl Hash for Text {
    /// Two words for an inline text. Equal texts are both inline or both shared, so they hash alike.
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.is_inline() {
            // SAFETY: all 16 bytes are initialised in every variant.
            let [low, high] = unsafe { self.bits.halves };
            state.write_u64(low);
            state.write_u64(high);
        } else {
            state.write(self.as_bytes());
        }
    }
}
