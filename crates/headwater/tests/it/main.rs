//! The integration tests of the facade: whole programs, by the test kit.

mod basic_operations;
mod compile_fail;
mod conf;
mod disk;
mod failures;
mod files;
mod isolated;
mod lifecycle;
mod lineage;
mod listeners;
mod operator_ids;
mod persist;
mod pipelines;
mod programs;
mod queue;
mod rdd_actions;
mod rdd_operators;
mod rdd_properties;
mod rdds_in_streams;
mod sharing;
mod shuffles;
mod socket;
mod socket_stream;
mod storage;
mod stream_properties;
