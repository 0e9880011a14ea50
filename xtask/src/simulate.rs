//! `cargo xtask simulate` and `crash-table`: the crash tests of durable programs, with more seeds and more crashes than
//! `cargo xtask test` has time for.

use crate::step::{cargo, check};

const TEST: [&str; 5] = ["test", "--package", "headwater", "--test", "it"];

pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let seeds = match options {
        ["--seeds", count] => (0, number(count)?),
        ["--seed", seed] => (number(seed)?, number(seed)? + 1),
        _ => return Err("usage: cargo xtask simulate --seeds N | --seed S".to_owned()),
    };
    let mut command = cargo(&TEST);
    command.args(["durable::crashes::simulated_lives", "--", "--nocapture"]);
    check(command.env("HEADWATER_SIMULATE", format!("{}..{}", seeds.0, seeds.1)))
}

pub(crate) fn crash_table() -> Result<(), String> {
    check(cargo(&TEST).args(["durable::crashes::table", "--", "--ignored", "--nocapture"]))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no number of seeds, and no seed"))
}
