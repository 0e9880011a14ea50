//! What receivers store and batches take: [`ReceivedBlockTracker`] knows which blocks belong to which batch, and
//! [`TextReceiverStore`] makes blocks of lines out of received bytes. The threads that receive live in the runtime.

mod text_store;
mod tracker;

pub use text_store::{StoreLimits, TextReceiverStore};
pub use tracker::ReceivedBlockTracker;
