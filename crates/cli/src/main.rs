//! The program `headwater`: looks into the checkpoint folders of applications. It formats what
//! [`headwater::checkpoint`] reads, takes nothing over, and writes to a folder nothing but requests for dead letters, and the
//! cut of a damaged one.

mod arguments;
mod cut;
mod dead_letters;
mod export;
mod failure;
mod json;
mod people;
mod place;
mod plan;
mod show;
mod show_json;
mod verify;

use arguments::{Arguments, Checkpoint, Command};
use clap::Parser;
use failure::Failure;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let result = match Arguments::parse().command {
        Command::Checkpoint { command } => run(command, &mut out),
        Command::DeadLetters { command } => dead_letters::run(command, &mut out),
    };
    let result = result.and_then(|code| Ok(out.flush().map(|()| code)?));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(Failure { code, message }) => {
            if let Some(message) = message {
                eprintln!("headwater: {message}");
            }
            ExitCode::from(code)
        }
    }
}

fn run(command: Checkpoint, out: &mut dyn Write) -> Result<u8, Failure> {
    match command {
        Checkpoint::Show { folder, events: true, json } => show::events(&folder, json, out),
        Checkpoint::Show { folder, events: false, json } => show::show(&folder, json, out),
        Checkpoint::Verify { folder, json } => verify::verify(&folder, json, out),
        Checkpoint::Cut { folder, yes } => cut::cut(&folder, yes, out),
        Checkpoint::Plan { folder, program } => plan::plan(&folder, &program),
        Checkpoint::ExportState { folder, operator } => export::export(&folder, &operator, out),
    }
}
