//! [`ReceivedBlockTracker`]: which received blocks belong to which batch.

use crate::time::Time;
use std::collections::BTreeMap;

/// The blocks of one receiver: those that no batch has yet, and those of each batch that is not done.
pub struct ReceivedBlockTracker<B> {
    unallocated: Vec<B>,
    allocated: BTreeMap<Time, Vec<B>>,
}

impl<B> Default for ReceivedBlockTracker<B> {
    fn default() -> Self {
        ReceivedBlockTracker { unallocated: Vec::new(), allocated: BTreeMap::new() }
    }
}

impl<B: Clone> ReceivedBlockTracker<B> {
    /// A receiver has stored `block`.
    pub fn add_block(&mut self, block: B) {
        self.unallocated.push(block);
    }
    /// Batch `time` takes all blocks that no batch has. A batch that has its blocks keeps them.
    pub fn allocate_blocks_to_batch(&mut self, time: Time) {
        let unallocated = &mut self.unallocated;
        self.allocated.entry(time).or_insert_with(|| std::mem::take(unallocated));
    }
    /// The blocks of batch `time`, in the order in which they were stored.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<B> {
        self.allocated.get(&time).cloned().unwrap_or_default()
    }
    /// Whether there are blocks that no batch has.
    pub fn has_unallocated_blocks(&self) -> bool {
        !self.unallocated.is_empty()
    }
    /// Batch `time` is done: returns its blocks, which nobody asks for again.
    pub fn forget_batch(&mut self, time: Time) -> Vec<B> {
        self.allocated.remove(&time).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_belongs_to_one_batch() {
        let (first, second) = (Time::from_millis(1000), Time::from_millis(2000));
        let mut tracker = ReceivedBlockTracker::default();
        tracker.add_block('a');
        tracker.allocate_blocks_to_batch(first);
        tracker.add_block('b');
        assert!(tracker.has_unallocated_blocks());
        tracker.allocate_blocks_to_batch(first);
        tracker.allocate_blocks_to_batch(second);
        assert_eq!(tracker.blocks_of_batch(first), ['a']);
        assert_eq!(tracker.blocks_of_batch(second), ['b']);
        assert_eq!(tracker.forget_batch(first), ['a']);
        assert_eq!(tracker.blocks_of_batch(first), []);
        assert_eq!(tracker.blocks_of_batch(second), ['b']);
    }
}
