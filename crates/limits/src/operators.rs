//! The functions of the chain and of the state, the same for the engine and for the loop.
//! The chain's numbers pass through `black_box`, so that the compiler cannot work out a chain ahead of time.

use std::hint::black_box;

/// The function of a map at `position` in the chain: an exclusive or and a multiplication.
pub(crate) fn map(position: u64) -> impl Fn(u64) -> u64 + Copy + Send + Sync + 'static {
    let (mask, factor) = (black_box(position * 0x1234_5678_9abc), black_box(position * 2 + 3));
    move |record| (record ^ mask).wrapping_mul(factor)
}

/// The function of a filter at `position`: drops one record of sixteen.
pub(crate) fn filter(position: u64) -> impl Fn(&u64) -> bool + Copy + Send + Sync + 'static {
    let dropped = black_box(position % 16);
    move |record| record >> 60 != dropped
}

/// The function of update_state_by_key: the sum of all values that a key ever had.
pub(crate) fn sum_of(values: &[u64], sum: Option<&u64>) -> Option<u64> {
    Some(values.iter().fold(sum.copied().unwrap_or(0), |sum, value| sum.wrapping_add(*value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_drops_one_of_sixteen() {
        let records = crate::data::records(16_000);
        let kept = records.iter().filter(|record| filter(3)(record)).count();
        assert!((14_800..15_200).contains(&kept), "{kept}");
    }
}
