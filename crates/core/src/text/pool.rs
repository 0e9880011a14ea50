//! Where the memory of blocks waits for its next use. A batch that fills warm memory costs a tenth of one that
//! faults in fresh pages.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::BlockBuilder;
use super::raw::{MAX_BYTES, Memory};

/// Hands out [`BlockBuilder`]s of one size and takes the memory of their blocks back when the last text is dropped.
///
/// A pool is a handle: clones share the same memory, from any thread. When the last handle is dropped, idle memory is
/// freed; blocks that are still in use are freed when they end.
///
/// ```
/// use headwater_core::text::BlockPool;
///
/// let pool = BlockPool::new(4096, 2);
/// let mut builder = pool.take();
/// builder.extend_from_slice(b"a line");
/// let block = builder.freeze().expect("the bytes are UTF-8");
/// assert_eq!(pool.idle(), 0);
/// drop(block);
/// assert_eq!(pool.idle(), 1);
/// ```
#[derive(Clone)]
pub struct BlockPool {
    shelf: Arc<Shelf>,
    block_bytes: usize,
}

/// What the handles of a pool and the blocks on their way back share.
pub(in crate::text) struct Shelf {
    /// Memory without references; never more than `idle_max`.
    idle: Mutex<Vec<Memory>>,
    idle_max: usize,
}

impl Shelf {
    /// Keeps the memory for the next block, or frees it if enough is idle.
    pub(in crate::text) fn put_back(&self, memory: Memory) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.idle_max {
            idle.push(memory);
        } else {
            drop(idle); // freeing can take long, so not under the lock
            drop(memory);
        }
    }
}

impl BlockPool {
    /// A pool of blocks of `block_bytes` bytes, which is set to at least 1 and less than 2 GiB. It keeps the memory of
    /// at most `idle_max` blocks that are not in use.
    pub fn new(block_bytes: usize, idle_max: usize) -> BlockPool {
        let shelf = Shelf { idle: Mutex::new(Vec::new()), idle_max };
        BlockPool { shelf: Arc::new(shelf), block_bytes: block_bytes.clamp(1, MAX_BYTES) }
    }

    /// An empty builder, in idle memory if there is any.
    pub fn take(&self) -> BlockBuilder {
        let idle = self.shelf.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        BlockBuilder::new(idle.unwrap_or_else(|| Memory::zeroed(self.block_bytes, Arc::downgrade(&self.shelf))))
    }

    /// The capacity of each block in bytes.
    pub fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    /// How many blocks' memory waits for its next use.
    pub fn idle(&self) -> usize {
        self.shelf.idle.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

impl fmt::Debug for BlockPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockPool").field("block_bytes", &self.block_bytes).field("idle", &self.idle()).finish()
    }
}
