//! Our files and Hadoop's, each read by the other: as golden files, and with Hadoop itself where it is asked for. And
//! sinks, whose batches a reader sees once, whatever fails and ends in between.

mod cases;
mod golden;
mod hadoop;
mod readers;
mod sink_rules;
