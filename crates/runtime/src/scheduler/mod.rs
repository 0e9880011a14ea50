//! Batches in time: the [`job_generator`] turns ticks into jobs, the [`job_scheduler`] runs them, and [`status`] is
//! what waiting callers see.

mod job_generator;
mod job_scheduler;
mod status;

pub(crate) use job_generator::{Event, EventQueue, JobGenerator, Phase};
pub(crate) use job_scheduler::JobScheduler;
pub use status::Progress;
pub(crate) use status::{NO_BATCHES, Status, StopMode};
