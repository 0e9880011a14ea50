//! What receivers store and batches take: [`ReceivedBlockTracker`] knows which blocks belong to which batch,
//! [`TextReceiverStore`] makes blocks of lines out of received bytes, and [`RecordReceiverStore`] keeps records that
//! are typed already. The threads that receive live in the runtime.

mod record_store;
mod text_store;
mod tracker;

pub use record_store::{RecordBlock, RecordReceiverStore};
pub use text_store::{StoreLimits, TextReceiverStore};
pub use tracker::ReceivedBlockTracker;
