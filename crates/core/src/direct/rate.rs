//! Records a second as records of a batch: by batch times alone, and exact over any number of batches.

use crate::time::Time;

/// How many records are due in the time behind `since` up to `until`, at so many a second. Neighbouring times add up:
/// at 3 a second, batches of half a second have 1, 2, 1, 2, ... records.
pub(super) fn due(per_second: u64, since: Time, until: Time) -> u64 {
    let up_to = |time: Time| (i128::from(time.milliseconds()) * i128::from(per_second)).div_euclid(1000);
    u64::try_from((up_to(until) - up_to(since)).max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn parts_of_a_record_go_into_a_later_batch() {
        let batches = |per_second| (0..4).map(|n| due(per_second, at(500 * n), at(500 * (n + 1)))).collect::<Vec<_>>();
        assert_eq!(batches(3), [1, 2, 1, 2]);
        assert_eq!(batches(1), [0, 1, 0, 1]);
        assert_eq!(due(u64::MAX, at(0), at(i64::MAX)), u64::MAX);
        assert_eq!(due(10, at(1000), at(0)), 0);
    }

    proptest! {
        #[test]
        fn neighbouring_times_add_up(rate in 1u64..10_000_000, from in -100_000i64..100_000, a in 0i64..9999, b in 0i64..9999) {
            let (start, middle, end) = (at(from), at(from + a), at(from + a + b));
            prop_assert_eq!(due(rate, start, middle) + due(rate, middle, end), due(rate, start, end));
        }
    }
}
