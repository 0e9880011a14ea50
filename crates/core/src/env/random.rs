//! [`Random`]: where seeds come from.

/// Random numbers that an outsider cannot guess, for seeds; not for bulk data.
pub trait Random: Send + Sync {
    /// 64 random bits.
    fn next_u64(&self) -> u64;
}
