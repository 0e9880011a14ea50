//! A measure in a process of its own, for what other measures in the same process would blur: this program, started with
//! a hidden command, prints its numbers on one line.

use super::{recovery, spilled_state, start_up, state, window};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What this process is to do if it was started by the measures here.
pub(crate) fn child(words: &[String]) -> Option<Result<(), String>> {
    let (name, rest) = words.split_first()?;
    let (local, rest) = rest.split_first().map_or(("1", rest), |(local, rest)| (local.as_str(), rest));
    let local = local.parse().unwrap_or(1);
    let done = start_up::child(name, local, rest).or_else(|| state::child(name, local, rest));
    let done = done.or_else(|| spilled_state::child(name, local, rest));
    let done = done.or_else(|| recovery::child(name, local, rest));
    let done = done.or_else(|| window::child(name, local, rest))?;
    Some(done.map_err(|error| error.to_string()))
}

/// The first line that a child prints.
pub(super) struct Printed {
    pub(super) numbers: Vec<f64>,
    /// From before the child is made to when the line is there; the child ends later.
    pub(super) seconds: f64,
}

/// Runs the hidden command `name` on `local` threads.
pub(super) fn run(name: &str, local: usize, rest: &[String]) -> Result<Printed, String> {
    let failed = |error: std::io::Error| format!("cannot run {name}: {error}");
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.arg(name).arg(local.to_string()).args(rest).stdout(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let mut output = BufReader::new(child.stdout.take().expect("its output is piped"));
    let mut line = String::new();
    output.read_line(&mut line).map_err(failed)?;
    let seconds = start.elapsed().as_secs_f64();
    output.read_to_string(&mut String::new()).map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(format!("{name} failed: {status}"));
    }
    let numbers = line.split_whitespace().map(|word| word.parse().map_err(|_| format!("{name} printed {line:?}")));
    let numbers = numbers.collect::<Result<Vec<f64>, String>>()?;
    Ok(Printed { numbers, seconds })
}

/// Not a number, which holds no aim and misses none, where the system does not tell.
pub(super) fn megabytes(bytes: Option<u64>) -> f64 {
    bytes.map_or(f64::NAN, |bytes| bytes as f64 / 1e6)
}

/// A number that the parent gave its child.
pub(super) fn number(rest: &[String], at: usize) -> u64 {
    rest.get(at).and_then(|word| word.parse().ok()).expect("the parent gives its child numbers")
}
