//! How an input's batch comes about in each process: from the source where there is one, on the driver offered to the
//! workers too, and on a worker fetched from the driver, partition by partition, as bytes.

use super::node::{Generated, Tick};
use crate::origin::OperatorId;
use crate::rdd::{FoundShuffles, Node, Outcome, Rdd, RddContext, Sink, Task, push_all};
use crate::time::Time;
use crate::transport::{InputPartition, Role, Transport};
use crate::{Data, Error, ErrorKind, Result, wire};
use std::sync::Arc;

/// What an input's node computes; `rdd` makes the batch's RDD from what the source allocated to it.
pub(super) fn input_batch<T: Data>(
    context: &RddContext,
    rdd: impl Fn(Time) -> Result<Option<Rdd<T>>> + Send + Sync + 'static,
) -> Box<dyn Fn(&Tick) -> Generated<T> + Send + Sync> {
    let Some(transport) = context.transport().cloned() else { return Box::new(move |tick| rdd(tick.time)) };
    let context = context.clone();
    match transport.role() {
        Role::Driver => Box::new(move |tick| {
            let made = rdd(tick.time)?;
            let partitions = made.as_ref().map(|rdd| (rdd.num_partitions(), partition_of(rdd)));
            transport.offer_input(tick.operator, tick.time, partitions);
            // That there is no RDD is known until the batch is forgotten.
            Ok(made.map(|rdd| rdd.holding(Offer::new(&transport, tick))))
        }),
        Role::Worker => Box::new(move |tick| {
            let Some(partitions) = transport.input_partitions(tick.operator, tick.time)? else { return Ok(None) };
            let transport = transport.clone();
            let fetched = Fetched { transport, input: tick.operator, time: tick.time, partitions };
            Ok(Some(Rdd::from_node(&context, fetched)))
        }),
    }
}

/// Makes a partition of `rdd` as bytes, for as long as a job may need it.
fn partition_of<T: Data>(rdd: &Rdd<T>) -> InputPartition {
    let rdd = rdd.downgrade();
    Arc::new(move |partition| match rdd.upgrade() {
        Some(rdd) => wire::encode(&rdd.collect_partition(partition)?),
        None => Err(Error::new(ErrorKind::Internal, "an input's batch was dropped while a task needed it")),
    })
}

/// Held by the driver's RDD of an input's batch, and so by all that is derived from it.
pub(super) struct Offer {
    transport: Arc<dyn Transport>,
    input: OperatorId,
    time: Time,
}
impl Offer {
    pub(super) fn new(transport: &Arc<dyn Transport>, tick: &Tick) -> Offer {
        Offer { transport: transport.clone(), input: tick.operator, time: tick.time }
    }
}
impl Drop for Offer {
    fn drop(&mut self) {
        self.transport.forget_input(self.input, self.time);
    }
}

/// The batch of an input on a worker.
struct Fetched {
    transport: Arc<dyn Transport>,
    input: OperatorId,
    time: Time,
    partitions: usize,
}
impl<T: Data> Node<T> for Fetched {
    fn num_partitions(&self) -> usize {
        self.partitions
    }
    fn shuffles(&self, _found: &mut FoundShuffles) {}
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, T>) -> Outcome {
        task.check()?;
        let bytes = self.transport.input_partition(self.input, self.time, task.partition())?;
        let records: Vec<T> = wire::decode(&bytes)?;
        push_all(task, records.into_iter(), sink)
    }
}
