//! [`RddContext`]: what datasets are made from and computed with; Spark's `SparkContext`.

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
    default_parallelism: usize,
}

impl RddContext {
    /// A context over `engine`. All processes of one application must use the same `seed`.
    pub fn new(engine: Arc<dyn Engine>, env: Env, seed: HashSeed) -> RddContext {
        let partitions = engine.default_parallelism();
        RddContext::with_default_parallelism(engine, env, seed, partitions)
    }
    /// As [`RddContext::new`], for `partitions` (at least 1) in an operation that shuffles unless it is told otherwise.
    pub fn with_default_parallelism(
        engine: Arc<dyn Engine>,
        env: Env,
        seed: HashSeed,
        partitions: usize,
    ) -> RddContext {
        let blocks = BlockPool::new(BLOCK_BYTES, IDLE_BLOCKS_MAX);
        RddContext(Arc::new(Inner { engine, env, seed, blocks, default_parallelism: partitions.max(1) }))
    }
    /// How many partitions an operation that shuffles makes unless told otherwise: `Conf::default_parallelism`, or else
    /// as many as the engine has task threads. Source: `spark.default.parallelism`.
    pub fn default_parallelism(&self) -> usize {
        self.0.default_parallelism
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
}
