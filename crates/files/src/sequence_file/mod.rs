//! Hadoop's SequenceFile: records of a key and a value, in version 6 of the format, which all Hadoops since 0.18 write.
//!
//! ```
//! use headwater_core::Result;
//! use headwater_files::sequence_file::{Codec, Compression, Reader, ReaderOptions, SyncMarker, Writer, WriterOptions};
//!
//! let options = WriterOptions::new(SyncMarker::from_bytes(*b"one of the tests"))
//!     .compression(Compression::Block(Codec::Default));
//! let mut writer = Writer::<i64, String, _>::new(Vec::new(), options)?;
//! for line in 0..1000 {
//!     writer.append(&line, &format!("line {line}"))?;
//! }
//! let file = writer.finish()?;
//!
//! let reader = Reader::<i64, String, _>::new(&file[..], "lines", ReaderOptions::new())?;
//! assert_eq!(reader.map(|record| record.map(|(line, _)| line)).sum::<Result<i64>>()?, 499_500);
//! # Ok::<(), headwater_core::Error>(())
//! ```
//!
//! [`Reader`] and [`Writer`] have types ([`Writable`]) and say so where a file has others; [`RawReader`] and
//! [`RawWriter`] take bytes, and the names of any classes. All four read and write any [`Read`](std::io::Read) and
//! [`Write`](std::io::Write); `open` and `create` take a [`FileSystem`](headwater_core::env::FileSystem). A file can be
//! read in parts: [`ReaderOptions::range`].
//!
//! # The format
//!
//! ```text
//! file    = "SEQ" 6 key-class:text value-class:text compressed:bool blocks:bool [codec:text, if compressed]
//!           metadata:int (key:text value:text)* marker:[16]  (record | sync)*, or with blocks block*
//! sync    = ffffffff marker:[16]
//! record  = length:int key-length:int key value             without blocks; the value is compressed, or not
//! block   = sync records:vint  4 x (length:vint compressed) lengths of keys as vint, keys, lengths of values, values
//! ```
//! An `int` has four bytes, the highest first; a `vint` one to nine; a `text` is a `vint` and so much UTF-8.
//!
//! # Errors
//!
//! Of kind [`Data`](headwater_core::ErrorKind::Data) where the file is damaged or cut off or another format, with its
//! name and the byte; `Program` where the classes are others; `Resources` at a limit; `Outside` where the disk fails.
//! Hadoop takes a block that is cut off for the end of the file; here it is an error.

mod block_reader;
mod block_writer;
mod codec;
mod deflate;
mod gzip;
mod header;
mod raw_reader;
mod raw_writer;
mod reader;
mod reader_options;
mod source;
mod sync_marker;
mod vint;
mod writable;
mod writable_text;
mod writer;

pub use codec::{Codec, Compression};
pub use header::{Header, METADATA_BYTES_MAX, NAME_BYTES_MAX};
pub use raw_reader::{Place, RawReader, RawRecord};
pub use raw_writer::{BLOCK_BYTES, RawWriter, WriterOptions};
pub use reader::Reader;
pub use reader_options::{RECORD_BYTES_MAX, ReaderOptions};
pub use sync_marker::{SYNC_INTERVAL, SyncMarker};
pub use writable::{VInt, VLong, Writable};
pub use writable_text::TextBytes;
pub use writer::Writer;
