//! Dropping many texts: neighbours are lines of one block, whose count changes once for all of them. Counting down line
//! by line takes longer than finding a word in it.

use super::Text;
use super::memory::Owner;

/// References to one block that are still to be given back.
struct Run(Option<(Owner, usize)>);

impl Run {
    /// # Safety
    /// The caller holds a reference to `owner` and does not use it again.
    #[inline(always)]
    unsafe fn add(&mut self, owner: Owner) {
        match &mut self.0 {
            Some((known, count)) if *known == owner => *count += 1,
            _ => {
                self.end();
                self.0 = Some((owner, 1));
            }
        }
    }
    fn end(&mut self) {
        if let Some((owner, count)) = self.0.take() {
            // SAFETY: `add` took over as many references.
            unsafe { owner.release(count) }
        }
    }
}

impl Text {
    /// `Vec::truncate`.
    pub(crate) fn truncate(texts: &mut Vec<Text>, len: usize) {
        let mut run = Run(None);
        for text in texts.drain(len.min(texts.len())..) {
            if !text.is_inline() {
                // SAFETY: not inline. The reference of `text` passes to the run, and `text` is forgotten.
                unsafe { run.add(text.shared().owner) }
            }
            std::mem::forget(text);
        }
        run.end();
    }
}
