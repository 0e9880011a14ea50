//! Our files and Hadoop's, each read by the other: as golden files, and with Hadoop itself where it is asked for.

mod cases;
mod golden;
mod hadoop;
