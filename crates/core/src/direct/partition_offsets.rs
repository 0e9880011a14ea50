//! [`PartitionOffsets`]: what a source says of one of its partitions.

/// What a partition of a source holds at a moment: records with offsets from `oldest` to before `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionOffsets {
    /// The source's number of the partition; it never becomes another partition's.
    pub partition: u32,
    /// The smallest offset that can still be read. Where the partition is empty, it is `end`.
    pub oldest: u64,
    /// The offset that the next record will have at least.
    pub end: u64,
}
