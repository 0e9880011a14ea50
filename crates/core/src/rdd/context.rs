//! [`RddContext`]: what datasets are made from and computed with; Spark's `SparkContext`.

use crate::block_store::{BlockStore, BlockStoreLimits, BlockStoreStatus};
use crate::engine::Engine;
use crate::env::Env;
use crate::hash::HashSeed;
use crate::partitioner::HashPartitioner;
use crate::text::BlockPool;
use std::sync::Arc;

/// Bytes of a text block: the unit in which text is received and read, and about the work of one task.
pub const BLOCK_BYTES: usize = 8 << 20;
/// Free blocks that are kept for reuse; more are given back to the system.
const IDLE_BLOCKS_MAX: usize = 16;

/// Makes datasets (`parallelize`, `text_file`, `union`, ...) and owns what computes them: the engine, the environment
/// and the application's hash seed. A cheap handle; one application has one.
#[derive(Clone)]
pub struct RddContext(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    env: Env,
    seed: HashSeed,
    blocks: BlockPool,
    block_store: Arc<BlockStore>,
}

impl RddContext {
    /// A context over `engine`. All processes of one application must use the same `seed`.
    pub fn new(engine: Arc<dyn Engine>, env: Env, seed: HashSeed) -> RddContext {
        RddContext::with_limits(engine, env, seed, BlockStoreLimits::default())
    }
    /// As [`RddContext::new`], with limits for what persisted datasets take.
    pub fn with_limits(engine: Arc<dyn Engine>, env: Env, seed: HashSeed, limits: BlockStoreLimits) -> RddContext {
        let blocks = BlockPool::new(BLOCK_BYTES, IDLE_BLOCKS_MAX);
        let block_store = Arc::new(BlockStore::new(limits, env.files.clone(), env.console.clone()));
        RddContext(Arc::new(Inner { engine, env, seed, blocks, block_store }))
    }
    /// How many partitions an operation that shuffles makes unless told otherwise: the engine's task threads.
    pub fn default_parallelism(&self) -> usize {
        self.0.engine.default_parallelism()
    }
    /// The partitioner that spreads keys over `partitions` (at least 1) with the application's seed.
    pub fn hash_partitioner(&self, partitions: usize) -> HashPartitioner {
        HashPartitioner::new(partitions.max(1), self.0.seed)
    }
    /// What computes the jobs.
    pub fn engine(&self) -> &dyn Engine {
        &*self.0.engine
    }
    /// Clock, disk, network and the rest.
    pub fn env(&self) -> &Env {
        &self.0.env
    }
    /// The pool that text blocks are taken from.
    pub fn blocks(&self) -> &BlockPool {
        &self.0.blocks
    }
    /// How much persisted datasets take now.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let numbers = context.parallelize(vec![1u64; 1000], 4).cache();
    /// numbers.count()?;
    /// let status = context.block_store_status();
    /// assert_eq!((status.datasets, status.blocks_in_memory, status.memory_bytes), (1, 4, 8000));
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn block_store_status(&self) -> BlockStoreStatus {
        self.0.block_store.status()
    }
    pub(crate) fn block_store(&self) -> &Arc<BlockStore> {
        &self.0.block_store
    }
}
