//! Records as bytes: [`Segment`]s in memory, and files of them with a version and checksums. What serialised and
//! spilled blocks of the block store, checkpointed datasets and object files hold.

mod file;
mod object_file;
mod segment;

pub(crate) use file::{END_BYTES, FRAME_BYTES, FrameReader, FrameWriter, name_of};
pub use object_file::{ObjectReader, ObjectWriter};
pub(crate) use segment::{Segment, SegmentWriter};
