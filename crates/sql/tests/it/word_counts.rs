//! The example: word counts that a person can query while it runs, and that are right whatever kills it.

#[path = "../../examples/word_counts_to_sqlite.rs"]
mod example;

use crate::place;
use headwater::testkit::temporary_folder;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The child's folder, by which it knows that it is one.
const FOLDER: &str = "HEADWATER_WORD_COUNTS_FOLDER";

/// The program as a process of its own: this test alone, in this same binary.
#[test]
#[ignore = "the other test runs it, in a process that it kills"]
fn the_program_in_a_child() {
    if let Ok(folder) = std::env::var(FOLDER) {
        example::run(&folder, None, None).unwrap();
    }
}
fn start(folder: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "word_counts::the_program_in_a_child"]).env(FOLDER, folder);
    child.stdout(Stdio::null()).spawn().unwrap()
}

/// What a person sees: by the program sqlite3 where it is installed.
fn query(path: &str) -> Vec<(String, i64)> {
    let sql = "SELECT word, count FROM word_counts";
    // While the file is opened behind a crash it is locked for a moment.
    match Command::new("sqlite3").args(["-readonly", "-cmd", ".timeout 5000", path, sql]).output() {
        Ok(output) if output.status.success() => {
            let lines = String::from_utf8(output.stdout).unwrap();
            let row = |line: &str| line.split_once('|').map(|(word, count)| (word.to_owned(), count.parse().unwrap()));
            lines.lines().map(|line| row(line).unwrap()).collect()
        }
        Ok(output) => panic!("sqlite3: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => place::sqlite::rows(&format!("sqlite://{path}"), sql),
    }
}
/// The counts are those of the first words, as many as there are; their sum.
#[track_caller]
fn sum_of_right_counts(found: &[(String, i64)]) -> i64 {
    let sum: i64 = found.iter().map(|(_, count)| count).sum();
    for (word, count) in found {
        let came = (0..sum).filter(|n| example::POEM[*n as usize % example::POEM.len()] == word).count();
        assert_eq!(*count, came as i64, "{word} among the first {sum} words: {found:?}");
    }
    sum
}
/// Queries until there are more words than `than`.
fn await_more(path: &str, than: i64) -> i64 {
    let begin = Instant::now();
    loop {
        if std::fs::exists(path).unwrap() && tables(path) {
            let sum = sum_of_right_counts(&query(path));
            if sum > than {
                return sum;
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "no more than {than} words in a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}
fn tables(path: &str) -> bool {
    let sql = "SELECT 'tables', COUNT(*) FROM sqlite_schema WHERE name = 'word_counts'";
    place::sqlite::rows(&format!("sqlite://{path}"), sql)[0].1 == 1
}

#[test]
fn a_person_queries_the_counts_while_the_program_runs_and_is_killed() {
    let folder = temporary_folder();
    let path = format!("{folder}/counts.db");
    let mut sum = 0;
    for kill in 0..4 {
        let mut child = start(&folder);
        sum = await_more(&path, sum + 40 * (kill + 1));
        child.kill().unwrap();
        child.wait().unwrap();
        sum_of_right_counts(&query(&path));
    }
    example::run(&folder, None, Some(3)).unwrap();
    assert!(sum_of_right_counts(&query(&path)) > sum);
}
