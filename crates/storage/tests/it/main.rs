//! Storages, logs and journals under everything that can go wrong with a disk and a process.

mod conformance;
mod crashes;
mod damage;
mod failures;
mod fencing;
mod golden;
mod journal;
mod local;
mod size;
mod support;
mod write_ahead_log;
