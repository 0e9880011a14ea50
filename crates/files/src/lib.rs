//! Files that other systems read and write: Hadoop's [`sequence_file`], the lines of its [`text_output`], and [`FileSink`],
//! which writes each batch of a stream once, in one of the [`formats`]. Disks are reached through
//! [`FileSystem`](headwater_core::env::FileSystem) alone.
//!
//! ```
//! use headwater::{prelude::*, testkit};
//! use headwater_files::FileSink;
//!
//! let folder = testkit::temporary_folder();
//! let (ssc, clock) = testkit::streaming_context();
//! ssc.rate_stream(2, 1, |n| n).write_to(FileSink::text(format!("{folder}/numbers"))).uid("numbers");
//! let running = ssc.start()?;
//! clock.advance(seconds(1));
//! running.await_batches(1)?;
//! running.stop()?;
//! assert_eq!(std::fs::read_to_string(format!("{folder}/numbers-1000/part-00000")).unwrap(), "0\n1\n");
//! # Ok::<(), headwater::Error>(())
//! ```
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod formats;
pub mod sequence_file;
pub mod text_output;

mod save_as_hadoop_files;
mod sink;
mod table;

pub use formats::{FileFormat, RecordWriter, TableFormat};
pub use save_as_hadoop_files::SaveAsHadoopFiles;
pub use sink::FileSink;
pub use table::{TableFile, TableReader, TableSink};

#[cfg(test)]
mod memory_files;

/// The programs in the guide compile and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../docs/guide/11-sinks.md")]
    struct Sinks;
}
