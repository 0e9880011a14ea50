//! The test kit: run any streaming program in a test, without sleeping. Time stands still until the test moves it, and
//! a test waits for what happens, not for time to pass.
//!
//! A test is data: [`check`]`(batches in, program, batches out)`. For what does not fit that form, take a
//! [`streaming_context`] with its clock, or the [`TestEnv`] below it.

mod both_engines;
mod check;
mod crash;
mod env;
mod folder;
mod input;
mod isolated;
mod memory_source;
mod reliable_sender;
mod signals;
mod sink_test;
mod spill;

pub use both_engines::{CheckOnBothEngines, check_on_both_engines, check_two_on_both_engines};
pub use check::{Check, check, check_two, printed};
pub use crash::{CrashReport, CrashTest, Refusal, SimulationReport, Told, crash_anywhere};
pub use env::{TestEnv, context, streaming_context};
pub use folder::{TemporaryFolder, temporary_folder};
pub use input::test_input;
pub use isolated::{IsolatedProgram, isolated};
pub use memory_source::MemorySource;
pub use reliable_sender::ReliableSender;
pub use signals::TestSignals;
pub use sink_test::SinkTest;
pub use spill::{MemorySpill, SpillFault};
