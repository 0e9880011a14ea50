//! [`FoundShuffles`]: the shuffles that a lineage reads, found by one walk over its nodes before a stage runs.

use super::Shuffle;
use rapidhash::fast::RapidHashMap;
use std::sync::Arc;

/// What a walk over a lineage has found so far. However often the lineage forks and joins, the walk takes no longer
/// than the lineage is large.
#[derive(Default)]
pub struct FoundShuffles {
    shuffles: Vec<Arc<dyn Shuffle>>,
    depth: usize,
    visits: Visits,
    highest_state: Option<usize>,
}

impl FoundShuffles {
    /// What `walk` finds.
    pub(crate) fn by(walk: impl FnOnce(&mut FoundShuffles)) -> Vec<Arc<dyn Shuffle>> {
        let mut found = FoundShuffles::default();
        walk(&mut found);
        found.shuffles
    }
    /// A shuffle that the lineage reads.
    pub fn push(&mut self, shuffle: Arc<dyn Shuffle>) {
        self.shuffles.push(shuffle);
    }
    /// The lineage reads entries of the state of that rank.
    pub(crate) fn reads_state(&mut self, rank: usize) {
        self.highest_state = self.highest_state.max(Some(rank));
    }
    /// The highest rank of a state whose entries it reads.
    pub(crate) fn highest_state(&self) -> Option<usize> {
        self.highest_state
    }
    /// Lets `visit` walk on from `node`, unless that is more than `depth_max` nodes deep. A node that is read twice finds
    /// its shuffles twice; that it is read more often makes no difference.
    pub(super) fn visit<N>(&mut self, node: &N, depth_max: usize, visit: impl FnOnce(&mut FoundShuffles)) {
        if self.depth == depth_max || self.visits.count(node) > 2 {
            return;
        }
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }
}

/// How often a walk came by each place of a lineage.
#[derive(Default)]
pub(crate) struct Visits {
    /// The places of the first visits, by their addresses, then how often the walk came by each.
    first: [usize; FEW],
    visited: usize,
    counts: RapidHashMap<usize, usize>,
}

/// Visits that are remembered without a table: those of nearly every walk.
const FEW: usize = 16;

impl Visits {
    /// Which visit of `place` this is, from 1. It exists as long as the walk goes on.
    pub(crate) fn count<N: ?Sized>(&mut self, place: &N) -> usize {
        let place = (place as *const N).addr();
        if self.visited < FEW {
            self.first[self.visited] = place;
            self.visited += 1;
            return self.first[..self.visited].iter().filter(|known| **known == place).count();
        }
        if self.counts.is_empty() {
            self.first.iter().for_each(|place| *self.counts.entry(*place).or_default() += 1);
        }
        let count = self.counts.entry(place).or_default();
        *count += 1;
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_visited_twice_at_most_in_short_and_long_walks() {
        for nodes in [1, 5, FEW / 3, FEW, 100] {
            let (places, mut seen) = (vec![0u8; nodes], vec![0; nodes]);
            FoundShuffles::by(|found| {
                for _ in 0..5 {
                    (0..nodes).for_each(|node| found.visit(&places[node], 10, |_| seen[node] += 1));
                }
            });
            assert_eq!(seen, vec![2; nodes]);
        }
    }

    #[test]
    fn a_walk_ends_at_its_depth() {
        fn walk(found: &mut FoundShuffles, lineage: &[u8], seen: &mut usize) {
            found.visit(&lineage[0], 7, |found| {
                *seen += 1;
                walk(found, &lineage[1..], seen);
            });
        }
        let mut seen = 0;
        FoundShuffles::by(|found| walk(found, &[0; 20], &mut seen));
        assert_eq!(seen, 7);
    }
}
