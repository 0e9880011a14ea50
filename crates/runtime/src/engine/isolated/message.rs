//! What driver and workers say to each other.

use headwater_core::engine::RemoteAction;
use headwater_core::item::ItemId;
use headwater_core::rdd::{Stop, TaskContext};
use headwater_core::time::Time;
use headwater_core::wire::{WireError, decode, encode};
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::Sender;

/// To a worker.
pub(super) enum Message {
    /// A task: a [`TaskMessage`], the action of a result stage, and where the [`Reply`] goes. The action is a function of
    /// the program, which both have; between processes it would go as its offset in the program's file.
    Task { task: Vec<u8>, action: Option<RemoteAction>, reply: Sender<Vec<u8>> },
    /// Batch times up to this one may be forgotten.
    ClearMetadata(Time),
}

/// A task by address: (operator, batch time, stage, partition).
#[derive(Serialize, Deserialize)]
pub(super) struct TaskMessage {
    pub(super) stage: StageAddress,
    pub(super) partition: usize,
    pub(super) attempt: usize,
    pub(super) stage_id: u64,
    pub(super) batch_time: Option<Time>,
}
impl TaskMessage {
    pub(super) fn context(&self) -> TaskContext {
        TaskContext::new(self.partition, self.attempt, self.stage_id, self.batch_time)
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum StageAddress {
    /// The map side of a shuffle, which is named by its operator, batch time and number,
    /// and has so many map tasks and partitions.
    Map { shuffle: ItemId, shape: (usize, usize) },
    /// An action on the operator's RDD of a batch, which has so many partitions.
    Result { operator: OperatorId, time: Time, parameter: usize, partitions: usize },
}

/// How a task ended.
#[derive(Serialize, Deserialize)]
pub(super) enum Reply {
    Done { result: Vec<u8>, accumulators: Vec<(ItemId, Vec<u8>)> },
    Lost,
    Cancelled,
    Failed(WireError),
}
impl Reply {
    pub(super) fn of_stop(stop: Stop) -> Reply {
        match stop {
            Stop::Lost => Reply::Lost,
            Stop::Cancelled => Reply::Cancelled,
            Stop::Failed(error) => Reply::Failed(WireError::from(&*error)),
            Stop::Enough => {
                let message = "a task ended early without a sink that had enough";
                Reply::Failed(WireError::from(&Error::new(ErrorKind::Internal, message)))
            }
        }
    }
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self).expect("bytes, numbers and names can be written")
    }
    pub(super) fn decode(bytes: &[u8]) -> Result<Reply> {
        decode(bytes)
    }
}
