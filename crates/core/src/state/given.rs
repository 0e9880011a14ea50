//! [`Given`]: which changes of the running batch were written when they were made.

/// The first changes of a batch, as far as each was written when it was made.
#[derive(Default)]
pub(super) struct Given {
    /// How many changes.
    pub(super) changes: usize,
    /// Their slots.
    pub(super) slots: Slots,
    /// Those that were changed once more, and not written again.
    pub(super) again: Slots,
    /// Changes that were the first of their slots, less those that came behind a first one and were written too.
    credit: usize,
}
impl Given {
    /// One more change, of `slot`; whether it is to be written now. A slot that is changed again is, too, as long as no more
    /// is written twice than once: so a few such slots cost no look behind the batch, and many changes of one slot no bytes.
    #[inline(always)]
    pub(super) fn add(&mut self, slot: u32) -> bool {
        self.changes += 1;
        if self.slots.insert(slot) {
            self.credit += 1;
            return true;
        }
        let is_written = self.credit > 0;
        if is_written {
            self.credit -= 1;
        } else {
            self.again.insert(slot);
        }
        is_written
    }
}

/// A set of slots.
#[derive(Default)]
pub(super) struct Slots(Vec<u64>);
impl Slots {
    /// Whether it is new.
    #[inline(always)]
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        let (at, bit) = (slot as usize / 64, 1 << (slot % 64));
        if self.0.len() <= at {
            self.0.resize(2 * at + 1, 0);
        }
        let word = &mut self.0[at];
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
    pub(super) fn has(&self, slot: u32) -> bool {
        self.0.get(slot as usize / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }
    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let words = (0..).zip(&self.0).filter(|(_, word)| **word != 0);
        words.flat_map(|(at, word)| (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| 64 * at + bit))
    }
}
