//! [`HashPartitioner`]: which partition a key belongs to.

use crate::hash::{HashSeed, hash_of, partition_of};
use std::hash::Hash;

/// Spreads keys evenly over a number of partitions by their seeded hash. Equal partitioners put equal keys into
/// equal partitions, in every process of the application; an RDD that already has the wanted one is not shuffled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HashPartitioner {
    partitions: usize,
    seed: HashSeed,
}

impl HashPartitioner {
    /// `partitions` is at least 1.
    pub(crate) fn new(partitions: usize, seed: HashSeed) -> HashPartitioner {
        assert!(partitions > 0, "the callers check the number of partitions");
        HashPartitioner { partitions, seed }
    }
    /// How many partitions there are.
    pub fn num_partitions(&self) -> usize {
        self.partitions
    }
    /// The partition of `key`, below [`HashPartitioner::num_partitions`].
    pub fn partition<K: Hash + ?Sized>(&self, key: &K) -> usize {
        self.of_hash(self.hash(key))
    }
    #[inline(always)]
    pub(crate) fn hash<K: Hash + ?Sized>(&self, key: &K) -> u64 {
        hash_of(self.seed, key)
    }
    #[inline(always)]
    pub(crate) fn of_hash(&self, hash: u64) -> usize {
        partition_of(hash, self.partitions)
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.seed
    }
}
