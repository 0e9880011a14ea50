//! `cargo xtask kill-test`: an application that is killed again and again, and what its sink has then beside the truth.

use crate::step::{cargo, check};

/// What `cargo xtask test` runs, with five kills each: for people there are as many as they like.
const IN_TEST: [&[&str]; 5] = [
    &["--program", "stateless"],
    &["--program", "window"],
    &["--program", "state"],
    &["--program", "money"],
    &["--program", "state", "--source", "receiver"],
];

/// The options are those of the package `kill-test`, which says what there is.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    check(cargo(&["run", "--quiet", "--package", "kill-test", "--", "run"]).args(options))
}

pub(crate) fn in_test() -> Result<(), String> {
    IN_TEST.iter().try_for_each(|options| run(&[options, &["--kills", "5"][..]].concat()))
}
