//! [`KeyPartitioner`]: the partitioner that an operation by key works with, and [`Partitioning`], the same without the
//! key's type, by which datasets are compared.

use super::{HashPartitioner, Partitioner};
use crate::hash::{HashSeed, hash_of, partition_of};
use std::any::{Any, type_name};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

/// By what the keys of a dataset are spread over its partitions. Two that are equal put equal keys into equal
/// partitions.
///
/// ```
/// # let context = headwater::testkit::context();
/// let pairs = context.parallelize(vec![(1, 'x'), (2, 'y')], 2);
/// assert!(pairs.partitioner().is_none());
/// let groups = pairs.group_by_key();
/// assert_eq!(groups.partitioner().unwrap().num_partitions(), groups.num_partitions());
/// assert_eq!(groups.map_values(|v| v.len()).partitioner(), groups.partitioner());
/// ```
#[derive(Clone)]
pub struct Partitioning {
    seed: HashSeed,
    partitions: usize,
    /// Keys are dealt out by whole virtual shards, so many; 0 where that makes no difference.
    shards: usize,
    /// A `Custom<K>`; none where the hash decides.
    custom: Option<Arc<dyn AnyCustom>>,
}

impl Partitioning {
    /// How many partitions there are.
    pub fn num_partitions(&self) -> usize {
        self.partitions
    }
    pub(crate) fn of_hash(partitioner: HashPartitioner) -> Partitioning {
        Partitioning { seed: partitioner.seed(), partitions: partitioner.num_partitions(), shards: 0, custom: None }
    }
    /// The same, but all keys of a virtual shard of `num_shards` are in one partition. Where the hash decides and the
    /// partitions divide the shards, they are anyway; where a partitioner of the user's does, it stays so.
    pub(crate) fn of_shards(self, num_shards: usize) -> Partitioning {
        let aligned = self.custom.is_some() || num_shards.is_multiple_of(self.partitions);
        Partitioning { shards: if aligned { 0 } else { num_shards }, ..self }
    }
    /// The partitioner `by` of keys of type `K`; its tables hash with `seed`.
    pub(crate) fn of<K: 'static, P: Partitioner<K>>(by: P, seed: HashSeed) -> Partitioning {
        let any: &dyn Any = &by;
        if let Some(hash) = any.downcast_ref::<HashPartitioner>() {
            return Partitioning::of_hash(*hash);
        }
        let partitions = by.num_partitions();
        Partitioning { seed, partitions, shards: 0, custom: Some(Arc::new(Custom::<K>(Arc::new(Typed(by))))) }
    }
    /// The partitioner itself, if it is a `P` of keys of type `K`, and not a [`HashPartitioner`].
    pub fn get<K: 'static, P: Partitioner<K>>(&self) -> Option<&P> {
        self.custom.as_ref()?.as_any().downcast_ref::<Custom<K>>()?.0.as_any().downcast_ref()
    }
    /// The same for keys of type `K`; none if it is a partitioner of other keys.
    pub(crate) fn typed<K: 'static>(&self) -> Option<KeyPartitioner<K>> {
        let custom = match &self.custom {
            Some(custom) => Some(custom.as_any().downcast_ref::<Custom<K>>()?.0.clone()),
            None => None,
        };
        Some(KeyPartitioner { custom, erased: self.clone() })
    }
}
impl From<HashPartitioner> for Partitioning {
    fn from(partitioner: HashPartitioner) -> Partitioning {
        Partitioning::of_hash(partitioner)
    }
}
impl PartialEq for Partitioning {
    fn eq(&self, other: &Partitioning) -> bool {
        let custom = match (&self.custom, &other.custom) {
            (None, None) => true,
            (Some(own), Some(others)) => own.equals(&**others),
            _ => false,
        };
        custom && self.partitions == other.partitions && self.shards == other.shards && self.seed == other.seed
    }
}
impl fmt::Debug for Partitioning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let name = self.custom.as_ref().map_or("HashPartitioner", |custom| custom.name());
        write!(f, "{name}({})", self.partitions)
    }
}

/// The partitioner of an operation by key, and the seed of its tables.
pub(crate) struct KeyPartitioner<K> {
    custom: Option<Arc<dyn CustomPartitioner<K>>>,
    erased: Partitioning,
}
impl<K> Clone for KeyPartitioner<K> {
    fn clone(&self) -> Self {
        KeyPartitioner { custom: self.custom.clone(), erased: self.erased.clone() }
    }
}

impl<K: Hash> KeyPartitioner<K> {
    pub(crate) fn num_partitions(&self) -> usize {
        self.erased.partitions
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.erased.seed
    }
    pub(crate) fn erased(&self) -> &Partitioning {
        &self.erased
    }
    pub(crate) fn partition(&self, key: &K) -> usize {
        self.part(hash_of(self.erased.seed, key), key, 1)
    }
    /// Where a key belongs when each partition is cut into `parts` by further bits of the hash:
    /// `partition * parts + part`.
    #[inline(always)]
    pub(crate) fn part(&self, hash: u64, key: &K, parts: usize) -> usize {
        match &self.custom {
            None if self.erased.shards == 0 => partition_of(hash, self.erased.partitions * parts),
            None => self.of_shard(hash) * parts + partition_of(hash.rotate_left(24), parts),
            Some(custom) => custom.partition(key) * parts + partition_of(hash, parts),
        }
    }
    fn of_shard(&self, hash: u64) -> usize {
        let shards = self.erased.shards;
        partition_of(hash, shards) * self.erased.partitions / shards
    }
    /// The part within `partition`, to which the key belongs.
    #[inline(always)]
    pub(crate) fn part_within(&self, hash: u64, partition: usize, parts: usize) -> usize {
        match &self.custom {
            None if self.erased.shards == 0 => partition_of(hash, self.erased.partitions * parts) - partition * parts,
            None => partition_of(hash.rotate_left(24), parts),
            Some(_) => partition_of(hash, parts),
        }
    }
}

/// A user's partitioner without its own type.
trait CustomPartitioner<K>: Send + Sync {
    fn partition(&self, key: &K) -> usize;
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Any) -> bool;
    fn name(&self) -> &'static str;
}
struct Typed<P>(P);
impl<K, P: Partitioner<K>> CustomPartitioner<K> for Typed<P> {
    fn partition(&self, key: &K) -> usize {
        let (partition, partitions) = (self.0.partition(key), self.0.num_partitions());
        assert!(
            partition < partitions,
            "{} puts a key into partition {partition}, but has only {partitions} partitions, counted from 0",
            self.name_of::<K>()
        );
        partition
    }
    fn as_any(&self) -> &dyn Any {
        &self.0
    }
    fn equals(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<P>().is_some_and(|other| self.0 == *other)
    }
    fn name(&self) -> &'static str {
        type_name::<P>()
    }
}
impl<P> Typed<P> {
    fn name_of<K>(&self) -> &'static str
    where
        P: Partitioner<K>,
    {
        CustomPartitioner::<K>::name(self)
    }
}

/// The same without the key's type.
trait AnyCustom: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn equals(&self, other: &dyn AnyCustom) -> bool;
    fn name(&self) -> &'static str;
}
struct Custom<K>(Arc<dyn CustomPartitioner<K>>);
impl<K: 'static> AnyCustom for Custom<K> {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn equals(&self, other: &dyn AnyCustom) -> bool {
        let other = other.as_any().downcast_ref::<Custom<K>>();
        other.is_some_and(|other| self.0.equals(other.0.as_any()))
    }
    fn name(&self) -> &'static str {
        self.0.name()
    }
}
