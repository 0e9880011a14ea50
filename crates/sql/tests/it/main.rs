//! The sinks against real databases: SQLite always; PostgreSQL and MySQL, whose servers are installed by
//! `scripts/servers/*/setup`, with `cargo test -p headwater-sql --all-features -- --ignored`.
#![allow(clippy::disallowed_methods, reason = "tests start servers and programs, and look at the disk")]

#[cfg(feature = "mysql")]
mod mysql;
mod numbers;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;
mod suite;
#[cfg(feature = "sqlite")]
mod word_counts;
