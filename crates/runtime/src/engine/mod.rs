//! Engines that run jobs in this process.

pub(crate) mod isolated;
mod local;
mod stages;
mod task_set;

pub use local::LocalEngine;
