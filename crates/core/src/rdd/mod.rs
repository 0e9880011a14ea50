//! Resilient distributed datasets: what the tasks of a batch compute.

pub mod aggregator;
pub mod combine_table;
pub mod retain;
