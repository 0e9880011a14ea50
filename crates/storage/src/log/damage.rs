//! What a reader finds that is not as it was written: a [`TornTail`] is what a crash leaves, [`LogDamage`] is not.

use headwater_core::{Error, ErrorKind};
use std::fmt;

/// The end of the newest segment that a crash left incomplete. Nothing of it was ever synced, as far as a log can tell:
/// damage to what was synced last looks the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// The segment's path.
    pub path: String,
    /// Where the valid part ends.
    pub offset: u64,
    /// How many bytes stand behind it, which are passed over from now on.
    pub bytes: u64,
}

impl fmt::Display for TornTail {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let TornTail { path, offset, bytes } = self;
        write!(f, "{path} ends in a torn write: the {bytes} bytes from byte {offset} on are passed over")
    }
}

/// Damage to what was durable. It is the source of the error that a reader returns, which has the kind `Data`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogDamage {
    /// The path of the segment that is damaged or missing.
    pub path: String,
    /// Where the damage begins there.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
    /// The newest good point: a segment and an offset that [`cut_log`](crate::cut_log) takes. `None` if not even the
    /// first segment reads.
    pub good: Option<(u64, u64)>,
    /// How many records stand before that point, from where the reading began.
    pub records: u64,
}

impl fmt::Display for LogDamage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let LogDamage { path, offset, what, good, records } = self;
        write!(f, "{path} is damaged at byte {offset}: {what}; ")?;
        match good {
            Some((segment, end)) => write!(
                f,
                "the newest good point is byte {end} of segment {segment}, behind {records} records: restore the \
                 folder from a copy, or cut the log there, which loses all that came later"
            ),
            None => write!(f, "nothing before it is good: restore the folder from a copy"),
        }
    }
}
impl std::error::Error for LogDamage {}

impl From<LogDamage> for Error {
    fn from(damage: LogDamage) -> Error {
        Error::new(ErrorKind::Data, "the log is damaged").because(damage)
    }
}
