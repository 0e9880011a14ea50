//! Chains of 1, 3 and 10 operators on the engine: [`crate::operators::map`] at even positions, `filter` at odd ones.

use super::context;
use crate::measure::Contender;
use crate::operators::{filter, map};
use headwater::prelude::*;

/// Partitions of the input, so that two threads share it evenly.
const PARTITIONS: usize = 8;

/// Its result is the wrapping sum of the records that are left.
pub(crate) fn ours(records: &[u64], operators: usize, local: usize) -> Contender<'static> {
    let records = context::rdds(local).parallelize(records.to_vec(), PARTITIONS);
    Contender::new("the engine", move || {
        let chained = (0..operators as u64).fold(records.clone(), operator);
        chained.reduce(u64::wrapping_add).expect("the job ends well").unwrap_or_default()
    })
}

fn operator(records: Rdd<u64>, position: u64) -> Rdd<u64> {
    if position.is_multiple_of(2) { records.map(map(position)) } else { records.filter(filter(position)) }
}
