//! The program `headwater` on a folder that a small program has left on the local disk. What it prints is compared with
//! `tests/data`; `UPDATE_GOLDEN=1` writes those files.
#![allow(clippy::disallowed_methods, reason = "a test starts the program and reads its own files")]

mod cut;
mod dead_letters;
mod golden;
mod plan;
mod program;
mod refusals;
