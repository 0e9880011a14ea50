//! [`StorageLevel`]: where a persisted dataset keeps its partitions.

use std::fmt;

/// Where [`Rdd::persist`](crate::Rdd::persist) and [`DStream::persist`](crate::DStream::persist) keep computed
/// partitions: in memory as they are, in memory as bytes, on disk, or in memory as long as there is room and then on
/// disk. Source: Spark's `StorageLevel`.
///
/// Spark's levels with replicas (`_2`, `_3`) are absent: one process has nowhere to replicate to. So is `OFF_HEAP`:
/// there is no garbage-collected heap to keep off.
///
/// ```
/// use headwater::StorageLevel;
/// let level = StorageLevel::MEMORY_AND_DISK_SER;
/// assert!(level.use_memory() && level.use_disk() && !level.deserialized());
/// assert_eq!(level.to_string(), "MEMORY_AND_DISK_SER");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct StorageLevel {
    memory: bool,
    disk: bool,
    deserialized: bool,
}

impl StorageLevel {
    /// Nothing is kept; the default.
    pub const NONE: StorageLevel = StorageLevel::new(false, false, false);
    /// In files.
    pub const DISK_ONLY: StorageLevel = StorageLevel::new(false, true, false);
    /// Records as they are. What does not fit into the memory is computed again when it is needed.
    pub const MEMORY_ONLY: StorageLevel = StorageLevel::new(true, false, true);
    /// Records as bytes: smaller, and they keep no received text alive; reading costs more.
    pub const MEMORY_ONLY_SER: StorageLevel = StorageLevel::new(true, false, false);
    /// Records as they are; what does not fit into the memory goes to files.
    pub const MEMORY_AND_DISK: StorageLevel = StorageLevel::new(true, true, true);
    /// Records as bytes; what does not fit into the memory goes to files.
    pub const MEMORY_AND_DISK_SER: StorageLevel = StorageLevel::new(true, true, false);

    const fn new(memory: bool, disk: bool, deserialized: bool) -> StorageLevel {
        StorageLevel { memory, disk, deserialized }
    }
    /// Whether partitions are kept in memory.
    pub fn use_memory(self) -> bool {
        self.memory
    }
    /// Whether partitions are kept on disk, at least those for which there is no room in memory.
    pub fn use_disk(self) -> bool {
        self.disk
    }
    /// Whether partitions in memory are records and not bytes.
    pub fn deserialized(self) -> bool {
        self.deserialized
    }
}

impl fmt::Display for StorageLevel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match *self {
            StorageLevel::NONE => "NONE",
            StorageLevel::DISK_ONLY => "DISK_ONLY",
            StorageLevel::MEMORY_ONLY => "MEMORY_ONLY",
            StorageLevel::MEMORY_ONLY_SER => "MEMORY_ONLY_SER",
            StorageLevel::MEMORY_AND_DISK => "MEMORY_AND_DISK",
            _ => "MEMORY_AND_DISK_SER",
        })
    }
}
