//! Text of a batch: what a source receives into, cuts into lines and hands to the user's program.
//!
//! A source fills a [`BlockBuilder`] from its [`BlockPool`], freezes it into a [`Block`] of valid UTF-8 and takes
//! lines from that as [`Text`]. Cutting a line or a word never allocates and never copies more than 15 bytes. When
//! the last text of a block is dropped, the block's memory goes back to its pool.
//!
//! ```
//! use headwater_core::text::{BlockPool, Text};
//!
//! let pool = BlockPool::new(1 << 16, 4);
//! let mut builder = pool.take();
//! builder.extend_from_slice(b"to be\nor not to be\n");
//! let block = builder.freeze().expect("the bytes are UTF-8");
//!
//! let (mut lines, mut position) = (Vec::new(), 0);
//! block.next_lines(&mut position, block.len(), 1024, &mut lines);
//! let words: Vec<Text> = lines.into_iter().flat_map(|line| line.split(' ')).collect();
//! assert_eq!(words, ["to", "be", "or", "not", "to", "be"]);
//! ```

mod block;
mod builder;
mod by_reference;
mod chars;
mod convert;
mod edit;
mod pack;
mod pool;
mod raw;
mod separator;
mod serde;
mod split;
mod whitespace;

pub use block::Block;
pub use builder::BlockBuilder;
pub use by_reference::TextByReference;
pub use chars::{Bytes, CharIndices, Chars};
pub(crate) use pack::pack;
pub use pool::BlockPool;
pub use raw::{SplitChar, Text};
pub use separator::Separator;
pub use split::{Lines, RSplit, Split, SplitBy, SplitN, SplitStr, SplitTerminator};
pub use whitespace::{SplitAsciiWhitespace, SplitWhitespace};

#[cfg(test)]
mod tests;
