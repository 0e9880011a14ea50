//! [`ReceivedBlockTracker`]: which received blocks belong to which batch.

use crate::time::Time;
use std::collections::BTreeMap;

/// The blocks of one receiver: those that no batch has yet, and those of each batch that is not done. Batches take them in
/// the order of their times.
///
/// ```
/// use headwater::{receiver::ReceivedBlockTracker, time::Time};
/// let mut tracker = ReceivedBlockTracker::default();
/// tracker.restore_batch(Time::from_millis(1000), vec!['a']);
/// tracker.add_block('b');
/// tracker.allocate_blocks_to_batch(Time::from_millis(1000));
/// tracker.allocate_blocks_to_batch(Time::from_millis(2000));
/// assert_eq!(tracker.blocks_of_batch(Time::from_millis(1000)), ['a']);
/// assert_eq!(tracker.blocks_of_batch(Time::from_millis(2000)), ['b']);
/// assert_eq!(tracker.oldest(), Some(&'a'));
/// ```
pub struct ReceivedBlockTracker<B> {
    unallocated: Vec<B>,
    allocated: BTreeMap<Time, Vec<B>>,
    /// The newest batch that was given its blocks.
    newest: Option<Time>,
}

impl<B> Default for ReceivedBlockTracker<B> {
    fn default() -> Self {
        ReceivedBlockTracker { unallocated: Vec::new(), allocated: BTreeMap::new(), newest: None }
    }
}

impl<B: Clone> ReceivedBlockTracker<B> {
    /// A receiver has stored `block`.
    pub fn add_block(&mut self, block: B) {
        self.unallocated.push(block);
    }
    /// Batch `time` takes all blocks that no batch has. A batch that has its blocks keeps them, and one before the newest
    /// gets none: what it might have had is in later ones.
    pub fn allocate_blocks_to_batch(&mut self, time: Time) {
        let is_next = self.newest < Some(time);
        let unallocated = &mut self.unallocated;
        let take = || if is_next { std::mem::take(unallocated) } else { Vec::new() };
        self.allocated.entry(time).or_insert_with(take);
        self.newest = self.newest.max(Some(time));
    }
    /// Batch `time` has these blocks, as in an earlier process.
    pub fn restore_batch(&mut self, time: Time, blocks: Vec<B>) {
        self.allocated.insert(time, blocks);
        self.newest = self.newest.max(Some(time));
    }
    /// The blocks of batch `time`, in the order in which they were stored.
    pub fn blocks_of_batch(&self, time: Time) -> Vec<B> {
        self.allocated.get(&time).cloned().unwrap_or_default()
    }
    /// Whether batch `time` was given its blocks, and is not done.
    pub fn has_batch(&self, time: Time) -> bool {
        self.allocated.contains_key(&time)
    }
    /// The block that was stored first of all those that are here.
    pub fn oldest(&self) -> Option<&B> {
        self.allocated.values().flatten().chain(&self.unallocated).next()
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

    #[test]
    fn a_batch_before_the_newest_gets_nothing() {
        let [first, second, third] = [1000, 2000, 3000].map(Time::from_millis);
        let mut tracker = ReceivedBlockTracker::default();
        tracker.restore_batch(second, vec!['a']);
        tracker.add_block('b');
        tracker.allocate_blocks_to_batch(first);
        tracker.allocate_blocks_to_batch(second);
        assert_eq!(tracker.blocks_of_batch(first), []);
        assert!(tracker.has_batch(first) && !tracker.has_batch(third));
        assert_eq!(tracker.forget_batch(second), ['a']);
        assert_eq!(tracker.oldest(), Some(&'b'));
        tracker.allocate_blocks_to_batch(third);
        assert_eq!(tracker.blocks_of_batch(third), ['b']);
    }
}
