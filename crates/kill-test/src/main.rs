//! The kill test: an application in a process of its own, killed without warning again and again, and what its sink has in
//! the end beside what it should have. `cargo xtask kill-test` starts it.

mod application;
mod chance;
mod child;
mod lives;
mod options;
mod programs;
mod report;
mod row;
mod sender;
mod stores;
mod truth;

use clap::Parser;
use options::{Command, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    let ended = match Options::parse().command {
        Command::Run(options) => lives::run(&options),
        Command::Application(options) => application::run(&options).map(|()| true),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::from(2)
        }
    }
}
