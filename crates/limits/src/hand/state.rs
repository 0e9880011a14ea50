//! Sums by key that outlive the batch, in one hash map that is changed in place.

use super::Map;
use crate::checksum;
use crate::operators::sum_of;

/// Touches the keys that a batch brings, and no others.
#[derive(Default)]
pub(crate) struct RunningSums {
    sums: Map<u64, u64>,
}

impl RunningSums {
    /// Adds each record's value to its key's sum, and emits the key and the sum.
    pub(crate) fn batch(&mut self, records: &[(u64, u64)]) -> u64 {
        checksum::total(records.iter().map(|(key, value)| {
            let sum = self.sums.entry(*key).or_default();
            *sum = sum.wrapping_add(*value);
            checksum::reduced(*key, *sum)
        }))
    }
}

/// Asks the user's function about every key in every batch.
#[derive(Default)]
pub(crate) struct Updated {
    states: Map<u64, Entry>,
    /// The batch's values of each key that has any; kept from batch to batch for their memory.
    groups: Vec<Vec<u64>>,
}

/// What the batch has for a key.
struct Entry {
    /// Of no meaning before the key's first batch has ended.
    state: u64,
    is_new: bool,
    /// Where its values are, or `NONE`.
    group: u32,
}
const NONE: u32 = u32::MAX;

impl Updated {
    /// Brings the values to their keys, then calls [`sum_of`] for every key and emits all keys and their states.
    pub(crate) fn batch(&mut self, records: &[(u64, u64)]) -> u64 {
        let Updated { states, groups } = self;
        let mut used = 0;
        for (key, value) in records {
            let entry = states.entry(*key).or_insert(Entry { state: 0, is_new: true, group: NONE });
            if entry.group == NONE {
                entry.group = used as u32;
                used += 1;
                if groups.len() < used {
                    groups.push(Vec::new());
                }
            }
            groups[entry.group as usize].push(*value);
        }
        let mut total: u64 = 0;
        states.retain(|key, entry| {
            let values = if entry.group == NONE { &[] } else { groups[entry.group as usize].as_slice() };
            let Some(state) = sum_of(values, Some(&entry.state).filter(|_| !entry.is_new)) else { return false };
            *entry = Entry { state, is_new: false, group: NONE };
            total = total.wrapping_add(checksum::reduced(*key, state));
            true
        });
        groups[..used].iter_mut().for_each(Vec::clear);
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_outlive_batches() {
        let mut sums = RunningSums::default();
        assert_eq!(sums.batch(&[(3, 10), (5, 1), (3, 20)]), 3 * 10 + 5 + 3 * 30);
        assert_eq!(sums.batch(&[(5, 2)]), 5 * 3);
    }

    #[test]
    fn idle_keys_are_emitted_too() {
        let mut updated = Updated::default();
        assert_eq!(updated.batch(&[(3, 10), (5, 1), (3, 20)]), 3 * 30 + 5);
        assert_eq!(updated.batch(&[(5, 2)]), 3 * 30 + 5 * 3);
        assert_eq!(updated.batch(&[]), 3 * 30 + 5 * 3);
    }
}
