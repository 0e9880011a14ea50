//! `map_with_state` and `update_state_by_key` on the engine, and the memory that a key takes.

use super::batches::Batches;
use super::child;
use crate::measure::Contender;
use crate::operators::sum_of;
use crate::{checksum, data, process};
use headwater::prelude::*;

/// Adds each record's value to its key's state. A round is all of `batches`, after `fill` has made the state; its
/// result is the total of [`checksum::reduced`] over what the function returned.
pub(crate) fn map_with_state(
    fill: impl Iterator<Item = Vec<(u64, u64)>>,
    batches: &[Vec<(u64, u64)>],
    local: usize,
) -> Contender<'static> {
    contender(Batches::start(local, running_sums), fill, batches)
}

/// The same sums, as the states of all keys in each batch; the result is the total over all of them.
pub(crate) fn update_state_by_key(
    fill: impl Iterator<Item = Vec<(u64, u64)>>,
    batches: &[Vec<(u64, u64)>],
    local: usize,
) -> Contender<'static> {
    contender(Batches::start(local, sums_of_all), fill, batches)
}

pub(super) fn sums_of_all(pairs: DStream<(u64, u64)>) -> DStream<u64> {
    pairs.update_state_by_key(sum_of).map(|(key, sum)| checksum::reduced(key, sum))
}

/// What the batches cost without state: their records pass through the engine.
pub(crate) fn input_alone(batches: &[Vec<(u64, u64)>], local: usize) -> Contender<'static> {
    let program = |pairs: DStream<(u64, u64)>| pairs.map(|(key, value)| checksum::reduced(key, value));
    contender(Batches::start(local, program), std::iter::empty(), batches)
}

pub(super) fn running_sums(pairs: DStream<(u64, u64)>) -> DStream<u64> {
    sums(&pairs).map(|(key, sum)| checksum::reduced(key, sum))
}

pub(super) fn sums(pairs: &DStream<(u64, u64)>) -> MapWithStateDStream<u64, u64, (u64, u64)> {
    pairs.map_with_state(StateSpec::function(|key: &u64, value: Option<u64>, state: &mut State<u64>| {
        let sum = state.get().copied().unwrap_or(0).wrapping_add(value.unwrap_or(0));
        state.update(sum);
        (*key, sum)
    }))
}

fn contender(
    mut stream: Batches,
    fill: impl Iterator<Item = Vec<(u64, u64)>>,
    batches: &[Vec<(u64, u64)>],
) -> Contender<'static> {
    for records in fill {
        let records = stream.records(&records);
        stream.run(records);
    }
    let batches: Vec<_> = batches.iter().map(|records| stream.records(records)).collect();
    Contender::new("the engine", move || checksum::total(batches.iter().map(|records| stream.run(records.clone()))))
}

const CHILD_MEMORY: &str = "child-state-memory";
/// Batches of a single key before the state is filled, so that what a batch needs for itself is there already.
const WARM_UP: u64 = 5;

/// Bytes of resident memory that a key of `map_with_state` takes, at this many keys, filled by batches of `updates`.
pub(crate) fn bytes_per_key(keys: usize, updates: usize, local: usize) -> Result<f64, String> {
    let printed = child::run(CHILD_MEMORY, local, &[keys.to_string(), updates.to_string()])?;
    Ok(printed.numbers[0])
}

/// The commands of this file.
pub(super) fn child(name: &str, local: usize, rest: &[String]) -> Option<headwater::Result<()>> {
    if name != CHILD_MEMORY {
        return None;
    }
    let (keys, updates) = (child::number(rest, 0), child::number(rest, 1));
    let mut stream = Batches::start(local, running_sums);
    for _ in 0..WARM_UP {
        let records = stream.made(0..updates, |number| (data::key(0), number));
        stream.run(records);
    }
    let before = process::resident_bytes();
    for from in (0..keys).step_by(updates as usize) {
        let records = stream.made(from..keys.min(from + updates), |rank| (data::key(rank), rank));
        stream.run(records);
    }
    // Some batches of the usual kind, behind which no memory of filling it is left in use.
    for number in 0..WARM_UP {
        let records = stream.made(number * updates..(number + 1) * updates, move |number| data::pair(number, keys));
        stream.run(records);
    }
    let bytes = process::resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before) as f64);
    println!("{}", bytes.unwrap_or(f64::NAN) / keys as f64);
    Some(Ok(()))
}
