//! Redis for Headwater: [`RedisSink`] writes each batch of a stream once.
//!
//! [`RedisServer`] says which server, with which password and certificates; TLS is by rustls.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod argument;
mod errors;
mod resp;
mod server;
mod sink;

pub use argument::RedisArg;
pub use server::RedisServer;
pub use sink::{MaxLen, RedisSink, RedisSinkBuilder, RedisWrite};
