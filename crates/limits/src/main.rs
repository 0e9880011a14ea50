//! Measures Headwater beside hand-written loops that do the same work on the same bytes in the same run.

mod arguments;
mod chain;
mod checksum;
mod data;
mod dead_letters;
mod disk;
mod durable;
mod durable_state;
mod grep;
mod hand;
mod measure;
mod operators;
mod ours;
mod process;
mod quantiles;
mod recovery;
mod report;
mod shuffle;
mod sink;
#[cfg(feature = "sql")]
mod sql;
mod state;
mod store;
mod timeouts;
mod window;
mod word_count;

use arguments::{Arguments, HELP, Name};
use report::Row;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() || words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if let Some(result) = ours::child::child(&words) {
        return exit_code(result);
    }
    exit_code(Arguments::parse(&words).and_then(|arguments| run(&arguments)))
}

fn exit_code(result: Result<(), String>) -> ExitCode {
    result.map_or_else(
        |message| {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let rows = rows(arguments)?;
    if arguments.json {
        rows.iter().for_each(|row| println!("{}", report::json(row)));
    } else {
        print!("{}", report::table(&rows));
    }
    let name = arguments.name.as_str();
    let last = report::last_line(name, &rows);
    println!("{}", last.expect("each measure has a row that counts"));
    Ok(())
}

fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    match arguments.name {
        Name::WordCount => word_count::rows(arguments),
        Name::Grep => grep::rows(arguments),
        Name::Chain => chain::rows(arguments),
        Name::Shuffle => shuffle::rows(arguments),
        Name::State if arguments.durable => durable_state::rows(arguments),
        Name::State => state::rows(arguments),
        Name::Timeouts => timeouts::rows(arguments),
        Name::Window => window::rows(arguments),
        Name::Idle => ours::idle::rows(arguments),
        Name::StartUp => ours::start_up::rows(arguments),
        Name::DeadLetters => dead_letters::rows(arguments),
        Name::Durable => durable::rows(arguments),
        Name::Sink => sink::rows(arguments),
        Name::Recovery => recovery::rows(arguments),
    }
}
