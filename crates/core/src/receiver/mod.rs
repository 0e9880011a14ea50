//! What receivers store and batches take: [`ReceivedBlockTracker`] knows which blocks belong to which batch,
//! [`TextReceiverStore`] makes blocks of lines out of received bytes, and [`RecordReceiverStore`] keeps records that
//! are typed already. Where the application is durable, blocks are written to a [`WriteAheadLog`] before a batch has them.
//! [`reliable`] is a protocol by which senders hear what is stored. The threads that receive live in the runtime.

mod allocated_blocks;
mod batching_writer;
mod block_log;
mod block_record;
mod received_block;
mod record_store;
pub mod reliable;
mod sender_positions;
mod store;
mod text_store;
mod tracker;
mod write_ahead_log;

pub use batching_writer::{BatchingWriter, UNSYNCED_BYTES_MAX, WAITING_RECORDS_MAX};
pub use received_block::ReceivedBlock;
pub use record_store::{RecordBlock, RecordReceiverStore};
pub use sender_positions::SENDERS_MAX;
pub use store::ReceiverStore;
pub use text_store::{StoreLimits, TextReceiverStore};
pub use tracker::ReceivedBlockTracker;
pub use write_ahead_log::{HANDLE_BYTES_MAX, RECORD_BYTES_MAX, RecordHandle, WriteAheadLog};

use store::kept;
