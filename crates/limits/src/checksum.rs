//! What contenders return, so that a wrong result cannot look fast. Each folds a result in any order, with additions,
//! and reads no memory that the work itself has not just touched: comparing must not cost what it compares.

/// One entry of a word count; add them up.
pub(crate) fn word(length: usize, count: u64) -> u64 {
    count.wrapping_mul(count.wrapping_add(length as u64))
}

/// One entry of a reduce_by_key; add them up, wrapping.
pub(crate) fn reduced(key: u64, sum: u64) -> u64 {
    (key | 1).wrapping_mul(sum)
}

/// One entry of a group_by_key; add them up, wrapping.
pub(crate) fn grouped(key: u64, length: usize) -> u64 {
    (key | 1).wrapping_mul(length as u64)
}

/// Adds up, wrapping, which `Iterator::sum` does not in a debug build.
pub(crate) fn total(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, u64::wrapping_add)
}
