//! How operators behind a state read a version of it: [`StateRecords`], its entries, [`StateOutputs`], what the batch
//! made besides, and [`StateVersion`], that it is made.

use super::{PartitionState, Place, StateStage, Step};
use crate::origin::Origin;
use crate::partitioner::Partitioning;
use crate::rdd::{CHUNK, FoundShuffles, Node, Outcome, Sink, Stop, Task};
use crate::state::keyed::Cursor;
use crate::state::operator::VersionInUse;
use crate::{Data, Key, Record, Result, wire};
use std::sync::Arc;

/// What `emit` makes of each entry of a version.
pub(crate) struct StateRecords<P: Step, F> {
    stage: Arc<StateStage<P>>,
    emit: Arc<F>,
    origin: Origin,
    /// None if it can be read only until the state goes on.
    version: Option<Arc<VersionInUse>>,
}
impl<P: Step, F> StateRecords<P, F> {
    /// If somebody `asks` for it, it can be read as long as it lives; that is an error if the version is forgotten.
    pub(crate) fn new(stage: Arc<StateStage<P>>, emit: Arc<F>, asks: bool, origin: Origin) -> Result<Self> {
        let version = asks.then(|| stage.operator.use_version(stage.time)).transpose()?;
        Ok(StateRecords { stage, emit, origin, version })
    }
}
impl<P: Step, F, R: Record> Node<R> for StateRecords<P, F>
where
    F: Fn(&<P::State as PartitionState>::Key, &<P::State as PartitionState>::Value) -> Option<R> + Send + Sync,
{
    fn num_partitions(&self) -> usize {
        self.stage.operator.partitions()
    }
    fn shuffles(&self, found: &mut FoundShuffles) {
        found.reads_state(self.stage.operator.rank());
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
        let _version = match &self.version {
            Some(version) => version.clone(),
            None => self.stage.operator.use_version(self.stage.time)?,
        };
        let _reading = self.stage.operator.reading();
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

/// All keys and states of a version.
pub(crate) fn all_entries<P, K: Key, S: Data>(
    stage: Arc<StateStage<P>>,
    asks: bool,
    origin: Origin,
) -> Result<impl Node<(K, S)>>
where
    P: Step<State: PartitionState<Key = K, Value = S>>,
{
    StateRecords::new(stage, Arc::new(|key: &K, state: &S| Some((key.clone(), state.clone()))), asks, origin)
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

/// No records: whoever computes it makes the version.
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
