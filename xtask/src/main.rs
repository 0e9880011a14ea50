//! The project's own commands, run as `cargo xtask NAME`. They need cargo alone: no crate, no script language.

mod examples;
mod install;
mod kill_test;
mod sanitize;
mod simulate;
mod step;
mod summary;
mod test;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask COMMAND

  test                 everything a change must pass: format, tidy, clippy, tests, examples
  tidy                 the house's rules that a program can check
  simulate --seeds N   durable programs under crashes, failing disks, clock jumps and slow tasks, one life a seed
  simulate --seed S    the life of one seed again
  kill-test [OPTIONS]  an application is killed again and again; what its sink has lost, doubled or wrong (--help)
  crash-table          durable programs ended at each of their steps on disk, and at each pair of steps
  sanitize [FILTER]    headwater-core's tests under AddressSanitizer and under valgrind";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test"] => test::run(),
        ["tidy"] => tidy::run(),
        ["simulate", options @ ..] => simulate::run(options),
        ["kill-test", options @ ..] => kill_test::run(options),
        ["crash-table"] => simulate::crash_table(),
        ["sanitize", filter @ ..] => sanitize::run(filter),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        _ => Err(format!("no such command: `{}`; see cargo xtask help", arguments.join(" "))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("FAILED: {message}");
            ExitCode::FAILURE
        }
    }
}
