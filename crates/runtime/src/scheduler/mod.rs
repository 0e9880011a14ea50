//! Batches in time: the [`job_generator`] turns ticks into jobs, the [`job_scheduler`] runs them, [`status`] is what
//! waiting callers see, and the [`listener_bus`] tells listeners.

mod batch_report;
mod commit_lane;
mod commits;
mod job_generator;
mod job_queue;
mod job_scheduler;
mod listener_bus;
mod status;
mod tries;

pub(crate) use commits::Commits;
pub(crate) use job_generator::{Event, EventQueue, JobGenerator, Phase};
pub(crate) use job_scheduler::JobScheduler;
pub use listener_bus::ListenerHandle;
pub(crate) use listener_bus::{ListenerBus, Listeners, Registered};
pub(crate) use status::{Deadline, NO_BATCHES, Status, StopMode};
pub use status::{Progress, StreamingContextState};
pub(crate) use tries::tried;
