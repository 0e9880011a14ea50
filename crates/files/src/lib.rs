//! Formats of files that other systems read and write: Hadoop's [`sequence_file`] and the lines of its
//! [`text_output`]. Disks are reached through [`FileSystem`](headwater_core::env::FileSystem) alone.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod sequence_file;
pub mod text_output;

#[cfg(test)]
mod memory_files;
