//! The rows of `timeouts`: keys that time out must cost what they are, and not what the others are. Of the keys there
//! are, a hundredth leaves with each batch, and as many new ones come.

use crate::arguments::Arguments;
use crate::measure::{Contender, Cost, beside};
use crate::report::{Aim, Row, announce};
use crate::{checksum, data, hand, ours};

const KEYS: usize = 1_000_000;
/// The smaller number of keys, as a share of the larger.
const SMALLER: usize = 10;
/// Batches behind its last record with which a key leaves.
const LIFETIME: usize = 100;
/// Batches until keys come again: those of the batch that is being processed have left before.
const CYCLE: usize = 2 * LIFETIME;

/// How much more a key that times out may cost among the larger number of keys, where more of memory is far away.
const GROWTH_AIM: f64 = 2.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let keys = arguments.keys.unwrap_or(KEYS);
    if !keys.is_multiple_of(SMALLER * LIFETIME) {
        return Err(format!("--keys of timeouts must be a multiple of {}, not {keys}", SMALLER * LIFETIME));
    }
    let local = arguments.local;
    let (mut rows, mut costs) = (Vec::new(), Vec::new());
    // As many keys time out in a round of the smaller number.
    for (keys, times) in [(keys, 1), (keys / SMALLER, SMALLER)] {
        let each = keys / LIFETIME;
        let cycle = cycle(keys);
        let cost = beside(contenders(&cycle, times, local), arguments.rounds)?;
        let count = (CYCLE * times * each) as u64;
        let name = format!("{each} of {keys} keys time out, {each} others come");
        let row = Row::compared(name, "ns/key timed out", count, (cost[0], cost[1]), local).without_peaks();
        let batch = cost[0].seconds(local) * 1e6 / (CYCLE * times) as f64;
        let row = row.note(&format!("{batch:.0} us a batch"));
        announce(&row);
        rows.push(row);
        costs.push(cost.map(|cost: Cost| cost.seconds(local)));
    }
    let growth = |contender: usize| costs[0][contender] / costs[1][contender];
    let name = format!("a key that times out of {keys} costs that of one of {}", keys / SMALLER);
    let row = Row { limit: Some(growth(1)), ..Row::value(name, "times", growth(0)) };
    let row = row.aim(Aim::Ours(GROWTH_AIM));
    announce(&row);
    rows.push(row);
    Ok(rows)
}

fn cycle(keys: usize) -> Vec<Vec<(u64, u64)>> {
    let each = keys / LIFETIME;
    data::in_order(0..(CYCLE * each) as u64, each).collect()
}

fn contenders(cycle: &[Vec<(u64, u64)>], times: usize, local: usize) -> [Contender<'_>; 2] {
    let mut timeouts = hand::timeouts::Timeouts::new(LIFETIME);
    for records in cycle {
        timeouts.batch(records);
    }
    let by_hand = move || checksum::total((0..times).flat_map(|_| cycle).map(|records| timeouts.batch(records)));
    [ours::timeouts::ours(cycle, LIFETIME, times, local), Contender::new("the loop by hand", by_hand)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_and_the_loop_agree() {
        let cycle = cycle(500);
        for local in [1, 2] {
            beside(contenders(&cycle, 2, local), 2).unwrap();
        }
    }
}
