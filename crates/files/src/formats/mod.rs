//! How records become the bytes of a file, and nothing of where the file is: [`FileFormat`], and the formats of
//! [`FileSink`](crate::FileSink).

mod csv;
mod hadoop;
mod json_lines;
mod object_files;
mod shared_buffer;
mod table_format;
mod text;

pub use csv::Csv;
pub use hadoop::{SequenceFileOutputFormat, TextOutputFormat};
pub use json_lines::JsonLines;
pub use object_files::ObjectFiles;
pub use table_format::{Records, TableFormat};
pub use text::TextLines;

use headwater_core::Result;
use headwater_core::env::Env;

/// A format of files that hold records of type `T`. Each file is one that a reader of the format reads by itself.
///
/// One's own:
///
/// ```
/// use headwater::{env::Env, prelude::*, testkit};
/// use headwater_files::{FileFormat, FileSink, RecordWriter};
///
/// /// Numbers of eight bytes.
/// struct Numbers;
/// impl FileFormat<u64> for Numbers {
///     fn writer(&self, _: &Env) -> headwater::Result<Box<dyn RecordWriter<u64>>> {
///         Ok(Box::new(Numbers))
///     }
/// }
/// impl RecordWriter<u64> for Numbers {
///     fn write(&mut self, number: &u64, out: &mut Vec<u8>) -> headwater::Result<()> {
///         out.extend(number.to_be_bytes());
///         Ok(())
///     }
/// }
///
/// let folder = testkit::temporary_folder();
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.rate_stream(1, 1, |n| n + 7).write_to(FileSink::of(Numbers, format!("{folder}/numbers"))).uid("numbers");
/// let running = ssc.start()?;
/// clock.advance(seconds(1));
/// running.await_batches(1)?;
/// running.stop()?;
/// assert_eq!(std::fs::read(format!("{folder}/numbers-1000/part-00000")).unwrap(), [0, 0, 0, 0, 0, 0, 0, 7]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub trait FileFormat<T>: Send + Sync + 'static {
    /// Begins a file, in a task.
    fn writer(&self, env: &Env) -> Result<Box<dyn RecordWriter<T>>>;
}

/// The records of one file, which turns them into bytes; it need not buffer, and never writes to a disk.
pub trait RecordWriter<T> {
    /// Appends the record, or keeps it for a later call. An error fails the task, or refuses the record.
    fn write(&mut self, record: &T, out: &mut Vec<u8>) -> Result<()>;
    /// Whether the file can go on without a record that [`write`](RecordWriter::write) has refused by an error of kind
    /// [`Data`](headwater_core::ErrorKind::Data), once what that has appended is cut off; so not where something is kept.
    fn goes_on_without(&self) -> bool {
        false
    }
    /// Appends what is left, and how the file ends. Called once, behind the last record.
    fn finish(self: Box<Self>, _out: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
