//! What Headwater keeps for the next process: files on local disks, in memory and on faulty disks of tests
//! ([`Storage`](headwater_core::env::Storage)), logs of records on them ([`LogReader`], [`LogWriter`]), the
//! write-ahead log of received blocks ([`SegmentedWriteAheadLog`]), journals of a
//! program's state ([`Journal`]), and the right to write them ([`Fence`]). No clock, no thread, and no disk outside of
//! [`LocalStorage`].
//!
//! ```
//! use headwater_storage::{Fence, LogOptions, LogReader, MemoryStorage};
//! use std::sync::Arc;
//!
//! let storage = Arc::new(MemoryStorage::new());
//! let fence = Fence::take(storage.clone(), "run/fence", "machine a, process 7")?;
//! let options = LogOptions::new("counts", fence.epoch());
//! let mut log = LogReader::open(storage.clone(), "run/log", options.clone())?.write()?.expect("nobody else begins");
//! let position = log.append(b"one")?;
//! log.sync()?;
//! fence.check()?; // From here on the record is committed.
//! assert_eq!(log.read(position)?, b"one");
//! # Ok::<(), headwater_core::Error>(())
//! ```
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
mod write_ahead_log;

pub use faulty::{Failure, FaultPlan, FaultyStorage};
pub use fence::Fence;
pub use journal::{
    JOURNAL_SEGMENTS_MAX, JOURNAL_UNSYNCED_BYTES_MAX, Journal, JournalEvent, JournalOptions, JournalPoint,
    JournalRecovery, JournalState, check_journal, cut_journal, find_journal_point,
};
pub use local::LocalStorage;
pub use log::{
    FileCheck, FileCondition, FolderCheck, LOG_RECORD_BYTES_MAX, LOG_SEGMENT_BYTES_MAX, LOG_UNSYNCED_BYTES_MAX,
    LogDamage, LogOptions, LogReader, LogWriter, Position, TornTail, check_log, copy_log, cut_log, read_record,
};
pub use memory::MemoryStorage;
pub use write_ahead_log::SegmentedWriteAheadLog;
