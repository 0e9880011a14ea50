//! Runs the examples the README shows, as a user would, and looks for what they must print.

use crate::step::{cargo, check, pass_through};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

struct Example {
    name: &'static str,
    arguments: &'static [&'static str],
    /// A fragment of the standard output.
    prints: &'static str,
}

/// Every example that ends by itself stands here.
const EXAMPLES: &[Example] = &[
    Example { name: "network_word_count", arguments: &["--batches", "3"], prints: "Time: " },
    Example { name: "queue_stream", arguments: &[], prints: "(3, 100)" },
    Example { name: "rate_stream", arguments: &[], prints: "offsets 5000..10000; partition 1, offsets 5000..10000" },
    Example { name: "spam_filter", arguments: &[], prints: "(\"bob\", \"the figures\")" },
    Example { name: "blacklist", arguments: &[], prints: "[(\"hat\", 1), (\"the\", 1)]\nleft out so far: 2\n" },
    Example { name: "stream_joins", arguments: &[], prints: "(\"shown, not clicked\", (1, \"boats\"))" },
    Example {
        name: "custom_partitioner",
        arguments: &[],
        prints: "partition 0 of 3: [(\"de/berlin\", 12), (\"de/bonn\", 4)]",
    },
    Example { name: "log_analysis", arguments: &[], prints: "ALARM: 3 errors in the batch of " },
    Example {
        name: "stateful_network_word_count",
        arguments: &[],
        prints: " 10 words, the most frequent is [(\"the\", ",
    },
    Example {
        name: "top_hashtags",
        arguments: &[],
        prints: "(\"#joins\", 3)\n(\"#state\", 2)\n(\"#timers\", 2)\n(\"#streams\", 1)\n\n",
    },
    Example { name: "upgrade", arguments: &[], prints: "version 2 goes on: " },
    Example {
        name: "sessionization",
        arguments: &[],
        prints: "Session { user: \"ann\", pages: 4, length: 800ms, is_over: true }",
    },
];

/// An example still running then has hung: the slowest is meant to take a few seconds.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How often the end of an example is looked for.
const POLL: Duration = Duration::from_millis(20);

pub(crate) fn run() -> Result<(), String> {
    // Cargo puts examples beside its other programs, of which this is one.
    let this = std::env::current_exe().map_err(|error| format!("cannot find the build output: {error}"))?;
    let folder = this.with_file_name("examples");
    for example in EXAMPLES {
        check(&mut cargo(&["build", "--quiet", "--workspace", "--example", example.name]))?;
        run_one(example, &folder, TIME_LIMIT)?;
    }
    Ok(())
}

fn run_one(example: &Example, folder: &Path, limit: Duration) -> Result<(), String> {
    println!("--> {} {}", example.name, example.arguments.join(" "));
    let mut command = Command::new(folder.join(example.name));
    let child = command.args(example.arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("cannot start the example {}: {error}", example.name))?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let reader = std::thread::spawn(move || pass_through(stdout));
    // On a time-out the reader is left alone: a grandchild may hold the pipe open for good.
    let Some(status) = wait(&mut child, limit)? else {
        return Err(format!("{} still ran after {limit:?} and was stopped", example.name));
    };
    let output = reader.join().expect("reading does not panic");
    match (status.success(), output.contains(example.prints)) {
        (false, _) => Err(format!("{} ended with {status}", example.name)),
        (true, false) => Err(format!("{} did not print {:?}", example.name, example.prints)),
        (true, true) => Ok(()),
    }
}

/// `None` if the time was over and the child had to be killed.
fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>, String> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| format!("cannot wait for an example: {error}"))? {
            return Ok(Some(status));
        }
        if start.elapsed() > limit {
            // It may have ended by itself in between, which is as good.
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &'static str) -> Result<(), String> {
        let arguments: &'static [&'static str] = Box::leak(Box::new(["-c", script]));
        run_one(&Example { name: "sh", arguments, prints: "Time: " }, Path::new("/bin"), Duration::from_millis(500))
    }

    #[test]
    fn an_example_must_print_its_fragment() {
        assert_eq!(shell("echo Time: 1000 ms"), Ok(()));
        assert_eq!(shell("echo nothing"), Err("sh did not print \"Time: \"".to_string()));
    }

    #[test]
    fn an_example_must_exit_with_zero() {
        assert_eq!(shell("echo Time: ; exit 2"), Err("sh ended with exit status: 2".to_string()));
    }

    #[test]
    fn an_example_that_hangs_is_stopped() {
        assert_eq!(shell("exec sleep 60"), Err("sh still ran after 500ms and was stopped".to_string()));
    }
}
