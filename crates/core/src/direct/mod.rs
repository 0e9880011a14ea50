//! The direct input: a source of numbered records from which each batch takes a range per partition. The driver asks
//! [`DirectSource`] what there is and fixes the ranges ([`DirectInput`]); tasks, in whichever process and at whichever
//! try, read exactly those. How the batch's RDD comes about stands in `dstream/direct_batch.rs`.

mod allocation;
mod batch_request;
mod direct_input;
mod offset_range;
mod partition_offsets;
mod plan;
mod rate;
mod rate_source;
mod source;

pub use allocation::from_bytes as read_allocation;
pub use batch_request::BatchRequest;
pub use direct_input::DirectInput;
pub use offset_range::OffsetRange;
pub use partition_offsets::PartitionOffsets;
pub use rate_source::RateSource;
pub use source::DirectSource;
