//! The integration tests of the facade: whole programs, by the test kit.

mod basic_operations;
mod compile_fail;
mod conf;
mod disk;
mod failures;
mod files;
mod lifecycle;
mod lineage;
mod operator_ids;
mod persist;
mod sharing;
mod shuffles;
mod socket;
mod storage;
