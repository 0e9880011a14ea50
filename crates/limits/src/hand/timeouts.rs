//! Sums by key that time out: one hash map, and for each batch the keys that it touched, oldest batch first.

use super::Map;
use crate::checksum;
use hashbrown::hash_map::Entry;
use std::collections::VecDeque;

pub(crate) struct Timeouts {
    /// The sum, and the batch of the key's last record.
    sums: Map<u64, (u64, u64)>,
    /// The keys that each of the last batches touched: a deadline each, since all wait equally long.
    touched: VecDeque<Vec<u64>>,
    /// Memory of a batch that is over.
    spare: Vec<u64>,
    now: u64,
    /// How many batches behind its last record a key leaves.
    lifetime: u64,
}

impl Timeouts {
    pub(crate) fn new(lifetime: usize) -> Timeouts {
        let (sums, touched, spare) = Default::default();
        Timeouts { sums, touched, spare, now: 0, lifetime: lifetime as u64 }
    }

    /// Adds each record's value to its key's sum and emits both; then emits the keys that time out.
    pub(crate) fn batch(&mut self, records: &[(u64, u64)]) -> u64 {
        self.now += 1;
        let mut touched = std::mem::take(&mut self.spare);
        let mut total: u64 = 0;
        for (key, value) in records {
            let (sum, last) = self.sums.entry(*key).or_default();
            *sum = sum.wrapping_add(*value);
            if *last != self.now {
                *last = self.now;
                touched.push(*key);
            }
            total = total.wrapping_add(checksum::reduced(*key, *sum));
        }
        self.touched.push_back(touched);
        if self.touched.len() as u64 > self.lifetime {
            total = total.wrapping_add(self.time_out());
        }
        total
    }

    fn time_out(&mut self) -> u64 {
        let (due, mut total) = (self.now - self.lifetime, 0u64);
        self.spare = self.touched.pop_front().expect("a batch is due");
        for key in self.spare.drain(..) {
            let Entry::Occupied(entry) = self.sums.entry(key) else { continue };
            let (sum, last) = *entry.get();
            if last == due {
                entry.remove();
                total = total.wrapping_add(checksum::reduced(key, sum));
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_leave_behind_their_last_record() {
        let mut timeouts = Timeouts::new(2);
        assert_eq!(timeouts.batch(&[(3, 10), (5, 1), (3, 20)]), 30 + 5 + 90);
        assert_eq!(timeouts.batch(&[(5, 2)]), 15);
        assert_eq!(timeouts.batch(&[]), 90);
        assert_eq!((timeouts.batch(&[]), timeouts.batch(&[])), (15, 0));
        assert!(timeouts.sums.is_empty());
        assert_eq!(timeouts.batch(&[(5, 7)]), 35);
    }
}
