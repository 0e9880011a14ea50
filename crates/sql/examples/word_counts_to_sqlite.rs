//! How often each word came so far, in a SQLite file that anybody may query while it runs, and that is right whatever ends
//! the program: kill it, start it again, and it goes on.
//!
//! ```text
//! cargo run --release -p headwater-sql --example word_counts_to_sqlite -- run                  # words of its own
//! cargo run --release -p headwater-sql --example word_counts_to_sqlite -- run localhost 9999   # from: nc -lk 9999
//! sqlite3 run/counts.db 'SELECT word, count FROM word_counts ORDER BY count DESC LIMIT 5'
//! ```
//!
//! `--batches N` ends after N batches; without it, Ctrl-C does.
#![allow(clippy::disallowed_methods, reason = "a program makes its folder")]

use headwater::prelude::*;
use headwater::sink::FailurePolicy;
use headwater_sql::SqlDatabase;

const USAGE: &str = "usage: word_counts_to_sqlite FOLDER [HOST PORT] [--batches N]";
/// What the program counts where it is given no server: a word for each number of a rate stream.
pub(crate) const POEM: [&str; 12] = ["the", "cat", "and", "the", "hat", "the", "dog", "and", "the", "cat", "a", "hat"];
const WORDS_PER_SECOND: u64 = 200;

/// The counts of all words in FOLDER/counts.db; the checkpoint is in FOLDER/checkpoint.
pub(crate) fn run(folder: &str, server: Option<(&str, u16)>, batches: Option<u64>) -> headwater::Result<()> {
    let conf = Conf::new().master("local[2]").app_name("word counts");
    let create = || StreamingContext::new(conf, milliseconds(200));
    let ssc = StreamingContext::get_or_create(format!("{folder}/checkpoint"), create)?;
    let words = match server {
        Some((host, port)) => ssc.socket_text_stream(host, port).uid("lines").flat_map(|line| line.split(' ')),
        None => ssc.rate_stream(WORDS_PER_SECOND, 1, |n| Text::from(POEM[n as usize % POEM.len()])).uid("words"),
    };
    let count = StateSpec::function(|word: &Text, came: Option<u64>, count: &mut State<u64>| {
        let sum = count.get().unwrap_or(&0) + came.unwrap_or(0);
        count.update(sum);
        (word.clone(), sum)
    });
    let counts =
        words.map(|word| (word, 1u64)).reduce_by_key(|a, b| a + b).map_with_state(count).stream().uid("counts");

    let database = SqlDatabase::sqlite(format!("{folder}/counts.db"));
    let table = database.upsert_into("word_counts", ["word"]).columns(["word", "count"]).create_table();
    counts.write_to(table).uid("word_counts").on_failure(FailurePolicy::retry(10, milliseconds(100)));

    let running = ssc.start()?;
    match batches {
        Some(batches) => running.await_batches(batches)?,
        None => running.await_termination()?,
    }
    running.stop_gracefully()
}

#[allow(dead_code, reason = "a test runs the program by its other function")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut batches = None;
    if let Some(at) = arguments.iter().position(|argument| argument == "--batches") {
        batches = Some(arguments.get(at + 1).and_then(|count| count.parse().ok()).ok_or(USAGE)?);
        arguments.drain(at..at + 2);
    }
    let (folder, server) = match arguments.as_slice() {
        [folder] => (folder, None),
        [folder, host, port] => (folder, Some((host.as_str(), port.parse().map_err(|_| USAGE)?))),
        _ => return Err(USAGE.into()),
    };
    std::fs::create_dir_all(folder)?;
    println!("sqlite3 {folder}/counts.db 'SELECT word, count FROM word_counts ORDER BY count DESC LIMIT 5'");
    Ok(run(folder, server, batches)?)
}
