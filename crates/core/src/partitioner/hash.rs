//! [`HashPartitioner`]: keys by their seeded hash; what operations by key use unless told otherwise.

use super::Partitioner;
use crate::hash::{HashSeed, hash_of, partition_of};
use std::hash::Hash;

/// Spreads keys evenly over a number of partitions by their seeded hash. Equal partitioners put equal keys into
/// equal partitions, in every process of the application. Made by
/// [`RddContext::hash_partitioner`](crate::RddContext::hash_partitioner).
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
        partition_of(hash_of(self.seed, key), self.partitions)
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.seed
    }
}

impl<K: Hash> Partitioner<K> for HashPartitioner {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn partition(&self, key: &K) -> usize {
        HashPartitioner::partition(self, key)
    }
}
