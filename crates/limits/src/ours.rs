//! The engine's side, one file to a measure. Each function prepares what a running application has at hand, and returns
//! the work to be measured.

mod batches;
pub(crate) mod chain;
pub(crate) mod child;
mod context;
pub(crate) mod dead_letters;
pub(crate) mod durable;
pub(crate) mod durable_state;
pub(crate) mod grep;
pub(crate) mod idle;
pub(crate) mod recovery;
pub(crate) mod shuffle;
pub(crate) mod sink;
pub(crate) mod spilled_state;
#[cfg(feature = "sql")]
pub(crate) mod sql;
pub(crate) mod start_up;
pub(crate) mod state;
pub(crate) mod timeouts;
pub(crate) mod window;
pub(crate) mod word_count;
