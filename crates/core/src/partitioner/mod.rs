//! Which partition a key belongs to: the [`Partitioner`] trait, which users may implement, the default
//! [`HashPartitioner`], the [`RangePartitioner`] of sorting, and the forms in which an operation holds one.

mod choice;
mod hash;
mod key;
mod range;

pub use choice::PartitionChoice;
pub use hash::HashPartitioner;
pub(crate) use key::KeyPartitioner;
pub use key::Partitioning;
pub use range::RangePartitioner;

/// Decides which partition a key belongs to. Equal keys must get equal partitions, in every process of the
/// application, so a partitioner holds values and no shared memory. Equal partitioners (`PartialEq`) must agree on
/// every key: a dataset that is already spread by an equal one is not shuffled. Source: Spark's `Partitioner`.
///
/// ```
/// use headwater::{Partitioner, testkit};
///
/// /// Even numbers in partition 0, odd ones in partition 1.
/// #[derive(PartialEq)]
/// struct Parity;
/// impl Partitioner<u64> for Parity {
///     fn num_partitions(&self) -> usize { 2 }
///     fn partition(&self, key: &u64) -> usize { (key % 2) as usize }
/// }
///
/// let pairs = testkit::context().parallelize((0..6u64).map(|n| (n, 'x')).collect(), 3);
/// let placed = pairs.partition_by(Parity).map(|(n, _)| n).collect_partitions()?;
/// assert_eq!(placed, [[0, 2, 4], [1, 3, 5]]);
/// # Ok::<(), headwater::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which partition a `{K}` belongs to",
    note = "implement `Partitioner<{K}>` for it, or use `HashPartitioner`"
)]
pub trait Partitioner<K>: PartialEq + Send + Sync + 'static {
    /// How many partitions there are: at least 1.
    fn num_partitions(&self) -> usize;
    /// The partition of `key`, below [`Partitioner::num_partitions`]; any other fails the task.
    fn partition(&self, key: &K) -> usize;
}
