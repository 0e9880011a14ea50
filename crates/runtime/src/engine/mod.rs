//! Engines that run jobs in this process.

mod local;
mod task_set;

pub use local::LocalEngine;
