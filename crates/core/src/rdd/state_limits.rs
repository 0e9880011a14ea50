//! [`StateLimits`]: how much memory the keyed state of a context takes before it spills, and how finely it is cut.

/// How much memory keyed state may take, and where what is above goes. Each partition of each operator with state has
/// the same share. What does not fit into it, of `map_with_state` and `update_state_by_key`, goes to disk behind a batch,
/// what was used longest ago first, and comes back when a batch has records for it or it is due; results are the same.
/// What one batch touches is in memory until the next has ended, limit or not, and so are windows by key. Where the state
/// is with other processes, as on the isolated engine, nothing spills.
///
/// ```
/// use headwater::rdd::StateLimits;
/// let limits = StateLimits { memory_bytes: 64 << 20, ..StateLimits::default() };
/// assert_eq!(limits.local_dir, None);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateLimits {
    /// Bytes of memory, over all operators of the context, by estimate; default 1 GiB. What is above goes to tables of
    /// the environment's [`SpillSpace`](crate::env::SpillSpace).
    pub memory_bytes: u64,
    /// Below which folder those are; default: where the system keeps temporary files.
    pub local_dir: Option<String>,
    /// Virtual shards of each operator's state, at least 1; default 256. A key belongs to one of them by its hash, and a
    /// partition has whole shards, so an operator with more partitions than that has a shard for each.
    pub shards: usize,
}
impl Default for StateLimits {
    fn default() -> Self {
        StateLimits { memory_bytes: 1 << 30, local_dir: None, shards: 256 }
    }
}
