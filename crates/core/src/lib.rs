//! The pure core of Headwater: time, the environment traits, RDDs, DStreams and the `Engine` trait. No threads, files
//! or sockets of its own: they come in through [`mod@env`]. Programs depend on the facade crate `headwater` instead.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod block_store;
mod broadcast;
mod codec;
mod data;
mod error;
mod frames;
mod glob;
mod lazy_pool;
mod lines;
mod origin;
mod partitioner;
mod record_size;
mod storage_level;

pub mod accumulator;
pub mod dead_letters;
pub mod direct;
pub mod dstream;
pub mod engine;
pub mod env;
pub mod hash;
pub mod input;
pub mod item;
pub mod listener;
/// Object files one by one; [`Rdd::save_as_object_file`] and [`RddContext::object_file`] are the way for datasets.
pub mod object_file {
    pub use crate::frames::{ObjectReader, ObjectWriter};
}
pub mod rdd;
pub mod receiver;
pub mod sink;
pub mod state;
pub mod text;
pub mod time;
pub mod transport;
pub mod wire;

pub use accumulator::{Accumulator, CollectionAccumulator, DoubleAccumulator, LongAccumulator};
pub use broadcast::Broadcast;
pub use data::{Closure, Data, Key, Record, TextRecord};
pub use dstream::DStream;
pub use error::{Error, ErrorKind, Result, panic_message};
pub use lazy_pool::LazyPool;
pub use origin::{OperatorId, Origin};
pub use partitioner::{HashPartitioner, PartitionChoice, Partitioner, Partitioning, RangePartitioner};
pub use rdd::{Rdd, RddContext, TaskContext};
pub use storage_level::StorageLevel;
pub use text::Text;
