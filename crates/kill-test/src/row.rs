//! [`Row`]: what every program writes.

use serde::{Deserialize, Serialize};

/// A value of a key in a batch.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Row {
    /// The batch time, in milliseconds.
    pub(crate) time: i64,
    /// A record's number, a key or an account.
    pub(crate) key: i64,
    /// What the program makes of it.
    pub(crate) value: i64,
}
