//! Runs other programs for the commands: says what it runs, lets the output through, turns an exit code into an error.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Tells the user which step begins; what follows on the screen belongs to it.
pub(crate) fn announce(step: &str) {
    println!("==> {step}");
}

/// The root of the checkout. Asked at run time, since a build kept outside of the checkout may serve several of them.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_string());
    PathBuf::from(manifest).parent().expect("xtask is a folder of the checkout").to_path_buf()
}

/// The cargo that runs us, so that every step uses the same toolchain.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_string()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs to the end with the user's own output; any exit code but 0 is an error that shows the command.
pub(crate) fn check(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown(command))) }
}

/// True if the program starts and exits with 0. It is asked for its version, so nothing it prints is of interest.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Runs to the end, passing standard output through line by line while keeping it; true if the exit code is 0. A program
/// that `command` has started and that prints nothing for `silence_max` is ended.
pub(crate) fn watch(command: &mut Command, silence_max: Duration) -> Result<(bool, String), String> {
    let spawned = command.stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| format!("cannot start {}: {error}", shown(command)))?;
    let (heard, hears) = channel();
    let stdout = Heard(child.stdout.take().expect("standard output is piped"), heard);
    let reader = std::thread::spawn(move || pass_through(stdout));
    loop {
        match hears.recv_timeout(silence_max) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => end_what_hangs(command, child.id(), silence_max),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for {}: {error}", shown(command)))?;
    Ok((status.success(), reader.join().expect("reading does not panic")))
}

/// Ends the children of the process `parent`, which goes on with its next one.
fn end_what_hangs(command: &Command, parent: u32, silence: Duration) {
    eprintln!("FAILED: a program of {} has printed nothing for {silence:?} and is ended", shown(command));
    let children = children(parent);
    if children.is_empty() || !works(Command::new("sh").args(["-c", &format!("kill -KILL {}", children.join(" "))])) {
        eprintln!("FAILED: what hangs could not be ended");
        std::process::exit(1);
    }
}

/// The numbers of the processes that `parent` has started and that run; none where there is no `/proc`.
fn children(parent: u32) -> Vec<String> {
    let is_child = |process: &std::fs::DirEntry| {
        let status = std::fs::read_to_string(process.path().join("status")).unwrap_or_default();
        let found = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        found.is_some_and(|found| found.trim() == parent.to_string())
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter(is_child);
    processes.filter_map(|process| process.file_name().into_string().ok()).collect()
}

/// Says so when something was read.
struct Heard<R>(R, Sender<()>);
impl<R: Read> Read for Heard<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(into)?;
        // Whoever listened no more would not be there.
        let _ = self.1.send(());
        Ok(read)
    }
}

/// Copies a child's output to ours as it comes and returns all of it. Bytes that are not UTF-8 are replaced.
pub(crate) fn pass_through(from: impl Read) -> String {
    let (mut from, mut all, mut line) = (BufReader::new(from), String::new(), Vec::new());
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        // A closed pipe on our side is no reason to stop the child.
        let _ = std::io::stdout().flush();
        all.push_str(&text);
        line.clear();
    }
    all
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let name = PathBuf::from(command.get_program());
    let name = name.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    command.get_args().fold(name, |line, argument| line + " " + &argument.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_exit_code() {
        let message = check(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(message, "sh -c exit 3 ended with exit status: 3");
    }

    #[test]
    fn watching_keeps_all_lines_and_the_outcome() {
        let watched = watch(Command::new("sh").args(["-c", "echo one; printf two; exit 1"]), Duration::MAX).unwrap();
        assert_eq!(watched, (false, "one\ntwo".to_string()));
    }

    #[test]
    fn what_hangs_is_ended_and_the_rest_runs() {
        let script = "echo one; sleep 1000 || echo ended; echo two";
        let watched = watch(Command::new("sh").args(["-c", script]), Duration::from_millis(300)).unwrap();
        assert_eq!(watched, (true, "one\nended\ntwo\n".to_string()));
    }

    #[test]
    fn a_program_that_does_not_exist_does_not_work() {
        assert!(!works(&mut Command::new("no-such-program-here")));
    }
}
