//! Dead letters: records on which an operator's closure failed and that it set aside, so that the rest of the batch goes on.
//! A task gathers those of its partition and hands them over when it has succeeded; a [`DeadLetterStore`] keeps them.

mod gathering;
mod letter;
mod memory;
mod outlet;
mod store;

pub(crate) use gathering::{Failure, Gathering};
pub use letter::{DeadLetter, Letter, LetterSource, Redriven, SetAside};
pub(crate) use memory::MemoryDeadLetters;
pub(crate) use outlet::{Outlet, OutletOfBatch};
pub use store::{DeadLetterLimits, DeadLetterStore};
