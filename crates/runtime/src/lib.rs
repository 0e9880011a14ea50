//! What runs a Headwater application in one process: the streaming context, the scheduler of batches, the local
//! engine, the built-in inputs, the real environment and the test kit. Programs depend on the facade crate
//! `headwater` instead.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod conf;
mod context;
mod durable;
pub mod engine;
mod env;
mod input;
mod listeners;
mod running;
mod scheduler;
pub mod testkit;
mod write_ahead_logs;

pub use conf::{Conf, ConfEntry, ConfSource};
pub use context::StreamingContext;
pub use durable::folder as checkpoint;
pub use durable::{Fate, OperatorFate, UpgradePlan};
pub use env::system_env;
pub use input::RddQueue;
pub use running::{RunningContext, StopHandle};
pub use scheduler::{ListenerHandle, Progress, StreamingContextState};
