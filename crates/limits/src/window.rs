//! The rows of `window`: aggregates by key over the last ten batches, with each batch; with an inverse function, or
//! without.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{checksum, data, hand, ours};

const KEYS: [usize; 2] = [100_000, 1_000_000];
/// Batches of a round, each of other records; more than are in a window, so that what leaves is not what enters.
const CYCLE: usize = 12;

/// The ratio to hold.
const AIM: f64 = 0.5;
/// The most MB of a process that has nothing but the window.
const PEAK_AIM: f64 = 400.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (records, inverse, local) = (arguments.records, arguments.inverse, arguments.local);
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        announce(&row);
        rows.push(row);
    };
    let all = arguments.keys.map_or(KEYS.to_vec(), |keys| vec![keys]);
    let operation = if inverse { "sums, with inverse" } else { "largest, without inverse" };
    for keys in &all {
        let cycle = data::batches(CYCLE, records, *keys as u64);
        let [ours, by_hand] = beside(contenders(&cycle, inverse, local), arguments.rounds)?;
        let (name, count) = (format!("{operation}, {keys} keys"), (CYCLE * records) as u64);
        let row = Row::compared(name, "ns/record", count, (ours, by_hand), local).without_peaks();
        let batch = ours.seconds(local) * 1e3 / CYCLE as f64;
        add(row.aim(Aim::Ratio(AIM)).note(&format!("{batch:.0} ms a batch")));
    }
    let keys = *all.last().expect("there is a number of keys");
    let peak = ours::window::peak_megabytes(keys as u64, records, inverse, local)?;
    let row = Row::value(format!("{operation}, {keys} keys, peak of memory"), "MB", peak).aim(Aim::Ours(PEAK_AIM));
    add(row.note("all of a process whose records are made in the tasks and kept nowhere else"));
    Ok(rows)
}

fn contenders(cycle: &[Vec<(u64, u64)>], inverse: bool, local: usize) -> [Contender<'_>; 2] {
    let ours = ours::window::ours(cycle, inverse, local);
    let name = "the loop by hand";
    if inverse {
        let mut sums = hand::window::Sums::default();
        cycle.iter().for_each(|records| {
            sums.batch(records);
        });
        return [ours, Contender::new(name, move || checksum::total(cycle.iter().map(|records| sums.batch(records))))];
    }
    let mut largest = hand::window::Largest::default();
    cycle.iter().for_each(|records| {
        largest.batch(records);
    });
    [ours, Contender::new(name, move || checksum::total(cycle.iter().map(|records| largest.batch(records))))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_and_the_loops_agree() {
        let cycle = data::batches(CYCLE, 50, 60);
        for (inverse, local) in [(true, 1), (false, 1), (true, 2), (false, 2)] {
            beside(contenders(&cycle, inverse, local), 2).unwrap();
        }
    }
}
