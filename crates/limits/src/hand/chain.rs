//! Chains of map and filter in one static iterator, which the compiler fuses into a single loop.

use super::shares;
use crate::checksum::total;
use crate::operators::{filter, map};

/// Adds up what is left of the records behind 1, 3 or 10 operators: map, filter, map, filter and so on.
pub(crate) fn sum(records: &[u64], operators: usize, local: usize) -> u64 {
    let share = match operators {
        1 => one,
        3 => three,
        10 => ten,
        other => panic!("no loop is written for {other} operators"),
    };
    total(shares::each(shares::of_records(records, local), share).into_iter())
}

fn one(records: &[u64]) -> u64 {
    total(records.iter().copied().map(map(0)))
}

fn three(records: &[u64]) -> u64 {
    total(records.iter().copied().map(map(0)).filter(filter(1)).map(map(2)))
}

fn ten(records: &[u64]) -> u64 {
    let four = records.iter().copied().map(map(0)).filter(filter(1)).map(map(2)).filter(filter(3));
    let eight = four.map(map(4)).filter(filter(5)).map(map(6)).filter(filter(7));
    total(eight.map(map(8)).filter(filter(9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_do_not_change_the_sum() {
        let records = crate::data::records(1000);
        for operators in [1, 3, 10] {
            assert_eq!(sum(&records, operators, 1), sum(&records, operators, 3));
        }
    }
}
