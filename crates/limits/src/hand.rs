//! The loops a careful programmer writes first, one file each: what the engine is measured against.
//! They use the libraries the engine may use too, and no unsafe code.

pub(crate) mod chain;
pub(crate) mod chunked;
pub(crate) mod grep;
pub(crate) mod shares;
pub(crate) mod shuffle;
#[cfg(feature = "sql")]
pub(crate) mod sql;
pub(crate) mod state;
pub(crate) mod timeouts;
mod two_stacks;
pub(crate) mod window;
pub(crate) mod word_count;

/// A map with foldhash under a fixed state, so that all rounds do the same work.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::FixedState>;
