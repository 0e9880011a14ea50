//! How operators behind a state read a version of it: [`StateRecords`], its entries, [`StateOutputs`], what the batch
//! made besides, and [`StateVersion`], that it is there.

use super::{PartitionState, Place, StateStage, Step};
use crate::origin::Origin;
use crate::partitioner::Partitioning;
use crate::rdd::{CHUNK, FoundShuffles, Node, Outcome, Sink, Stop, Task};
use crate::state::keyed::Cursor;
use crate::{Record, wire};
use std::sync::Arc;

/// What `emit` makes of each entry of a version.
pub(crate) struct StateRecords<P: Step, F> {
    pub(crate) stage: Arc<StateStage<P>>,
    pub(crate) emit: Arc<F>,
    pub(crate) origin: Origin,
}
impl<P: Step, F, R: Record> Node<R> for StateRecords<P, F>
where
    F: Fn(&<P::State as PartitionState>::Key, &<P::State as PartitionState>::Value) -> Option<R> + Send + Sync,
{
    fn num_partitions(&self) -> usize {
        self.stage.operator.partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        if !self.stage.is_complete() {
            found.push(self.stage.clone());
        }
    }
    fn partitioner(&self) -> Option<Partitioning> {
        Some(self.stage.operator.partitioner().erased().clone())
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, R>) -> Outcome {
        let fetched = match &self.stage.place {
            Place::Here { .. } => None,
            Place::Away { transport, .. } => Some(self.stage.fetch(&**transport, self.stage.item, task)?),
        };
        let (mut chunk, mut cursor) = (Vec::with_capacity(CHUNK), Some(Cursor::default()));
        while let Some(from) = cursor {
            task.check()?;
            task.enter(self.origin);
            let take = |key: &_, value: &_| (self.emit)(key, value);
            cursor = match &fetched {
                Some(state) => state.scan(self.stage.time, from, CHUNK, &mut chunk, take)?,
                None => {
                    let cell = self.stage.operator.cell(task.partition());
                    let state = cell.state.as_ref().ok_or(Stop::Lost)?;
                    state.scan(self.stage.time, from, CHUNK, &mut chunk, take)?
                }
            };
            if !chunk.is_empty() {
                sink(&mut chunk)?;
            }
        }
        Ok(())
    }
}

/// What a batch made besides the state.
pub(crate) struct StateOutputs<P: Step> {
    pub(crate) stage: Arc<StateStage<P>>,
    pub(crate) origin: Origin,
}
impl<P: Step> Node<P::Output> for StateOutputs<P> {
    fn num_partitions(&self) -> usize {
        self.stage.operator.partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        if !self.stage.is_complete() {
            found.push(self.stage.clone());
        }
    }
    fn compute(&self, task: &Task<'_>, sink: Sink<'_, P::Output>) -> Outcome {
        task.enter(self.origin);
        let mut push = |outputs: &[Vec<P::Output>]| {
            let mut chunk = Vec::new();
            outputs.iter().try_for_each(|some| {
                task.check()?;
                chunk.extend_from_slice(some);
                sink(&mut chunk)
            })
        };
        match &self.stage.place {
            Place::Here { done, .. } => push(&done[task.partition()].get().ok_or(Stop::Lost)?.0),
            Place::Away { transport, .. } => {
                let partitions = self.stage.operator.partitions();
                let mut buckets = transport.buckets(self.stage.outputs_item, partitions, task.partition())?;
                push(&wire::decode::<Vec<Vec<P::Output>>>(&buckets.swap_remove(task.partition()))?)
            }
        }
    }
}

/// No records: whoever computes it makes the version, and whoever holds it can read it.
pub(crate) struct StateVersion<P: Step>(pub(crate) Arc<StateStage<P>>);
impl<P: Step> Node<()> for StateVersion<P> {
    fn num_partitions(&self) -> usize {
        self.0.operator.partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        if !self.0.is_complete() {
            found.push(self.0.clone());
        }
    }
    fn compute(&self, _task: &Task<'_>, _sink: Sink<'_, ()>) -> Outcome {
        Ok(())
    }
}
