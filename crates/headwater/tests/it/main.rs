//! The integration tests of the facade: whole programs, by the test kit.

mod basic_operations;
mod compile_fail;
mod failures;
mod files;
mod lifecycle;
mod listeners;
mod operator_ids;
mod queue;
mod sharing;
mod shuffles;
mod socket;
mod socket_stream;
