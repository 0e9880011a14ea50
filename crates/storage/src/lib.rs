//! What Headwater keeps on disks and in stores.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod faulty;
mod local;
mod memory;
mod path;

pub use faulty::{Failure, FaultPlan, FaultyStorage};
pub use local::LocalStorage;
pub use memory::MemoryStorage;
