//! The small program that leaves a folder, and the program `headwater` on it.

use headwater::prelude::*;
use headwater::testkit::{TemporaryFolder, TestEnv, temporary_folder};
use serde::{Deserialize, Serialize};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A child has the locks of open files until it is another program: none begins while a folder is made.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Clone, Serialize, Deserialize)]
struct Visits {
    count: u64,
    last: Option<String>,
}

/// A temporary folder and in it, below `run`, a checkpoint: two processes, states with time-outs and a window, and a
/// batch that failed.
pub(crate) fn folder() -> TemporaryFolder {
    let _no_child = alone();
    let (folder, env) = (temporary_folder(), TestEnv::new());
    run(&env, &folder, 3, End::Stop);
    run(&env, &folder, 2, End::Stop);
    run(&env, &folder, 1, End::Failure);
    folder
}

/// As [`folder`], of three processes that stopped gracefully: the journal has two snapshots.
pub(crate) fn folder_of_graceful_stops() -> TemporaryFolder {
    let _no_child = alone();
    let (folder, env) = (temporary_folder(), TestEnv::new());
    (0..3).for_each(|_| run(&env, &folder, 2, End::GracefulStop));
    folder
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Stop,
    GracefulStop,
    Failure,
}

fn run(env: &TestEnv, folder: &str, batches: u64, end: End) {
    let fails = end == End::Failure;
    let conf = Conf::new().master("local[1]").app_name("visits").checkpoint_dir(format!("{folder}/run"));
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let numbers = ssc.rate_stream(4, 2, |n| (format!("user {}", n % 3), n)).uid("numbers");
    let visit = |_: &String, page: Option<u64>, visits: &mut State<Visits>| {
        if let Some(page) = page {
            let count = visits.get().map_or(0, |visits| visits.count) + 1;
            visits.update(Visits { count, last: Some(format!("page {page}")) });
        }
    };
    numbers.map_with_state(StateSpec::function(visit).timeout(minutes(1))).uid("visits").foreach_rdd(|_, _| ());
    let window = numbers.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, seconds(2));
    window.uid("recent").foreach_rdd(|_, _| ());
    numbers.for_each_partition(move |_, _| if fails { Err("no batch is done") } else { Ok(()) });
    let running = ssc.start().unwrap();
    // One by one, so that events come in the same order in every run.
    for batch in 1..=batches {
        env.clock.advance(seconds(1));
        assert_eq!(running.await_batches(batch).is_err(), fails);
    }
    // What failed is told once.
    let _told = if end == End::GracefulStop { running.stop_gracefully() } else { running.stop() };
}

/// The exit code, what was printed, and what went to stderr.
pub(crate) fn said(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headwater"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let no_folder = alone();
    let child = command.spawn().unwrap();
    drop(no_folder);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}
