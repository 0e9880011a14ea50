//! `map_with_state` and `update_state_by_key` whose state has less memory than it needs, in a process of its own.

use super::batches::Batches;
use super::child;
use super::state::{running_sums, sums_of_all};
use crate::{data, process};
use std::time::Instant;

pub(crate) const OPERATIONS: [&str; 2] = ["map_with_state", "update_state_by_key"];

const CHILD: &str = "child-spilled-state";
/// Batches behind those that fill the state: some until they take the same time, and those that are measured.
const WARM_UP: u64 = 5;
const MEASURED: u64 = 10;

pub(crate) struct Measure {
    /// Of a batch, on average.
    pub(crate) seconds: f64,
    /// Beyond what the process had before it had state.
    pub(crate) resident_megabytes: f64,
    pub(crate) state_megabytes: f64,
    pub(crate) spilled_keys: u64,
    pub(crate) disk_megabytes: f64,
}

/// Batches of `updates` records, each of any of `keys` keys, with so many bytes for their state.
pub(crate) fn measure(
    operation: &str,
    keys: usize,
    updates: usize,
    state_bytes: u64,
    local: usize,
) -> Result<Measure, String> {
    let number = OPERATIONS.iter().position(|known| *known == operation).expect("it is one of these");
    let rest = [number.to_string(), keys.to_string(), updates.to_string(), state_bytes.to_string()];
    let numbers = child::run(CHILD, local, &rest)?.numbers;
    let [seconds, resident_megabytes, state_megabytes, spilled_keys, disk_megabytes] = numbers[..] else {
        return Err(format!("{CHILD} printed {numbers:?}"));
    };
    let spilled_keys = spilled_keys as u64;
    Ok(Measure { seconds, resident_megabytes, state_megabytes, spilled_keys, disk_megabytes })
}

/// The command of this file.
pub(super) fn child(name: &str, local: usize, rest: &[String]) -> Option<headwater::Result<()>> {
    if name != CHILD {
        return None;
    }
    let [operation, keys, updates, state_bytes] = [0, 1, 2, 3].map(|at| child::number(rest, at));
    let program = match operation {
        0 => running_sums,
        _ => sums_of_all,
    };
    let mut stream = Batches::spilling(local, state_bytes, program);
    let records = stream.made(0..1, |number| (number, number));
    stream.run(records);
    let before = process::resident_bytes();
    for from in (0..keys).step_by(updates as usize) {
        let records = stream.made(from..keys.min(from + updates), |rank| (data::key(rank), rank));
        stream.run(records);
    }
    let mut start = Instant::now();
    for number in 0..WARM_UP + MEASURED {
        if number == WARM_UP {
            start = Instant::now();
        }
        let records = stream.made(number * updates..(number + 1) * updates, move |number| data::pair(number, keys));
        stream.run(records);
    }
    let seconds = start.elapsed().as_secs_f64() / MEASURED as f64;
    let resident = process::resident_bytes().zip(before).map(|(after, before)| after.saturating_sub(before));
    let status = stream.state_status();
    let (resident, memory) = (child::megabytes(resident), status.memory_bytes as f64 / 1e6);
    println!("{seconds} {resident} {memory} {} {}", status.spilled_keys, status.disk_bytes as f64 / 1e6);
    Some(Ok(()))
}
