//! `cargo xtask test`: what a change must pass, in the order that fails soonest. Continuous integration runs just this.

use crate::step::{announce, cargo, check, watch};
use crate::summary::Summary;
use crate::{examples, install, kill_test, tidy};
use std::time::Duration;

/// What the default features leave out; the kill test needs the drivers in any case.
const FEATURES: &str = "headwater-sql/postgres,headwater-sql/mysql";
/// How long a test binary may print nothing; the slowest test takes less than a minute. Building is not counted.
const SILENCE_MAX: Duration = Duration::from_secs(10 * 60);

/// Stops at the first step that fails. When all pass, or when tests fail, the last line alone is the sum of the tests.
pub(crate) fn run() -> Result<(), String> {
    install::build_tools()?;
    step("fmt", || check(&mut cargo(&["fmt", "--all", "--check"])))?;
    step("tidy", tidy::run)?;
    step("clippy", || {
        check(&mut cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--features",
            FEATURES,
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("doc", || {
        let mut doc = cargo(&["doc", "--quiet", "--no-deps", "--workspace"]);
        check(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    let summary = tests()?;
    step("examples", examples::run)?;
    step("kill-test", kill_test::in_test)?;
    println!("{summary}");
    Ok(())
}

fn step(name: &str, body: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    announce(name);
    body().map_err(|error| format!("{name}: {error}"))
}

/// All tests run even if some fail, so that the sum at the end is the whole truth.
fn tests() -> Result<Summary, String> {
    announce("test");
    check(&mut cargo(&["test", "--workspace", "--features", FEATURES, "--no-run"]))?;
    let (success, output) =
        watch(&mut cargo(&["test", "--workspace", "--features", FEATURES, "--no-fail-fast"]), SILENCE_MAX)?;
    let summary = Summary::of(&output);
    match (success, summary.failed) {
        (true, 0) => Ok(summary),
        (_, 0) => Err("test: cargo test did not come to its end, see above".to_string()),
        (_, _) => {
            eprintln!("FAILED: test: see the failures above");
            println!("{summary}");
            std::process::exit(1);
        }
    }
}
