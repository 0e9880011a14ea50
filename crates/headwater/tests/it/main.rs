//! The integration tests of the facade: whole programs, by the test kit.

mod basic_operations;
mod compile_fail;
mod conf;
mod failures;
mod files;
mod lifecycle;
mod operator_ids;
mod programs;
mod sharing;
mod shuffles;
mod socket;
