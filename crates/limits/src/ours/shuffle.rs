//! Shuffles on the engine, on `local` threads.

use super::context;
use crate::checksum;
use crate::measure::Contender;
use headwater::prelude::*;

/// Map tasks.
const INPUT_PARTITIONS: usize = 8;

/// `reduce_by_key` with wrapping addition into `partitions`, or as many as the engine chooses; its result is the total
/// of [`checksum::reduced`] over all keys.
pub(crate) fn reduce_by_key(pairs: &[(u64, u64)], partitions: Option<usize>, local: usize) -> Contender<'static> {
    let pairs = context::rdds(local).parallelize(pairs.to_vec(), INPUT_PARTITIONS);
    Contender::new("the engine", move || {
        let sums = into(partitions, pairs.reduce_by_key(u64::wrapping_add));
        total(&sums.map(|(key, sum)| checksum::reduced(key, sum)))
    })
}

/// `group_by_key`; its result is the total of [`checksum::grouped`] over all keys.
pub(crate) fn group_by_key(pairs: &[(u64, u64)], partitions: Option<usize>, local: usize) -> Contender<'static> {
    let pairs = context::rdds(local).parallelize(pairs.to_vec(), INPUT_PARTITIONS);
    Contender::new("the engine", move || {
        let groups = into(partitions, pairs.group_by_key());
        total(&groups.map(|(key, values)| checksum::grouped(key, values.len())))
    })
}

fn into<T: headwater::Record>(partitions: Option<usize>, shuffled: Rdd<T>) -> Rdd<T> {
    partitions.map_or(shuffled.clone(), |partitions| shuffled.with_partitions(partitions))
}

fn total(parts: &Rdd<u64>) -> u64 {
    parts.reduce(u64::wrapping_add).expect("the job ends well").unwrap_or_default()
}
