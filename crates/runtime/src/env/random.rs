//! Random seeds from the operating system, by way of std's hasher keys.
#![allow(clippy::disallowed_methods, reason = "the real environment")]

use headwater_core::env::Random;
use std::hash::{BuildHasher, RandomState};

pub(super) struct SystemRandom;

impl Random for SystemRandom {
    /// std keys each `RandomState` from the system's random source; hashing anything with it gives 64 bits of that.
    fn next_u64(&self) -> u64 {
        RandomState::new().hash_one(0u64)
    }
}
