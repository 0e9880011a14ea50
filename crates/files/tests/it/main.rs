//! Our files and Hadoop's, each read by the other: as golden files, and with Hadoop itself where it is asked for. And
//! sinks, whose batches a reader sees once, whatever fails and ends in between.

mod batch_folder_crashes;
mod cases;
mod disk_troubles;
mod golden;
mod hadoop;
mod lives;
mod lost_ledgers;
mod readers;
mod simulated_disk;
mod sink_rules;
mod table_crashes;
mod table_rules;
mod takeovers;
