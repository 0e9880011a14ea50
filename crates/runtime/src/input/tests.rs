//! Received blocks over crashes: a program of one input is driven as a durable context drives it, on disks that fail at
//! any step.

mod crashes;
mod golden;
mod logs;
mod peer;
mod process;
mod reliable;
mod restart;
