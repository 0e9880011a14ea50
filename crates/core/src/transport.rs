//! [`Transport`]: how the processes of a distributed application reach each other. Everything goes as bytes. An
//! application that is one process has none, and typed values move between its threads.

use crate::Result;
use crate::item::ItemId;
use crate::origin::OperatorId;
use crate::rdd::Stop;
use crate::time::Time;
use std::sync::Arc;

/// What a process of the application is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It makes the batches, runs the jobs and keeps the results.
    Driver,
    /// It runs tasks that the driver sends.
    Worker,
}

/// One partition of an input's batch, as bytes, made when somebody asks for it.
pub type InputPartition = Arc<dyn Fn(usize) -> Result<Vec<u8>> + Send + Sync>;

/// The connection of one process to the others.
pub trait Transport: Send + Sync {
    /// What this process is for.
    fn role(&self) -> Role;

    /// Leaves what map task `map` of `shuffle` made for each reduce partition; a second attempt replaces the first.
    fn put_buckets(&self, shuffle: ItemId, map: usize, buckets: Vec<Vec<u8>>);
    /// What all `maps` map tasks left for partition `reduce`, in their order, or [`Stop::Lost`].
    fn buckets(&self, shuffle: ItemId, maps: usize, reduce: usize) -> Result<Vec<Vec<u8>>, Stop>;
    /// The map tasks, of `maps`, that have left nothing.
    fn missing_maps(&self, shuffle: ItemId, maps: usize) -> Vec<usize>;
    /// Nobody reads the shuffle any more.
    fn forget_shuffle(&self, shuffle: ItemId);

    /// The driver offers the batch of an input: its number of partitions and what makes them; none where the input has
    /// no RDD at that time.
    fn offer_input(&self, input: OperatorId, time: Time, partitions: Option<(usize, InputPartition)>);
    /// No job reads the batch of the input any more.
    fn forget_input(&self, input: OperatorId, time: Time);
    /// How many partitions the batch has, on a worker.
    fn input_partitions(&self, input: OperatorId, time: Time) -> Result<Option<usize>>;
    /// One of them.
    fn input_partition(&self, input: OperatorId, time: Time, partition: usize) -> Result<Vec<u8>>;

    /// The driver leaves a value that it made while it built the program or a batch: the results of an action, a
    /// broadcast value.
    fn put_value(&self, item: ItemId, value: Vec<u8>);
    /// The driver's value, on a worker. An error if the driver has made none: the program is not deterministic.
    fn value(&self, item: ItemId) -> Result<Vec<u8>>;

    /// All batches up to `done` are: the workers clear their metadata. What belongs to batches up to `forgotten` goes.
    fn clear_metadata(&self, done: Time, forgotten: Time);
}
