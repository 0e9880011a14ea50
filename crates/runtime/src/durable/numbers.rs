//! [`Numbers`]: a set of numbers as ranges, which stays small where neighbours come and go together.

use serde::{Deserialize, Serialize};

/// Ranges that do not touch, in order; each without its end.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Numbers(Vec<(u64, u64)>);

impl Numbers {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|(from, until)| until - from).sum()
    }
    pub(super) fn contains(&self, number: u64) -> bool {
        let at = self.0.partition_point(|(_, until)| *until <= number);
        self.0.get(at).is_some_and(|(from, _)| *from <= number)
    }
    pub(super) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied()
    }
    pub(super) fn insert(&mut self, from: u64, until: u64) {
        if from >= until {
            return;
        }
        // Those that it touches become one with it.
        let first = self.0.partition_point(|(_, end)| *end < from);
        let behind = self.0.partition_point(|(begin, _)| *begin <= until);
        let touched = &self.0[first..behind];
        let from = touched.first().map_or(from, |(begin, _)| from.min(*begin));
        let until = touched.last().map_or(until, |(_, end)| until.max(*end));
        self.0.splice(first..behind, [(from, until)]);
    }
    pub(super) fn remove(&mut self, from: u64, until: u64) {
        if from >= until {
            return;
        }
        let first = self.0.partition_point(|(_, end)| *end <= from);
        let behind = self.0.partition_point(|(begin, _)| *begin < until);
        let left = self.0[first..behind].first().map(|(begin, _)| (*begin, from));
        let right = self.0[first..behind].last().map(|(_, end)| (until, *end));
        let rest: Vec<(u64, u64)> = left.into_iter().chain(right).filter(|(from, until)| from < until).collect();
        self.0.splice(first..behind, rest);
    }
    pub(super) fn insert_all(&mut self, others: &Numbers) {
        others.ranges().for_each(|(from, until)| self.insert(from, until));
    }
    pub(super) fn remove_all(&mut self, others: &Numbers) {
        others.ranges().for_each(|(from, until)| self.remove(from, until));
    }
}

impl FromIterator<u64> for Numbers {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Numbers {
        let mut all = Numbers::default();
        numbers.into_iter().for_each(|number| all.insert(number, number + 1));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_a_set() {
        let (mut numbers, mut set, mut seed) = (Numbers::default(), BTreeSet::new(), 1u64);
        for step in 0..5000 {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (from, count, inserts) = ((seed >> 33) % 200, (seed >> 50) % 12, (seed >> 60) % 2 == 0);
            let until = from + count;
            if inserts {
                numbers.insert(from, until);
                set.extend(from..until);
            } else {
                numbers.remove(from, until);
                set.retain(|number| !(from..until).contains(number));
            }
            let listed: Vec<u64> = numbers.ranges().flat_map(|(from, until)| from..until).collect();
            assert_eq!(listed, set.iter().copied().collect::<Vec<_>>(), "step {step}");
            assert!((0..220).all(|number| numbers.contains(number) == set.contains(&number)), "step {step}");
            assert_eq!(numbers.count(), set.len() as u64);
            assert!(numbers.0.windows(2).all(|pair| pair[0].1 < pair[1].0), "{numbers:?}");
        }
    }
}
