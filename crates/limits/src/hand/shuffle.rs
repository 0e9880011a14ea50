//! reduce_by_key and group_by_key as one pass over the pairs into one hash map; threads fill one each and merge.

use super::{Map, shares};
use crate::checksum;

/// Adds up the values of each key.
pub(crate) fn reduce_by_key(pairs: &[(u64, u64)], local: usize) -> u64 {
    let mut tables = shares::each(shares::of_records(pairs, local), reduce_share).into_iter();
    let mut all = tables.next().unwrap_or_default();
    for (key, sum) in tables.flatten() {
        add(&mut all, key, sum);
    }
    checksum::total(all.iter().map(|(key, sum)| checksum::reduced(*key, *sum)))
}

fn reduce_share(pairs: &[(u64, u64)]) -> Map<u64, u64> {
    let mut table = Map::default();
    pairs.iter().for_each(|(key, value)| add(&mut table, *key, *value));
    table
}

fn add(table: &mut Map<u64, u64>, key: u64, value: u64) {
    let sum = table.entry(key).or_default();
    *sum = sum.wrapping_add(value);
}

/// Collects the values of each key.
pub(crate) fn group_by_key(pairs: &[(u64, u64)], local: usize) -> u64 {
    let mut tables = shares::each(shares::of_records(pairs, local), group_share).into_iter();
    let mut all = tables.next().unwrap_or_default();
    for (key, values) in tables.flatten() {
        all.entry(key).or_default().extend(values);
    }
    checksum::total(all.iter().map(|(key, values)| checksum::grouped(*key, values.len())))
}

fn group_share(pairs: &[(u64, u64)]) -> Map<u64, Vec<u64>> {
    let mut table: Map<u64, Vec<u64>> = Map::default();
    pairs.iter().for_each(|(key, value)| table.entry(*key).or_default().push(*value));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_reduced_and_grouped() {
        let pairs = [(3, 10), (5, 1), (3, 20)];
        assert_eq!(reduce_share(&pairs)[&3], 30);
        assert_eq!(group_share(&pairs)[&3], [10, 20]);
        assert_eq!((reduce_by_key(&pairs, 1), reduce_by_key(&pairs, 2)), (95, 95));
        assert_eq!((group_by_key(&pairs, 1), group_by_key(&pairs, 2)), (11, 11));
        assert_eq!(reduce_by_key(&[], 2), 0);
    }
}
