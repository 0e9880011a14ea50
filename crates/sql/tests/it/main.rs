//! The sinks against real databases: SQLite always; PostgreSQL and MySQL, which need their servers on the machine, with
//! `cargo test -p headwater-sql --all-features -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "tests start servers and programs, and look at the disk")]

mod place;
mod suite;

#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod word_counts;
