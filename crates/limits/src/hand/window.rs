//! Aggregates by key over the last ten batches: what is in the window is kept up to date, batch by batch.

use super::Map;
use super::two_stacks::TwoStacks;
use crate::checksum;
use std::collections::VecDeque;

/// Batches of a window.
const LENGTH: usize = 10;

/// Sums: what leaves is subtracted, what enters is added. Keys stay, as they do in Spark.
#[derive(Default)]
pub(crate) struct Sums<'a> {
    window: VecDeque<&'a [(u64, u64)]>,
    sums: Map<u64, u64>,
}

impl<'a> Sums<'a> {
    /// Moves on by a batch, and emits all keys and their sums.
    pub(crate) fn batch(&mut self, records: &'a [(u64, u64)]) -> u64 {
        self.window.push_back(records);
        if self.window.len() > LENGTH {
            for (key, value) in self.window.pop_front().expect("the window is longer than that") {
                *self.sums.get_mut(key).expect("keys stay") -= value;
            }
        }
        for (key, value) in records {
            *self.sums.entry(*key).or_default() += value;
        }
        checksum::total(self.sums.iter().map(|(key, sum)| checksum::reduced(*key, *sum)))
    }
}

/// Largest values, which cannot be taken back: two stacks for each key.
#[derive(Default)]
pub(crate) struct Largest {
    stacks: Map<u64, TwoStacks>,
    /// The keys that each batch of the window has.
    window: VecDeque<Vec<u64>>,
    now: u64,
}

impl Largest {
    /// Moves on by a batch, and emits the keys in the window with what they come to.
    pub(crate) fn batch(&mut self, records: &[(u64, u64)]) -> u64 {
        let mut keys = Vec::new();
        if self.window.len() == LENGTH {
            keys = self.window.pop_front().expect("the window is full");
            keys.iter().for_each(|key| self.stacks.get_mut(key).expect("the key is in the window").pop(u64::max));
            keys.clear();
        }
        self.now += 1;
        for (key, value) in records {
            if self.stacks.entry(*key).or_default().push(self.now, *value, u64::max) {
                keys.push(*key);
            }
        }
        self.window.push_back(keys);
        let mut total: u64 = 0;
        self.stacks.retain(|key, stacks| {
            let Some(largest) = stacks.total(u64::max) else { return false };
            total = total.wrapping_add(checksum::reduced(*key, largest));
            true
        });
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn windows_come_to_what_their_records_do() {
        let batches = crate::data::batches(50, 8, 30);
        let (mut sums, mut largest) = (Sums::default(), Largest::default());
        for end in 1..=batches.len() {
            let window = batches[end.saturating_sub(LENGTH)..end].concat();
            let (mut by_sum, mut by_size) = (HashMap::<u64, u64>::new(), HashMap::<u64, u64>::new());
            for (key, value) in &window {
                *by_sum.entry(*key).or_default() += value;
                by_size.entry(*key).and_modify(|most| *most = *value.max(most)).or_insert(*value);
            }
            let total = |map: HashMap<u64, u64>| {
                checksum::total(map.into_iter().map(|(key, value)| checksum::reduced(key, value)))
            };
            assert_eq!(sums.batch(&batches[end - 1]), total(by_sum));
            assert_eq!(largest.batch(&batches[end - 1]), total(by_size));
            assert_eq!(
                largest.stacks.len(),
                window.iter().map(|(key, _)| key).collect::<std::collections::HashSet<_>>().len()
            );
        }
    }
}
