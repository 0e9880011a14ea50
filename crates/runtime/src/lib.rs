//! What runs a Headwater application in one process: the streaming context, the scheduler of batches, the local
//! engine, the built-in inputs, the real environment and the test kit. Programs depend on the facade crate
//! `headwater` instead.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod conf;
mod context;
mod durable;
mod ending_thread;
pub mod engine;
mod env;
mod input;
mod listeners;
mod remaining;
mod running;
mod scheduler;
mod signals;
mod stop_handle;
mod stopping;
pub mod testkit;
mod write_ahead_logs;

pub use conf::{Conf, ConfEntry, ConfSource};
pub use context::StreamingContext;
pub use durable::folder as checkpoint;
pub use durable::{Fate, OperatorFate, UpgradePlan};
pub use env::system_env;
pub use input::RddQueue;
pub use remaining::{Remaining, RunningOutput};
pub use running::RunningContext;
pub use scheduler::{ListenerHandle, Progress, StreamingContextState};
pub use stop_handle::StopHandle;
