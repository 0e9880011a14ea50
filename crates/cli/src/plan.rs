//! `headwater checkpoint plan`: the program itself makes the plan; this starts it so that it prints it and stops.
#![allow(clippy::disallowed_methods, reason = "starts the program that the user names")]

use crate::failure::Failure;
use crate::place;
use std::process::Command;

pub(crate) fn plan(folder: &str, program: &[String]) -> Result<u8, Failure> {
    place::look(folder)?;
    let Some((name, arguments)) = program.split_first() else {
        return Err(Failure::refused("there is no program to plan with; give it behind --"));
    };
    let mut command = Command::new(name);
    command.args(arguments);
    command.env("HEADWATER_STREAMING_PLAN_ONLY", "true").env("HEADWATER_STREAMING_CHECKPOINT_DIR", folder);
    let status = command.status().map_err(|error| {
        Failure::refused(format!("cannot start {name}: {error}; give the program's path behind --"))
    })?;
    match status.code() {
        Some(code) => Ok(u8::try_from(code).unwrap_or(u8::MAX)),
        None => Err(Failure::refused(format!("{name} was ended: {status}"))),
    }
}
