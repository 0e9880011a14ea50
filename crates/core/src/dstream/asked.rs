//! [`Asked`]: which of its batches an operator may be asked for once they are generated. What nobody asks for need not
//! be held.

use super::node::{AnyDStream, address};
use crate::time::Time;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Who asks an operator for its RDDs.
#[derive(Default)]
pub(super) struct Asked {
    /// An output, which asks for every batch in that batch, or the user, for any.
    for_all: bool,
    by: Vec<Asking>,
}
/// An operator that is made from the other.
struct Asking {
    slide: Duration,
    looks_back: Duration,
    asked: Arc<Asked>,
}

/// Batches of one that asks that are looked at; where there are more, it asks.
const LOOKED_AT_MAX: u64 = 1000;

impl Asked {
    /// Of each of `nodes`, where parents come before children. With `for_all`, the user may look back at any batch.
    pub(super) fn of(
        nodes: &[Arc<dyn AnyDStream>],
        is_output: impl Fn(&Arc<dyn AnyDStream>) -> bool,
        for_all: bool,
    ) -> Vec<Arc<Asked>> {
        let mut known: HashMap<*const (), Asked> = HashMap::new();
        let mut all: Vec<Arc<Asked>> = Vec::with_capacity(nodes.len());
        for node in nodes.iter().rev() {
            let by = known.remove(&address(node)).unwrap_or_default().by;
            let asked = Arc::new(Asked { for_all: for_all || is_output(node), by });
            let (slide, looks_back) = (node.header().slide, node.header().looks_back);
            for parent in node.parents() {
                let asking = Asking { slide, looks_back, asked: asked.clone() };
                known.entry(address(parent)).or_default().by.push(asking);
            }
            all.push(asked);
        }
        all.reverse();
        all
    }
    /// Whether somebody asks for batch `time`, in that batch or a later one.
    pub(super) fn at(&self, zero: Time, time: Time) -> bool {
        self.at_millis((time - zero).as_millis() as u64)
    }
    fn at_millis(&self, at: u64) -> bool {
        self.for_all || self.by.iter().any(|asking| asking.asks(at))
    }
}

impl Asking {
    fn asks(&self, at: u64) -> bool {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let (slide, looks_back) = (millis(self.slide).max(1), millis(self.looks_back).max(1));
        let mut batch = at.next_multiple_of(slide);
        for _ in 0..LOOKED_AT_MAX {
            if batch - at >= looks_back {
                return false;
            }
            if self.asked.at_millis(batch) {
                return true;
            }
            batch = batch.saturating_add(slide);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::seconds;

    fn asked(for_all: bool, by: Vec<(u64, u64, &Arc<Asked>)>) -> Arc<Asked> {
        let asking = |(slide, looks_back, asked): (u64, u64, &Arc<Asked>)| Asking {
            slide: seconds(slide),
            looks_back: seconds(looks_back),
            asked: asked.clone(),
        };
        Arc::new(Asked { for_all, by: by.into_iter().map(asking).collect() })
    }
    fn times(asked: &Asked, up_to: i64) -> Vec<i64> {
        let zero = Time::from_millis(500);
        (1..=up_to).filter(|second| asked.at(zero, Time::from_millis(500 + second * 1000))).collect()
    }

    #[test]
    fn a_window_asks_for_the_end_of_its_slide() {
        let output = asked(true, vec![]);
        assert_eq!(times(&asked(false, vec![]), 5), [0i64; 0]);
        assert_eq!(times(&asked(false, vec![(1, 0, &output)]), 3), [1, 2, 3]);
        assert_eq!(times(&asked(false, vec![(3, 1, &output)]), 7), [3, 6]);
        assert_eq!(times(&asked(false, vec![(3, 2, &output)]), 7), [2, 3, 5, 6]);
        assert_eq!(times(&asked(false, vec![(3, 1, &output), (2, 1, &output)]), 7), [2, 3, 4, 6]);
    }
    #[test]
    fn operators_behind_each_other_ask_as_they_are_asked() {
        let output = asked(true, vec![]);
        let window = asked(false, vec![(4, 1, &output)]);
        assert_eq!(times(&asked(false, vec![(1, 0, &window)]), 9), [4, 8], "through a map");
        assert_eq!(times(&asked(false, vec![(1, 2, &window)]), 9), [3, 4, 7, 8], "through a window of two");
        let nobody = asked(false, vec![]);
        assert!(asked(false, vec![(1, 10_000_000, &nobody)]).at_millis(1000), "too many to look at");
    }
}
