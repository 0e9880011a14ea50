//! The rows of `state`: sums by key that outlive the batch, by `map_with_state`, which touches the keys of a batch, and
//! by `update_state_by_key`, which touches all.

use crate::arguments::Arguments;
use crate::measure::{Contender, beside};
use crate::report::{Aim, Row, announce};
use crate::{checksum, data, hand, ours};

const KEYS: usize = 1_000_000;
/// Batches of a round, each of other records.
const BATCHES: usize = 20;

/// The ratios to hold.
const MAP_AIM: f64 = 0.5;
const UPDATE_AIM: f64 = 0.5;
/// The most bytes that a key of two u64 may take.
const BYTES_AIM: f64 = 80.0;

pub(crate) fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (keys, local, rounds) = (arguments.keys.unwrap_or(KEYS), arguments.local, arguments.rounds);
    if let Some(megabytes) = arguments.memory_max {
        return spilled(arguments, keys, megabytes);
    }
    let input = Input::new(keys, arguments.updates, BATCHES);
    let records = (BATCHES * arguments.updates) as u64;
    let name = |operation| format!("{operation}, {} updates of {keys} keys", arguments.updates);
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        announce(&row);
        rows.push(row);
    };

    let bytes = ours::state::bytes_per_key(keys, arguments.updates, local)?;
    add(Row::value(format!("map_with_state, memory of a key at {keys}"), "bytes", bytes).aim(Aim::Ours(BYTES_AIM)));

    let [ours, by_hand] = beside(input.map_with_state(local), rounds)?;
    let row = Row::compared(name("map_with_state"), "ns/update", records, (ours, by_hand), local).without_peaks();
    add(row.aim(Aim::Ratio(MAP_AIM)));

    let [ours, by_hand] = beside(input.update_state_by_key(local), rounds)?;
    let all = (BATCHES * keys) as u64;
    let row = Row::compared(name("update_state_by_key"), "ns/key", all, (ours, by_hand), local).without_peaks();
    add(row.aim(Aim::Ratio(UPDATE_AIM)));

    let [alone] = beside([ours::state::input_alone(&input.batches, local)], rounds)?;
    let alone = alone.seconds(local) * 1e9 / records as f64;
    let row = Row::value("the batches without state, which is in both rows above", "ns/record", alone);
    add(row.uncounted());
    Ok(rows)
}

/// Seconds and memory of the same batches, with `megabytes` for state and with all that it needs.
fn spilled(arguments: &Arguments, keys: usize, megabytes: usize) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut add = |row: Row| {
        announce(&row);
        rows.push(row);
    };
    for operation in ours::spilled_state::OPERATIONS {
        for (memory, bytes) in [("all the memory", u64::MAX), ("little memory", megabytes as u64 * 1_000_000)] {
            let measure = ours::spilled_state::measure(operation, keys, arguments.updates, bytes, arguments.local)?;
            let name = |what| format!("{operation}, {} updates of {keys} keys, {memory}: {what}", arguments.updates);
            let note = format!("{} keys on disk, {:.0} MB there", measure.spilled_keys, measure.disk_megabytes);
            add(Row::value(name("a batch"), "s", measure.seconds).note(&note));
            add(Row::value(name("state in memory"), "MB", measure.state_megabytes).uncounted());
            add(Row::value(name("resident"), "MB", measure.resident_megabytes).uncounted());
        }
    }
    Ok(rows)
}

struct Input {
    keys: usize,
    updates: usize,
    batches: Vec<Vec<(u64, u64)>>,
}

impl Input {
    fn new(keys: usize, updates: usize, batches: usize) -> Input {
        Input { keys, updates, batches: data::batches(batches, updates, keys as u64) }
    }

    /// Each key once.
    fn fill(&self) -> impl Iterator<Item = Vec<(u64, u64)>> {
        data::in_order(0..self.keys as u64, self.updates)
    }

    fn map_with_state(&self, local: usize) -> [Contender<'_>; 2] {
        let mut sums = hand::state::RunningSums::default();
        for records in self.fill() {
            sums.batch(&records);
        }
        let each = move || checksum::total(self.batches.iter().map(|records| sums.batch(records)));
        let ours = ours::state::map_with_state(self.fill(), &self.batches, local);
        [ours, Contender::new("the loop by hand", each)]
    }

    fn update_state_by_key(&self, local: usize) -> [Contender<'_>; 2] {
        let mut updated = hand::state::Updated::default();
        for records in self.fill() {
            updated.batch(&records);
        }
        let each = move || checksum::total(self.batches.iter().map(|records| updated.batch(records)));
        let ours = ours::state::update_state_by_key(self.fill(), &self.batches, local);
        [ours, Contender::new("the loop by hand", each)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_and_the_loops_agree() {
        let input = Input::new(1000, 300, 3);
        for local in [1, 2] {
            beside(input.map_with_state(local), 2).unwrap();
            beside(input.update_state_by_key(local), 2).unwrap();
        }
    }
}
