//! Every operator of a stream beside a plain model of it, on random records in random batches, partitions and numbers of
//! threads, on both engines.

mod by_batch;
mod by_key;
pub(crate) mod case;
mod context;
mod cuts;
mod missing_batches;
mod running_windows;
mod two_streams;
mod windows;
