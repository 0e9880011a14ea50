//! The rows of `shuffle`: reduce_by_key and group_by_key with few to many keys, with the memory each takes.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{data, hand, ours};

const KEYS: [(&str, u64); 4] = [("1k", 1_000), ("100k", 100_000), ("1M", 1_000_000), ("10M", 10_000_000)];

/// Keys from which on more partitions than the engine chooses are worth a look.
const MANY_KEYS: u64 = 10_000_000;
const MORE_PARTITIONS: [usize; 2] = [8, 64];

/// The ratios to hold.
const REDUCE_AIM: f64 = 0.5;
const GROUP_AIM: f64 = 0.35;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for (name, keys) in KEYS {
        let pairs = data::pairs(arguments.records, keys);
        let mut partitions = vec![None];
        if keys >= MANY_KEYS {
            partitions.extend(MORE_PARTITIONS.map(Some));
        }
        for partitions in partitions {
            let name = match partitions {
                None => format!("{name} keys"),
                Some(partitions) => format!("{name} keys, {partitions} partitions"),
            };
            rows.push(reduce_by_key(&name, &pairs, partitions, arguments)?);
            rows.push(group_by_key(&name, &pairs, partitions, arguments)?);
        }
    }
    rows.sort_by_key(|row| row.name.starts_with("group"));
    Ok(rows)
}

/// Counts where the engine chooses the number of partitions, as it does for most programs.
fn reduce_by_key(
    name: &str,
    pairs: &[(u64, u64)],
    partitions: Option<usize>,
    arguments: &Arguments,
) -> Result<Row, String> {
    let local = arguments.local;
    let ours = ours::shuffle::reduce_by_key(pairs, partitions, local);
    let by_hand = Contender::new("the loop by hand", || hand::shuffle::reduce_by_key(pairs, local));
    let [ours, by_hand] = beside([ours, by_hand], arguments.rounds)?;
    let (name, count) = (format!("reduce_by_key, {name}"), pairs.len() as u64);
    let row = Row::compared(name, "ns/record", count, (ours, by_hand), local).aim(Aim::Ratio(REDUCE_AIM));
    let row = Row { counted: partitions.is_none(), ..row };
    announce(&row);
    Ok(row)
}

fn group_by_key(
    name: &str,
    pairs: &[(u64, u64)],
    partitions: Option<usize>,
    arguments: &Arguments,
) -> Result<Row, String> {
    let local = arguments.local;
    let ours = ours::shuffle::group_by_key(pairs, partitions, local);
    let by_hand = Contender::new("the loop by hand", || hand::shuffle::group_by_key(pairs, local));
    let [ours, by_hand] = beside([ours, by_hand], arguments.rounds)?;
    let (name, count) = (format!("group_by_key, {name}"), pairs.len() as u64);
    let row = Row::compared(name, "ns/record", count, (ours, by_hand), local);
    let row = row.aim(Aim::Ratio(GROUP_AIM)).uncounted();
    announce(&row);
    Ok(row)
}
