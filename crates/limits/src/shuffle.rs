//! The rows of `shuffle`: reduce_by_key and group_by_key with few to many keys, with the memory each takes.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::Row;
use crate::{data, hand, ours};
use std::sync::Arc;

const KEYS: [(&str, u64); 4] = [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000), ("10M", 10_000_000)];

/// The ratios to hold, from what the design measured.
const REDUCE_AIM: f64 = 0.5;
const GROUP_AIM: f64 = 0.4;

type Pairs = Arc<Vec<(u64, u64)>>;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (name, keys) in KEYS {
        let pairs = Arc::new(data::pairs(arguments.records, keys));
        rows.push(reduce_by_key(name, &pairs, arguments)?);
        rows.push(group_by_key(name, &pairs, arguments)?);
    }
    rows.sort_by_key(|row| row.name.starts_with("group"));
    Ok(rows)
}

fn reduce_by_key(keys: &str, pairs: &Pairs, arguments: &Arguments) -> Result<Row, String> {
    let local = arguments.local;
    let by_hand = Contender::new("the loop by hand", || hand::shuffle::reduce_by_key(pairs, local));
    let (ours, loops) = beside(ours::shuffle::reduce_by_key(pairs, local), vec![by_hand], arguments.rounds)?;
    let (name, count) = (format!("reduce_by_key, {keys} keys"), pairs.len() as u64);
    Ok(Row::compared(name, "ns/record", count, (ours, loops[0]), local).aim(REDUCE_AIM))
}

fn group_by_key(keys: &str, pairs: &Pairs, arguments: &Arguments) -> Result<Row, String> {
    let local = arguments.local;
    let by_hand = Contender::new("the loop by hand", || hand::shuffle::group_by_key(pairs, local));
    let (ours, loops) = beside(ours::shuffle::group_by_key(pairs, local), vec![by_hand], arguments.rounds)?;
    let (name, count) = (format!("group_by_key, {keys} keys"), pairs.len() as u64);
    Ok(Row::compared(name, "ns/record", count, (ours, loops[0]), local).aim(GROUP_AIM))
}
