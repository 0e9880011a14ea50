//! What Headwater keeps on disks and in stores.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod faulty;
mod fence;
mod format;
mod journal;
mod local;
mod log;
mod memory;
mod path;

pub use faulty::{Failure, FaultPlan, FaultyStorage};
pub use fence::Fence;
pub use journal::{
    JOURNAL_SEGMENTS_MAX, JOURNAL_UNSYNCED_BYTES_MAX, Journal, JournalEvent, JournalOptions, JournalRecovery,
    JournalState,
};
pub use local::LocalStorage;
pub use log::{
    LOG_RECORD_BYTES_MAX, LOG_SEGMENT_BYTES_MAX, LOG_UNSYNCED_BYTES_MAX, LogDamage, LogOptions, LogReader, LogWriter,
    Position, TornTail, cut_log, read_record,
};
pub use memory::MemoryStorage;
