//! [`CheckpointOverview`]: what the driver knew of batches, inputs and states, in types that are not those on disk.

use super::super::dead_letters;
use super::super::event::{Blob, Millis};
use super::super::plan;
use super::CheckpointFolder;
use headwater_core::direct::{OffsetRange, read_allocation};
use headwater_core::state::StateTypes;
use headwater_core::time::Time;
use headwater_storage::Fence;
use std::fmt;
use std::time::Duration;

/// What a checkpoint folder says of its application, as of its newest synced event.
#[derive(Clone, PartialEq, Debug)]
pub struct CheckpointOverview {
    /// The application's name.
    pub application: String,
    /// None where no process has begun yet.
    pub batches: Option<BatchTimes>,
    /// Who has taken the folder last, and since when: a text for people.
    pub owner: Option<String>,
    /// The processes of which something may still be in the logs, oldest first.
    pub processes: Vec<CheckpointProcess>,
    /// Batches that are fixed and not committed: a process that starts now runs them first.
    pub open_batches: Vec<OpenBatch>,
    /// Times without batches, from down-time that was skipped or merged, as far as somebody looks back to them.
    pub gaps: Vec<BatchGap>,
    /// All that have something stored.
    pub operators: Vec<CheckpointOperator>,
    /// Oldest first.
    pub snapshots: Vec<CheckpointSnapshot>,
    /// The number of the snapshot that is being written, or that was when a process ended.
    pub unfinished_snapshot: Option<u64>,
    /// What a recovery would pass over, a sentence each; usually nothing.
    pub warnings: Vec<String>,
}

/// When there are batches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchTimes {
    /// The batch interval.
    pub interval: Duration,
    /// The time before the first batch.
    pub zero: Time,
    /// The newest batch whose inputs are fixed; `zero` before the first.
    pub allocated: Time,
    /// The newest batch of which everything is done; `zero` before the first.
    pub committed: Time,
}

/// A process that went on with the application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckpointProcess {
    /// Grows with each process.
    pub epoch: u64,
    /// The newest batch that was committed when it began.
    pub began_behind: Time,
}

/// A batch that is fixed and not committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenBatch {
    /// Its time.
    pub time: Time,
    /// What its inputs have for it.
    pub inputs: Vec<InputAllocation>,
}

/// What an input has for a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InputAllocation {
    /// The input's id.
    pub operator: String,
    /// What it is.
    pub allocation: Allocation,
}

/// See [`InputAllocation`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Allocation {
    /// Of a direct stream.
    Ranges(Vec<OffsetRange>),
    /// Of an input that alone knows what its bytes mean: how many they are.
    Bytes(usize),
}

/// Times without batches: both ends are outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchGap {
    /// The batch before, or zero.
    pub after: Time,
    /// The batch behind.
    pub before: Time,
}

/// An operator of which something is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointOperator {
    /// Its stable id.
    pub id: String,
    /// `map_with_state`, `direct_stream`, ....
    pub kind: String,
    /// Where it was created.
    pub place: String,
    /// The batch behind which it began.
    pub since: Time,
    /// What its state is made of; none for an input.
    pub state: Option<StateTypes>,
}

/// A snapshot of all states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckpointSnapshot {
    /// The name of its folder.
    pub number: u64,
    /// Changes of batches behind this one are added to it.
    pub since: Time,
    /// It can be used for the state of this batch and later ones.
    pub until: Time,
    /// How many records it has.
    pub records: u64,
    /// How many bytes those have.
    pub bytes: u64,
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Allocation::Ranges(ranges) if ranges.is_empty() => write!(f, "nothing"),
            Allocation::Ranges(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(OffsetRange::to_string).collect();
                write!(f, "{}", ranges.join("; "))
            }
            Allocation::Bytes(bytes) => write!(f, "{bytes} bytes"),
        }
    }
}

impl CheckpointFolder {
    /// What the folder says of its application. See [`CheckpointFolder`] for an example.
    pub fn overview(&self) -> CheckpointOverview {
        let state = &self.state;
        let owner = Fence::look(&*self.storage, &format!("{}/fence", self.path)).ok().flatten();
        CheckpointOverview {
            application: self.application.clone(),
            batches: state.grid.map(|grid| BatchTimes {
                interval: Duration::from_millis(grid.batch_millis),
                zero: grid.zero.into(),
                allocated: grid.allocated.into(),
                committed: grid.committed.into(),
            }),
            owner: owner.map(|(_, owner)| owner),
            processes: state.epochs.iter().map(|(epoch, began)| process(*epoch, *began)).collect(),
            open_batches: state.open_batches().map(|time| self.open_batch(time)).collect(),
            gaps: state.gaps.iter().map(|(after, before)| gap(*after, *before)).collect(),
            operators: self.operators(),
            snapshots: self.snapshots(),
            unfinished_snapshot: state.begun,
            warnings: self.recovery.warnings(),
        }
    }
    fn open_batch(&self, time: Time) -> OpenBatch {
        let inputs = self.state.batches.get(&Millis::from(time));
        OpenBatch { time, inputs: inputs.map_or_else(Vec::new, |inputs| self.allocations(inputs)) }
    }
    pub(super) fn allocations(&self, inputs: &[(String, Blob)]) -> Vec<InputAllocation> {
        let kind = |id: &str| self.state.operators.iter().find(|of| of.id == id).map(|of| of.kind.as_str());
        let allocation = |(id, bytes): &(String, Blob)| {
            let is_input = id != dead_letters::ALLOCATION;
            let has_ranges = is_input && kind(id).is_none_or(|kind| plan::form(kind) == plan::RANGES);
            let ranges = read_allocation(&bytes.0).ok().filter(|_| has_ranges);
            let allocation = ranges.map_or(Allocation::Bytes(bytes.0.len()), Allocation::Ranges);
            InputAllocation { operator: id.clone(), allocation }
        };
        inputs.iter().map(allocation).collect()
    }
    fn operators(&self) -> Vec<CheckpointOperator> {
        let operators = self.state.operators.iter().map(|of| CheckpointOperator {
            id: of.id.clone(),
            kind: of.kind.clone(),
            place: of.place.clone(),
            since: of.since.into(),
            state: of.state.as_ref().map(|types| StateTypes {
                key: types.key.clone(),
                value: types.value.clone(),
                version: types.version,
            }),
        });
        operators.collect()
    }
    fn snapshots(&self) -> Vec<CheckpointSnapshot> {
        let snapshots = self.state.snapshots.iter().map(|of| CheckpointSnapshot {
            number: of.number,
            since: of.since.into(),
            until: of.until.into(),
            records: of.records,
            bytes: of.bytes,
        });
        snapshots.collect()
    }
}

pub(super) fn process(epoch: u64, began: Millis) -> CheckpointProcess {
    CheckpointProcess { epoch, began_behind: began.into() }
}

pub(super) fn gap(after: Millis, before: Millis) -> BatchGap {
    BatchGap { after: after.into(), before: before.into() }
}
