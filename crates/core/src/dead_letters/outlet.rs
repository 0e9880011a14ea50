//! [`Outlet`]: the way of an operator's dead letters from its tasks to the driver's store. They go with what the task adds to
//! accumulators, and so count when it has succeeded, in whatever process it ran.

use super::letter::{Redriven, SetAside};
use super::store::DeadLetterStore;
use crate::accumulator::{MergesBytes, Part, add_part};
use crate::item::ItemId;
use crate::origin::OperatorId;
use crate::rdd::RddContext;
use crate::time::Time;
use crate::{Result, wire};
use std::any::Any;
use std::sync::Arc;

/// Of one operator.
pub(crate) struct Outlet {
    id: ItemId,
    context: RddContext,
}

/// Of an operator and a batch.
#[derive(Clone)]
pub(crate) struct OutletOfBatch {
    outlet: Arc<Outlet>,
    pub(super) operator: OperatorId,
    pub(super) batch: Time,
    /// What partition 0 of the dataset is called: those that are driven once more stand behind the others.
    pub(super) first_partition: usize,
    /// Whether the operator reads an input itself: then the position of a record may say its offset.
    pub(super) reads_input: bool,
}

impl Outlet {
    /// While the program is built.
    pub(crate) fn new(context: &RddContext) -> Arc<Outlet> {
        let outlet = Arc::new(Outlet { id: context.next_item(), context: context.clone() });
        if context.transport().is_some() {
            context.accumulators().register_merger(outlet.id, &outlet);
        }
        outlet
    }
    pub(crate) fn of(self: &Arc<Self>, operator: OperatorId, batch: Time, reads_input: bool) -> OutletOfBatch {
        OutletOfBatch { outlet: self.clone(), operator, batch, first_partition: 0, reads_input }
    }
}

impl MergesBytes for Outlet {
    fn merge_bytes(&self, bytes: &[u8]) -> Result<()> {
        self.context.dead_letters().put(wire::decode(bytes)?)
    }
}

impl OutletOfBatch {
    pub(super) fn store(&self) -> &dyn DeadLetterStore {
        self.outlet.context.dead_letters()
    }
    /// The same, for partitions that stand behind so many others.
    pub(crate) fn behind(&self, partitions: usize) -> OutletOfBatch {
        OutletOfBatch { first_partition: partitions, reads_input: false, ..self.clone() }
    }
    /// What the partition of the dataset is called among all of the operator.
    pub(crate) fn partition(&self, partition: usize) -> usize {
        self.first_partition + partition
    }
    pub(crate) fn operator_name(&self) -> &'static str {
        self.operator.as_str()
    }
    /// What the operator gets once more in this batch.
    pub(crate) fn redriven(&self) -> Vec<Redriven> {
        self.store().redriven(self.operator, self.batch)
    }
    /// The calling task has set this aside.
    pub(super) fn hand_over(&self, found: SetAside) -> Result<()> {
        match add_part(Box::new(Found { outlet: self.outlet.clone(), found })) {
            None => Ok(()),
            Some(no_task) => no_task.commit(),
        }
    }
}

/// What the running task has set aside so far.
struct Found {
    outlet: Arc<Outlet>,
    found: SetAside,
}
impl Part for Found {
    fn id(&self) -> ItemId {
        self.outlet.id
    }
    fn as_any(&mut self) -> &mut dyn Any {
        &mut self.found
    }
    fn commit(self: Box<Self>) -> Result<()> {
        self.outlet.context.dead_letters().put(self.found)
    }
    fn encode(&self) -> Result<Vec<u8>> {
        wire::encode(&self.found)
    }
}
