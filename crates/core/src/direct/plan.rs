//! [`Plan`]: the ranges that a batch takes, from where the batches are and what the source holds. Data in, data out.

use super::{OffsetRange, PartitionOffsets};
use crate::rdd::PARTITIONS_MAX;
use crate::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// What a batch takes.
#[derive(Debug)]
pub(super) struct Plan {
    /// One range for each partition that is known, in their order; an empty one where nothing is taken.
    pub(super) ranges: Vec<OffsetRange>,
    /// Offsets that the source holds behind these ranges.
    pub(super) lag: u64,
    /// What is wrong with a partition, of which nothing is taken then.
    pub(super) problem: Option<Error>,
}

impl Plan {
    /// Takes up to `limit` offsets of each partition of `source`, from its position on.
    pub(super) fn new(
        source: &str,
        mut positions: BTreeMap<u32, u64>,
        held: &[PartitionOffsets],
        begin: impl Fn(&PartitionOffsets) -> Result<u64>,
        limit: u64,
    ) -> Result<Plan> {
        let held = by_partition(source, held)?;
        let is_first = positions.is_empty();
        for offsets in held.values().copied() {
            if let Entry::Vacant(position) = positions.entry(offsets.partition) {
                let begin = if is_first { checked_begin(source, offsets, begin(offsets)?)? } else { offsets.oldest };
                position.insert(begin);
            }
        }
        if positions.len() > PARTITIONS_MAX {
            let count = positions.len();
            return Err(Error::new(
                ErrorKind::Resources,
                format!("{source} has {count} partitions; a stream has up to {PARTITIONS_MAX}"),
            ));
        }
        let mut plan = Plan { ranges: Vec::with_capacity(positions.len()), lag: 0, problem: None };
        for (partition, position) in positions {
            let end = match end_of(source, partition, position, held.get(&partition).copied()) {
                Ok(end) => end,
                Err(problem) => {
                    plan.problem.get_or_insert(problem);
                    position
                }
            };
            let until = end.min(position.saturating_add(limit));
            plan.lag = plan.lag.saturating_add(end - until);
            plan.ranges.push(OffsetRange { partition, from: position, until });
        }
        Ok(plan)
    }
}

fn by_partition<'a>(source: &str, held: &'a [PartitionOffsets]) -> Result<BTreeMap<u32, &'a PartitionOffsets>> {
    let mut found = BTreeMap::new();
    for offsets in held {
        let PartitionOffsets { partition, oldest, end } = offsets;
        if oldest > end {
            return Err(Error::program(format!(
                "{source} says that partition {partition} holds {oldest}..{end}: oldest must not be above end"
            )));
        }
        if found.insert(*partition, offsets).is_some() {
            return Err(Error::program(format!("{source} names partition {partition} twice")));
        }
    }
    Ok(found)
}

fn checked_begin(source: &str, held: &PartitionOffsets, begin: u64) -> Result<u64> {
    let PartitionOffsets { partition, oldest, end } = held;
    if (*oldest..=*end).contains(&begin) {
        return Ok(begin);
    }
    Err(Error::program(format!(
        "partition {partition} of {source} cannot begin at offset {begin}: it holds {oldest}..{end}"
    )))
}

/// Up to where a partition can be read that was taken up to `position`.
fn end_of(source: &str, partition: u32, position: u64, held: Option<&PartitionOffsets>) -> Result<u64> {
    let Some(held) = held else {
        return Err(Error::new(
            ErrorKind::Outside,
            format!("{source} has no partition {partition} any more, which was taken up to offset {position}"),
        ));
    };
    if position > held.end {
        let PartitionOffsets { oldest, end, .. } = held;
        return Err(Error::new(
            ErrorKind::Data,
            format!(
                "partition {partition} of {source} was taken up to offset {position}, but holds {oldest}..{end}: was it \
                 emptied or made anew?"
            ),
        ));
    }
    OffsetRange { partition, from: position, until: held.end }.check_held(source, held).map(|()| held.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(partition: u32, oldest: u64, end: u64) -> PartitionOffsets {
        PartitionOffsets { partition, oldest, end }
    }
    fn plan(positions: &[(u32, u64)], held: &[PartitionOffsets], limit: u64) -> Result<Plan> {
        Plan::new("orders", positions.iter().copied().collect(), held, |held| Ok(held.oldest + 1), limit)
    }
    fn ranges(plan: &Plan) -> Vec<(u32, u64, u64)> {
        plan.ranges.iter().map(|range| (range.partition, range.from, range.until)).collect()
    }

    #[test]
    fn the_first_batch_begins_where_the_source_says_and_later_partitions_at_their_oldest() {
        let first = plan(&[], &[held(2, 5, 9), held(0, 0, 3)], u64::MAX).unwrap();
        assert_eq!((ranges(&first), first.lag), (vec![(0, 1, 3), (2, 6, 9)], 0));
        let later = plan(&[(0, 3), (2, 9)], &[held(2, 5, 9), held(1, 7, 8), held(0, 0, 4)], u64::MAX).unwrap();
        assert_eq!(ranges(&later), [(0, 3, 4), (1, 7, 8), (2, 9, 9)]);
    }

    #[test]
    fn a_limit_leaves_the_rest_as_lag() {
        let plan = plan(&[(0, 3), (1, 3)], &[held(0, 0, 10), held(1, 0, 4)], 2).unwrap();
        assert_eq!((ranges(&plan), plan.lag), (vec![(0, 3, 5), (1, 3, 4)], 5));
        assert!(plan.problem.is_none());
    }

    #[test]
    fn a_partition_with_a_problem_stays_where_it_is_and_the_others_go_on() {
        let cases = [
            (vec![held(0, 0, 9), held(1, 4, 9)], "partition 1, offsets 3..9 of orders are no longer retained"),
            (vec![held(0, 0, 9), held(1, 0, 2)], "partition 1 of orders was taken up to offset 3, but holds 0..2"),
            (vec![held(0, 0, 9)], "orders has no partition 1 any more, which was taken up to offset 3"),
        ];
        for (held, problem) in cases {
            let plan = plan(&[(0, 3), (1, 3)], &held, u64::MAX).unwrap();
            assert_eq!(ranges(&plan), [(0, 3, 9), (1, 3, 3)]);
            let said = plan.problem.unwrap().to_string();
            assert!(said.starts_with(problem), "{said}");
        }
        // All that is gone was taken before.
        assert!(plan(&[(0, 9)], &[held(0, 9, 9)], u64::MAX).unwrap().problem.is_none());
    }

    #[test]
    fn what_a_source_may_not_say_is_refused() {
        let cases = [
            (vec![held(1, 0, 9), held(1, 0, 9)], "orders names partition 1 twice"),
            (vec![held(1, 9, 8)], "orders says that partition 1 holds 9..8"),
            (vec![held(1, 9, 9)], "partition 1 of orders cannot begin at offset 10: it holds 9..9"),
        ];
        for (held, reason) in cases {
            let said = plan(&[], &held, u64::MAX).unwrap_err().to_string();
            assert!(said.starts_with(reason), "{said}");
        }
    }
}
