//! [`Rdd`]: a cheap handle to an immutable, partitioned, lazily computed dataset; what a batch is. One type
//! parameter: what an operation is made of is known inside its [`node`](crate::rdd::Node) and erased behind it.

mod actions;
mod aggregate;
mod aggregate_by_key;
pub mod aggregator;
mod binary_records;
mod broken;
mod cartesian;
mod checkpoint;
mod coalesce;
mod cogroup;
mod cogroup_many;
mod combine_by_key;
pub mod combine_table;
mod context;
mod count_approx;
mod count_approx_distinct;
mod counting;
mod distinct;
mod exchange;
mod filter;
mod flat_map;
mod fold_partitions;
mod for_each;
mod for_each_partition;
mod found_shuffles;
mod glom;
mod histogram;
mod holding;
mod in_place;
mod input_files;
mod job;
mod join;
mod key_by;
mod link;
mod local_iterator;
mod lookup;
mod map;
mod map_partitions;
mod map_values;
mod node;
mod object_file;
mod on_driver;
mod ordered;
mod parallelize;
mod persist;
mod prepared_aside;
mod random;
mod range;
mod record_blocks;
mod retain;
mod run_job;
mod sample;
mod save;
mod save_as_text_file;
mod scatter;
mod set_aside;
mod shuffle;
mod sort;
mod state_limits;
mod state_status;
mod stats;
mod take_sample;
mod task;
mod text_blocks;
mod text_file;
mod try_map;
mod union;
mod whole_text_files;
mod zip;
mod zip_with_index;

pub use crate::block_store::{BlockStoreLimits, BlockStoreStatus};
pub use context::{BLOCK_BYTES, RddContext};
pub use count_approx::BoundedDouble;
pub(crate) use fold_partitions::reducing;
pub use found_shuffles::FoundShuffles;
pub(crate) use found_shuffles::Visits;
pub use local_iterator::LocalIterator;
pub use map_partitions::PartitionRecords;
pub(crate) use node::push_all;
pub use node::{CHUNK, Node, Outcome, Sink, Stop, Storage};
pub use record_blocks::record_blocks;
pub(crate) use save::Target;
pub(crate) use set_aside::Aside;
pub use shuffle::Shuffle;
pub use state_limits::StateLimits;
pub use state_status::StateStatus;
pub use stats::{Number, StatCounter};
pub use task::{Task, TaskContext};
pub use text_blocks::text_blocks;

use crate::origin::OperatorId;
use crate::partitioner::{PartitionChoice, Partitioner, Partitioning};
use crate::time::Time;
use crate::{Error, Key, Record};
use node::Narrow;
use std::sync::Arc;

/// Partitions that a dataset may have at most: a shuffle has a bucket for each, in every map task.
pub const PARTITIONS_MAX: usize = 1 << 20;

/// An immutable, partitioned dataset: a recipe, computed when an action asks for it.
///
/// Operations (`map`, `filter`, `reduce_by_key`, ...) return a new `Rdd` and compute nothing; actions (`collect`,
/// `count`, `take`, ...) run a job on the context's engine. A failed task is tried again, so closures must give the
/// same result for the same record. Source: Spark's `RDD`.
pub struct Rdd<T> {
    node: Arc<dyn Node<T>>,
    context: RddContext,
    /// The operator whose RDD of a batch this is: by that name, other processes have it too.
    made_by: Option<(OperatorId, Time)>,
}

impl<T> Clone for Rdd<T> {
    fn clone(&self) -> Self {
        Rdd { node: self.node.clone(), context: self.context.clone(), made_by: self.made_by }
    }
}

impl<T: Record> Rdd<T> {
    /// The dataset that `node` computes; for sources outside this crate.
    pub fn from_node(context: &RddContext, node: impl Node<T> + 'static) -> Rdd<T> {
        Rdd::of_node(context, link::linked(node))
    }
    fn of_node(context: &RddContext, node: Arc<dyn Node<T>>) -> Rdd<T> {
        Rdd { node, context: context.clone(), made_by: None }
    }
    /// The same dataset, as the RDD of `operator` for the batch `time`; if it is another operator's already, it stays so.
    pub(crate) fn made_by(self, operator: OperatorId, time: Time) -> Rdd<T> {
        Rdd { made_by: self.made_by.or(Some((operator, time))), ..self }
    }
    /// How many partitions there are; each is one task.
    pub fn num_partitions(&self) -> usize {
        self.node.num_partitions()
    }
    pub(crate) fn node(&self) -> &Arc<dyn Node<T>> {
        &self.node
    }
    /// By what the keys are spread over the partitions, if by anything.
    pub fn partitioner(&self) -> Option<Partitioning> {
        self.node.partitioner()
    }
    /// The context whose engine computes this.
    pub fn context(&self) -> &RddContext {
        &self.context
    }

    /// The same operation with another number of partitions. Stands right behind an operation that shuffles
    /// (`reduce_by_key`, `group_by_key`, `join`, ...), whose default is [`RddContext::default_parallelism`].
    /// Elsewhere, or for 0, the job fails with an error that says so.
    ///
    /// ```
    /// # let context = headwater::testkit::context();
    /// let counts = context.parallelize(vec![("a", 1), ("b", 2)], 2).map(|(word, n)| (word.to_string(), n));
    /// assert_eq!(counts.reduce_by_key(|a, b| a + b).with_partitions(5).num_partitions(), 5);
    /// assert!(counts.with_partitions(5).collect().is_err());
    /// ```
    pub fn with_partitions(&self, partitions: usize) -> Rdd<T> {
        if let Some(refused) = self.refuse_partitions("with_partitions", partitions) {
            return refused;
        }
        self.choosing(&PartitionChoice::Number(partitions)).unwrap_or_else(|| {
            self.broken(format!(
                "with_partitions({partitions}) stands behind an operation that does not choose its partitions; put it \
                 right behind a shuffle, or use repartition({partitions})"
            ))
        })
    }

    /// The same operation into the partitions of `choice`, if it chooses its partitions.
    pub(crate) fn choosing(&self, choice: &PartitionChoice) -> Option<Rdd<T>> {
        Some(Rdd::of_node(&self.context, self.node.with_partitions(choice)?))
    }

    /// Lets every shuffle at the foot of this dataset keep its buckets, because more than one job will read them.
    pub(crate) fn keep_shuffles(&self) {
        FoundShuffles::by(|found| self.node.shuffles(found)).iter().for_each(|shuffle| shuffle.keep());
    }

    fn narrow<U: Record, P>(&self, keeps_partitioner: bool, push: P) -> Rdd<U>
    where
        P: Fn(&dyn Node<T>, &Task<'_>, Sink<'_, U>) -> Outcome + Send + Sync + 'static,
    {
        let narrow = Narrow { parent: self.node.clone(), keeps_partitioner, tail: false, push: Arc::new(push) };
        Rdd::from_node(&self.context, narrow)
    }

    /// As [`Rdd::narrow`], for the last step of an operation whose first step shuffles.
    fn narrow_tail<U: Record, P>(&self, keeps_partitioner: bool, push: P) -> Rdd<U>
    where
        P: Fn(&dyn Node<T>, &Task<'_>, Sink<'_, U>) -> Outcome + Send + Sync + 'static,
    {
        let narrow = Narrow { parent: self.node.clone(), keeps_partitioner, tail: true, push: Arc::new(push) };
        Rdd::from_node(&self.context, narrow)
    }

    /// The dataset that says so where a number of partitions cannot be.
    fn refuse_partitions(&self, operation: &str, partitions: usize) -> Option<Rdd<T>> {
        let range = 1..=PARTITIONS_MAX;
        let message = || format!("{operation}({partitions}): a dataset has from 1 to {PARTITIONS_MAX} partitions");
        (!range.contains(&partitions)).then(|| self.broken(message()))
    }

    /// The dataset that says so where a partitioner does not fit the operation before it.
    pub(crate) fn refuse_partitioner(&self) -> Rdd<T> {
        self.broken(
            "with_partitioner stands behind an operation that does not choose its partitions, or by other keys; put it \
             right behind a shuffle by key, or use partition_by",
        )
    }

    fn broken(&self, message: impl Into<String>) -> Rdd<T> {
        self.failed(&Error::program(message))
    }
    /// The dataset whose jobs fail with `error`.
    fn failed(&self, error: &Error) -> Rdd<T> {
        Rdd::from_node(&self.context, broken::Broken { kind: error.kind(), message: error.to_string() })
    }
}

impl<K: Key, V: Record> Rdd<(K, V)> {
    /// The same operation, its keys spread by `partitioner`. Stands right behind an operation that shuffles by key, as
    /// [`Rdd::with_partitions`] does; elsewhere the job fails with an error that says so.
    ///
    /// ```
    /// use headwater::Partitioner;
    /// #[derive(PartialEq)]
    /// struct ByLength;
    /// impl Partitioner<String> for ByLength {
    ///     fn num_partitions(&self) -> usize { 2 }
    ///     fn partition(&self, word: &String) -> usize { word.len() % 2 }
    /// }
    /// let words = ["a", "to", "a"].map(|word| (word.to_string(), 1)).to_vec();
    /// let counts = headwater::testkit::context().parallelize(words, 2).reduce_by_key(|a, b| a + b);
    /// let placed = counts.with_partitioner(ByLength).collect_partitions()?;
    /// assert_eq!(placed, [[("to".to_string(), 1)], [("a".to_string(), 2)]]);
    /// # Ok::<(), headwater::Error>(())
    /// ```
    pub fn with_partitioner(&self, partitioner: impl Partitioner<K>) -> Rdd<(K, V)> {
        let partitions = partitioner.num_partitions();
        if let Some(refused) = self.refuse_partitions("with_partitioner", partitions) {
            return refused;
        }
        let choice = PartitionChoice::By(Partitioning::of::<K, _>(partitioner, self.context.seed()));
        self.choosing(&choice).unwrap_or_else(|| self.refuse_partitioner())
    }
}
