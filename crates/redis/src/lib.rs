//! Redis for Headwater: [`RedisSink`] writes each batch of a stream once, and [`RedisLookUp`] completes records by what
//! Redis has. [`look_up`] does the latter for async clients of any kind.
//!
//! [`RedisServer`] says which server, with which password and certificates; TLS is by rustls.
#![deny(missing_docs)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod argument;
mod errors;
pub mod look_up;
mod redis_look_up;
mod resp;
mod server;
mod sink;

pub use argument::RedisArg;
pub use redis_look_up::{RedisLookUp, RedisValue};
pub use server::RedisServer;
pub use sink::{MaxLen, RedisSink, RedisSinkBuilder, RedisWrite};

/// The programs in the guide compile and run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../docs/guide/14-redis.md")]
    struct Redis;
}
