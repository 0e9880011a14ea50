//! `headwater dead-letters`: what is kept of records that operators set aside, and requests of what shall be done with them.

use crate::arguments::{DeadLetters, Which};
use crate::failure::{DAMAGED, Failure};
use crate::json::Json;
use crate::people::{aligned, when};
use crate::place;
use headwater::checkpoint::CheckpointFolder;
use headwater::dead_letters::{DeadLetter, LetterSource};
use headwater::{Error, ErrorKind};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Letters whose columns are aligned with each other: a page of the table.
const PAGE: usize = 500;
/// Characters of an error in the table.
const ERROR_CHARS: usize = 60;

pub(crate) fn run(command: DeadLetters, out: &mut dyn Write) -> Result<u8, Failure> {
    match command {
        DeadLetters::List { folder, operator, json } => list(&folder, operator.as_deref(), json, out),
        DeadLetters::Show { folder, number, json } => show(&folder, number, json, out),
        DeadLetters::ReDrive { folder, which } => {
            let asked =
                |looked: &CheckpointFolder| looked.redrive_letters(|letter| which.is(letter)).map(|of| of.letters);
            ask(&folder, &which, "to go through their operators once more", &asked, out)
        }
        DeadLetters::Drop { folder, which } => {
            let asked = |looked: &CheckpointFolder| looked.drop_letters(|letter| which.is(letter)).map(|of| of.letters);
            ask(&folder, &which, "to go for good", &asked, out)
        }
    }
}

impl Which {
    fn is(&self, letter: &DeadLetter) -> bool {
        let is_operator = self.operator.as_ref().is_none_or(|operator| *operator == letter.operator);
        is_operator && (self.letter.is_empty() || self.letter.contains(&letter.number))
    }
}

fn list(folder: &str, operator: Option<&str>, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let looked = place::look(folder)?;
    let (mut rows, mut count) = (Vec::new(), 0u64);
    each(&looked, |letter, is_asked| {
        if operator.is_some_and(|operator| operator != letter.operator) {
            return Ok(());
        }
        count += 1;
        if json {
            return writeln!(out, "{}", as_json(&letter, is_asked, false));
        }
        rows.push(row(&letter, is_asked));
        if rows.len() == PAGE { page(&mut rows, out) } else { Ok(()) }
    })?;
    if json {
        return Ok(0);
    }
    page(&mut rows, out)?;
    let (redrive, drop) = looked.waiting_requests()?;
    let waiting = match (redrive, drop) {
        (0, 0) => String::new(),
        _ => {
            format!("; requests wait for the program: {redrive} to go through their operators once more, {drop} to go")
        }
    };
    writeln!(out, "{count} dead letters{waiting}")?;
    Ok(0)
}
fn row(letter: &DeadLetter, is_asked: bool) -> Vec<String> {
    let DeadLetter { number, operator, batch, partition, letter } = letter;
    let error = printable(&letter.error.replace(['\n', '\r', '\t'], " ").chars().take(ERROR_CHARS).collect::<String>());
    let asked = if is_asked { "re-drive" } else { "" };
    let numbers =
        [number.to_string(), operator.clone(), when(*batch), partition.to_string(), letter.attempt.to_string()];
    numbers.into_iter().chain([asked.to_owned(), error]).collect()
}
fn page(rows: &mut Vec<Vec<String>>, out: &mut dyn Write) -> io::Result<()> {
    let heads = [">letter", "operator", "batch", ">partition", ">attempt", "asked", "error"];
    let rows = std::mem::take(rows);
    if rows.is_empty() { Ok(()) } else { aligned(out, &heads, &rows) }
}

fn show(folder: &str, number: u64, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let looked = place::look(folder)?;
    let mut found = None;
    each(&looked, |letter, is_asked| {
        if letter.number == number {
            found = Some((letter, is_asked));
        }
        Ok(())
    })?;
    let Some((letter, is_asked)) = found else {
        return Err(Failure::refused(format!(
            "there is no dead letter {number} in {folder}: it was dropped or re-driven, or there never was; `headwater \
             dead-letters list {folder}` tells those that there are"
        )));
    };
    if json {
        writeln!(out, "{}", as_json(&letter, is_asked, true))?;
        return Ok(0);
    }
    let DeadLetter { operator, batch, partition, letter: of, .. } = &letter;
    let facts = [
        ("letter", number.to_string()),
        ("operator", operator.clone()),
        ("batch", when(*batch)),
        ("partition", partition.to_string()),
        ("record in it", of.index.to_string()),
        ("attempt", of.attempt.to_string()),
        ("source", of.source.as_ref().map_or_else(|| "not known".to_owned(), LetterSource::to_string)),
        ("asked", if is_asked { "to go through its operator once more" } else { "nothing" }.to_owned()),
        ("error", printable(&of.error)),
        ("record", payload(&letter).to_string()),
    ];
    for (name, value) in facts {
        writeln!(out, "{name:14} {value}")?;
    }
    Ok(0)
}
/// Without what a terminal would carry out: errors are of records that anybody may have sent.
fn printable(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut shown, letter| {
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
        shown
    })
}
fn payload(letter: &DeadLetter) -> Value {
    letter.record::<Json>().map_or_else(|error| json!({"unreadable": error.to_string()}), |Json(value)| value)
}
fn as_json(letter: &DeadLetter, is_asked: bool, with_record: bool) -> Value {
    let DeadLetter { number, operator, batch, partition, letter: of } = letter;
    let mut value = json!({
        "letter": number, "operator": operator, "batch_ms": batch.milliseconds(), "partition": partition,
        "index": of.index, "attempt": of.attempt, "source": of.source.as_ref().map(source), "re_drive_asked": is_asked, "error": of.error,
    });
    if with_record {
        value["record"] = payload(letter);
    }
    value
}

fn source(of: &LetterSource) -> Value {
    let LetterSource { input, partition, from, until, offset } = of;
    json!({"input": input, "partition": partition, "from": from, "until": until, "offset": offset})
}

fn ask(
    folder: &str,
    which: &Which,
    what: &str,
    asked: &dyn Fn(&CheckpointFolder) -> headwater::Result<u64>,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    if !which.all && which.operator.is_none() && which.letter.is_empty() {
        return Err(Failure::refused("say which letters: --operator ID, --letter NUMBER (several times), or --all"));
    }
    match asked(&place::look(folder)?)? {
        0 => Err(Failure::refused(format!(
            "no dead letter in {folder} is one of those; `headwater dead-letters list {folder}` tells those that there are"
        ))),
        count => {
            let when = "the program that runs there does it within some seconds, or the next one at its start";
            writeln!(out, "{count} dead letters are asked {what}: {when}")?;
            Ok(0)
        }
    }
}

/// Calls `each` with every letter, and tells errors of the output from those of the folder.
fn each(looked: &CheckpointFolder, mut each: impl FnMut(DeadLetter, bool) -> io::Result<()>) -> Result<(), Failure> {
    let mut failed = None;
    let read = looked.each_dead_letter(|letter, is_asked| {
        each(letter, is_asked).map_err(|error| {
            failed = Some(error);
            Error::new(ErrorKind::Cancelled, "nobody reads it")
        })
    });
    match (failed, read) {
        (Some(failed), _) => Err(failed.into()),
        (None, Err(error)) if error.kind() == ErrorKind::Data => {
            let message = format!("{error}; if a program runs there it may have removed what was read: try again");
            Err(Failure { code: DAMAGED, message: Some(message) })
        }
        (None, read) => Ok(read?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_but_text() {
        assert_eq!(printable("ä\0b\x1b[31mred\u{9b}2J"), "ä\\u{0}b\\u{1b}[31mred\\u{9b}2J");
    }
}
