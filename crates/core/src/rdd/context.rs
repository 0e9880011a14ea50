//! [`RddContext`]: what datasets are made from and computed with; Spark's `SparkContext`.

use super::{Shuffle, StateLimits, StateStatus};
use crate::accumulator::AccumulatorRegistry;
use crate::block_store::{BlockStore, BlockStoreLimits, BlockStoreStatus};
use crate::dead_letters::{DeadLetter, DeadLetterLimits, DeadLetterStore, MemoryDeadLetters};
use crate::engine::Engine;
use crate::env::Env;
use crate::hash::HashSeed;
use crate::item::{ItemId, ItemScope};
use crate::partitioner::{HashPartitioner, KeyPartitioner, Partitioning};
use crate::state::{StateMemory, StateStore};
use crate::text::BlockPool;
use crate::transport::{Role, Transport};
use rapidhash::fast::RapidHashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

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
    /// To the other processes of the application, if there are any.
    transport: Option<Arc<dyn Transport>>,
    env: Env,
    seed: HashSeed,
    blocks: BlockPool,
    block_store: Arc<BlockStore>,
    state_memory: Arc<StateMemory>,
    /// Where the changes of states go that outlive the process.
    state_store: OnceLock<Arc<dyn StateStore>>,
    /// Where records go that were set aside, if they outlive the process.
    dead_letter_store: OnceLock<Arc<dyn DeadLetterStore>>,
    /// Where they go if they do not.
    dead_letters: MemoryDeadLetters,
    default_parallelism: usize,
    accumulators: AccumulatorRegistry,
    items: Items,
}

/// What names the items of an application of several processes.
#[derive(Default)]
struct Items {
    /// Items that the program made so far while it was built.
    built: AtomicU64,
    /// Whether the program is built.
    complete: AtomicBool,
    /// On a worker, the shuffles that exist. Those that are gone are swept out as the map grows.
    shuffles: Mutex<RapidHashMap<ItemId, Weak<dyn Shuffle>>>,
}

impl RddContext {
    /// A context over `engine`. All processes of one application must use the same `seed`.
    pub fn new(engine: Arc<dyn Engine>, env: Env, seed: HashSeed) -> RddContext {
        let partitions = engine.default_parallelism();
        let (blocks, state, letters) = Default::default();
        RddContext::with_limits(engine, env, seed, partitions, blocks, state, letters)
    }
    /// As [`RddContext::new`], for `partitions` (at least 1) in an operation that shuffles unless it is told otherwise,
    /// and with limits for what persisted datasets, keyed state, and records that were set aside, take.
    pub fn with_limits(
        engine: Arc<dyn Engine>,
        env: Env,
        seed: HashSeed,
        partitions: usize,
        limits: BlockStoreLimits,
        state_limits: StateLimits,
        letter_limits: DeadLetterLimits,
    ) -> RddContext {
        let blocks = BlockPool::new(BLOCK_BYTES, IDLE_BLOCKS_MAX);
        let block_store = Arc::new(BlockStore::new(limits, env.files.clone(), env.console.clone()));
        let state_memory = Arc::new(StateMemory::new(state_limits, env.spill.clone()));
        let (transport, default_parallelism) = (engine.transport(), partitions.max(1));
        let dead_letters = MemoryDeadLetters::new(letter_limits, env.console.clone());
        let (accumulators, items, state_store, dead_letter_store) = Default::default();
        RddContext(Arc::new(Inner {
            engine,
            transport,
            env,
            seed,
            blocks,
            block_store,
            state_memory,
            state_store,
            dead_letter_store,
            dead_letters,
            default_parallelism,
            accumulators,
            items,
        }))
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
    /// What an operation by key is spread by unless told otherwise: as its parent with the most partitions is, or else
    /// by hash over [`RddContext::default_parallelism`]. Source: Spark's `Partitioner.defaultPartitioner`.
    pub(crate) fn default_partitioner<K: 'static>(
        &self,
        parents: impl IntoIterator<Item = Option<Partitioning>>,
    ) -> KeyPartitioner<K> {
        let largest = parents
            .into_iter()
            .flatten()
            .reduce(|left, right| if right.num_partitions() > left.num_partitions() { right } else { left });
        let by_hash = || Partitioning::of_hash(self.hash_partitioner(self.default_parallelism()));
        let known = largest.as_ref().and_then(Partitioning::typed);
        known.unwrap_or_else(|| by_hash().typed().expect("the hash takes every key"))
    }
    /// Virtual shards that the keys of a state are dealt out by.
    pub(crate) fn state_shards(&self) -> usize {
        self.state_limits().shards.max(1)
    }
    /// Whether it is the same context.
    pub(crate) fn is(&self, other: &RddContext) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    pub(crate) fn seed(&self) -> HashSeed {
        self.0.seed
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
    /// How much memory keyed state may take, and where the rest of it goes.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.state_limits().memory_bytes, 1 << 30);
    /// ```
    pub fn state_limits(&self) -> &StateLimits {
        self.0.state_memory.limits()
    }
    /// How much keyed state takes now, in memory and on disk: divided by its keys, what a key costs.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// assert_eq!(context.state_status().keys, 0);
    /// ```
    pub fn state_status(&self) -> StateStatus {
        self.0.state_memory.status()
    }
    /// From here on the changes of keyed state go to `store`: before the first batch, and once.
    ///
    /// ```
    /// use headwater::state::{StateChange, StateStore};
    /// struct Nowhere;
    /// impl StateStore for Nowhere {
    ///     fn put(&self, _changes: Vec<StateChange>) {}
    /// }
    /// headwater::testkit::context().keep_state_in(std::sync::Arc::new(Nowhere));
    /// ```
    pub fn keep_state_in(&self, store: Arc<dyn StateStore>) {
        let fresh = self.0.state_store.set(store);
        assert!(fresh.is_ok(), "a context has one store of states");
    }
    pub(crate) fn state_store(&self) -> Option<&Arc<dyn StateStore>> {
        self.0.state_store.get()
    }
    /// From here on records that are set aside go to `store`: before the first batch, and once.
    pub fn keep_dead_letters_in(&self, store: Arc<dyn DeadLetterStore>) {
        let fresh = self.0.dead_letter_store.set(store);
        assert!(fresh.is_ok(), "a context has one store of dead letters");
    }
    /// Where records go that are set aside.
    pub(crate) fn dead_letters(&self) -> &dyn DeadLetterStore {
        self.0.dead_letter_store.get().map_or(&self.0.dead_letters, |store| &**store)
    }
    /// What was set aside and is kept in memory, since there is no checkpoint folder; oldest first.
    pub fn dead_letters_in_memory(&self) -> Vec<DeadLetter> {
        self.0.dead_letters.letters()
    }
    pub(crate) fn state_memory(&self) -> &Arc<StateMemory> {
        &self.0.state_memory
    }

    /// The connection to the other processes, if there are any.
    pub(crate) fn transport(&self) -> Option<&Arc<dyn Transport>> {
        self.0.transport.as_ref()
    }
    /// That connection, if this process is for `role`.
    pub(crate) fn transport_as(&self, role: Role) -> Option<&Arc<dyn Transport>> {
        self.transport().filter(|transport| transport.role() == role)
    }
    /// The accumulators of this process.
    pub fn accumulators(&self) -> &AccumulatorRegistry {
        &self.0.accumulators
    }

    /// The program is built: what is made from here on belongs to a batch, or to this process alone. At the latest when
    /// the context starts.
    pub fn program_is_built(&self) {
        self.0.items.complete.store(true, Ordering::Relaxed);
    }
    /// The name of what is made now.
    pub(crate) fn next_item(&self) -> ItemId {
        let items = &self.0.items;
        if self.0.transport.is_none() || ItemId::is_private() {
            return ItemId::of_process();
        }
        let of_program = || {
            let building = !items.complete.load(Ordering::Relaxed);
            let next = || ItemId { scope: ItemScope::Program, number: items.built.fetch_add(1, Ordering::Relaxed) };
            building.then(next)
        };
        ItemId::of_batch().or_else(of_program).unwrap_or_else(ItemId::of_process)
    }

    /// On a worker, lets the engine find `shuffle` by its name.
    pub(crate) fn register_shuffle(&self, shuffle: &Arc<impl Shuffle + 'static>) {
        if self.transport_as(Role::Worker).is_some() {
            let weak: Weak<dyn Shuffle> = Arc::downgrade(shuffle) as _;
            let mut shuffles = self.shuffles();
            if shuffles.len() == shuffles.capacity() {
                shuffles.retain(|_, shuffle| shuffle.strong_count() > 0);
            }
            shuffles.insert(shuffle.id(), weak);
        }
    }
    /// On a worker, the shuffle of that name, if the program has made it.
    pub fn shuffle(&self, id: ItemId) -> Option<Arc<dyn Shuffle>> {
        self.shuffles().get(&id)?.upgrade()
    }
    fn shuffles(&self) -> MutexGuard<'_, RapidHashMap<ItemId, Weak<dyn Shuffle>>> {
        self.0.items.shuffles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
