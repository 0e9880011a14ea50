//! Keyed state: what windows and state operators remember of each key from batch to batch, in virtual shards, by
//! versions. Between the shuffle that brings a batch's records to their keys and the operators that read the result.

mod clock;
mod keyed;
mod operator;
mod shard;
mod stage;

pub(crate) use clock::Clock;
pub(crate) use keyed::{Cursor, KeyedState, Layout, Place};
pub(crate) use operator::{StateOperator, Partitioned};
pub(crate) use stage::{PartitionState, StateStage, Step};
