//! Fault-tolerant stream processing with the Spark Streaming model, in Rust.
//!
//! A live stream is cut into small batches; each batch is an [`Rdd`], an immutable, partitioned dataset; a [`DStream`]
//! is a recipe that yields one RDD per batch.
//!
//! ```no_run
//! use headwater::prelude::*;
//!
//! fn main() -> headwater::Result<()> {
//!     let ssc = StreamingContext::new(
//!         Conf::new().master("local[2]").app_name("NetworkWordCount"),
//!         Duration::from_secs(1),
//!     )?;
//!     let lines = ssc.socket_text_stream("localhost", 9999);
//!     let counts = lines.flat_map(|line| line.split(' ')).map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b);
//!     counts.print();
//!     ssc.start()?.await_termination()
//! }
//! ```
//!
//! The [`testkit`] runs any program in a test, with a clock that the test moves:
//!
//! ```
//! use headwater::{prelude::*, testkit::check};
//!
//! let lines = [vec![Text::from("to be or"), Text::from("not to be")], vec![]];
//! let program = |lines: DStream<Text>| {
//!     lines.flat_map(|line| line.split(' ')).map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b)
//! };
//! let counts = [("to", 2), ("be", 2), ("or", 1), ("not", 1)].map(|(word, n)| (Text::from(word), n));
//! check(lines, program, [counts.to_vec(), vec![]]);
//! ```

pub use headwater_core::{
    Accumulator, Broadcast, Closure, CollectionAccumulator, DStream, Data, DoubleAccumulator, Error, ErrorKind,
    HashPartitioner, Key, LazyPool, LongAccumulator, OperatorId, PartitionChoice, Partitioner, Partitioning,
    RangePartitioner, Rdd, RddContext, Record, Result, StorageLevel, TaskContext, Text, TextRecord, accumulator,
    dead_letters, direct, dstream, engine, env, hash, input, item, listener, rdd, receiver, sink, state, text, time,
    transport, wire,
};
pub use headwater_runtime::{
    Conf, ConfEntry, ConfSource, Fate, ListenerHandle, OperatorFate, Progress, RddQueue, Remaining, RunningContext,
    RunningOutput, StopHandle, StreamingContext, StreamingContextState, UpgradePlan, checkpoint, engine as local,
    system_env, testkit,
};

/// What a streaming program uses: `use headwater::prelude::*`.
pub mod prelude {
    pub use crate::{Conf, DStream, Rdd, RddContext, RddQueue, RunningContext, StorageLevel, StreamingContext, Text};
    pub use headwater_core::dstream::{MapWithStateDStream, StateSpec, StateUpdate, Window, WindowReduce};
    pub use headwater_core::listener::{StreamingEvent, StreamingListener};
    pub use headwater_core::state::State;
    pub use headwater_core::text::TextByReference as _;
    pub use headwater_core::time::{DurationExt, Interval, Time, milliseconds, minutes, seconds};
    pub use std::time::Duration;
}

/// The programs in the README and in the guide compile and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/guide/01-overview.md")]
    struct Overview;
    #[doc = include_str!("../../../docs/guide/02-quick-example.md")]
    struct QuickExample;
    #[doc = include_str!("../../../docs/guide/03-basic-concepts.md")]
    struct BasicConcepts;
    #[doc = include_str!("../../../docs/guide/04-dstreams.md")]
    struct DStreams;
    #[doc = include_str!("../../../docs/guide/05-transformations.md")]
    struct Transformations;
    #[doc = include_str!("../../../docs/guide/06-outputs.md")]
    struct Outputs;
    #[doc = include_str!("../../../docs/guide/07-windows.md")]
    struct Windows;
    #[doc = include_str!("../../../docs/guide/08-state.md")]
    struct KeyedState;
    #[doc = include_str!("../../../docs/guide/09-durability.md")]
    struct Durability;
    #[doc = include_str!("../../../docs/guide/10-failures.md")]
    struct Failures;
}
