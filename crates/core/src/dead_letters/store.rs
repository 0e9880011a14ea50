//! [`DeadLetterStore`]: where dead letters go, and from where an operator gets them once more.

use super::letter::{DeadLetter, Redriven, SetAside};
use crate::Result;
use crate::origin::OperatorId;
use crate::time::Time;

/// How much may be set aside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeadLetterLimits {
    /// Letters.
    pub letters: u64,
    /// Bytes of records and errors, and some 64 more for each letter.
    pub bytes: u64,
}

impl Default for DeadLetterLimits {
    fn default() -> DeadLetterLimits {
        DeadLetterLimits { letters: 1_000_000, bytes: 1 << 30 }
    }
}

impl DeadLetterLimits {
    /// Whether so much is within them.
    pub fn allow(&self, letters: u64, bytes: u64) -> bool {
        letters <= self.letters && bytes <= self.bytes
    }
}

/// Keeps what is set aside.
pub trait DeadLetterStore: Send + Sync {
    /// What it has room for.
    fn limits(&self) -> DeadLetterLimits;
    /// Where it is full: whether the oldest letters go. Otherwise what has no room is an error.
    fn drops_oldest(&self) -> bool;
    /// Whether there is room for so much more; the error names the limit and what helps. Asked by tasks, while they find it.
    fn check_room(&self, letters: u64, bytes: u64) -> Result<()>;
    /// Takes over what a task has set aside of a partition. Of a partition that is computed a second time the same comes
    /// again, or the beginning of it: it counts once.
    fn put(&self, found: SetAside) -> Result<()>;
    /// As [`put`](DeadLetterStore::put), of what room was asked for and must be kept: above the limits, if others came first.
    fn put_anyway(&self, found: SetAside) -> Result<()>;
    /// Fixes which letters batch `time` gets once more, before anything of the batch is made; `operators` are those that
    /// can have some. Where the program has a stream of letters, it gets the others, but for those of operators that are
    /// behind it: `stream`.
    fn allocate(&self, time: Time, operators: &[OperatorId], stream: Option<&[OperatorId]>);
    /// Those that the stream of letters has in batch `time`.
    fn streamed(&self, time: Time) -> Result<Vec<DeadLetter>>;
    /// Those that `operator` gets in batch `time`.
    fn redriven(&self, _operator: OperatorId, _time: Time) -> Vec<Redriven> {
        Vec::new()
    }
}
