//! [`PartitionChoice`]: what the user said, behind an operation that shuffles, about its partitions.

use super::{HashPartitioner, KeyPartitioner, Partitioning};
use crate::hash::HashSeed;

/// `.with_partitions(n)` or `.with_partitioner(p)`.
#[derive(Clone, Debug)]
pub enum PartitionChoice {
    /// So many partitions; keys are spread by their hash.
    Number(usize),
    /// As this partitioner does.
    By(Partitioning),
}

impl PartitionChoice {
    /// As a partitioner of keys of type `K`; a number means the hash with `seed`.
    pub(crate) fn typed<K: 'static>(&self, seed: HashSeed) -> Option<KeyPartitioner<K>> {
        match self {
            PartitionChoice::Number(partitions) => {
                Partitioning::of_hash(HashPartitioner::new(*partitions, seed)).typed()
            }
            PartitionChoice::By(partitioning) => partitioning.typed(),
        }
    }
    /// How many partitions it means.
    pub fn num_partitions(&self) -> usize {
        match self {
            PartitionChoice::Number(partitions) => *partitions,
            PartitionChoice::By(partitioning) => partitioning.num_partitions(),
        }
    }
}
