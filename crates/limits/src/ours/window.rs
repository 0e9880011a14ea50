//! `reduce_by_key_and_window` on the engine, with an inverse function and without, and the memory that it takes.

use super::batches::Batches;
use super::child::{self, megabytes};
use crate::measure::Contender;
use crate::{checksum, data, process};
use headwater::prelude::*;

/// A window of ten batches, and one with each batch.
const WINDOW: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(1));

/// Sums with an inverse function, largest values without. A round is `cycle`; its result is the total of
/// [`checksum::reduced`] over all keys of each window.
pub(crate) fn ours(cycle: &[Vec<(u64, u64)>], inverse: bool, local: usize) -> Contender<'static> {
    let mut stream = start(inverse, local);
    let cycle: Vec<_> = cycle.iter().map(|records| stream.records(records)).collect();
    for records in &cycle {
        stream.run(records.clone());
    }
    Contender::new("the engine", move || checksum::total(cycle.iter().map(|records| stream.run(records.clone()))))
}

fn start(inverse: bool, local: usize) -> Batches {
    Batches::start(local, |pairs| {
        let windows = match inverse {
            true => pairs.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, WINDOW),
            false => pairs.reduce_by_key_and_window(u64::max, WINDOW),
        };
        windows.map(|(key, value)| checksum::reduced(key, value))
    })
}

const CHILD_MEMORY: &str = "child-window-memory";
/// So that windows are full, and have been for as long again.
const BATCHES: u64 = 20;

/// MB that a process needs at most, as nothing but the window runs in it: records are made in the tasks.
pub(crate) fn peak_megabytes(keys: u64, records: usize, inverse: bool, local: usize) -> Result<f64, String> {
    let words = [keys.to_string(), records.to_string(), u8::from(inverse).to_string()];
    Ok(child::run(CHILD_MEMORY, local, &words)?.numbers[0])
}

/// The commands of this file.
pub(super) fn child(name: &str, local: usize, rest: &[String]) -> Option<headwater::Result<()>> {
    if name != CHILD_MEMORY {
        return None;
    }
    let (keys, records, inverse) = (child::number(rest, 0), child::number(rest, 1), child::number(rest, 2) != 0);
    let mut stream = start(inverse, local);
    for number in 0..BATCHES {
        let records = stream.made(number * records..(number + 1) * records, move |number| data::pair(number, keys));
        stream.run(records);
    }
    println!("{}", megabytes(process::peak_bytes()));
    Some(Ok(()))
}
