//! `headwater checkpoint verify`.

use crate::failure::{DAMAGED, Failure};
use crate::people::{aligned, size};
use crate::place;
use headwater::checkpoint::{CheckedPart, CheckpointCheck, CheckpointFolder, FileCheck, FileCondition};
use serde_json::{Value, json};
use std::io::{self, Write};

pub(crate) fn verify(folder: &str, json: bool, out: &mut dyn Write) -> Result<u8, Failure> {
    let check = CheckpointFolder::check(place::storage(folder)?, folder)?;
    if json {
        writeln!(out, "{:#}", for_machines(&check))?;
    } else {
        for_people(&check, out)?;
    }
    if check.is_good() {
        return Ok(0);
    }
    out.flush()?;
    Err(Failure { code: DAMAGED, message: Some(said(folder, &check)) })
}

fn name(file: &FileCheck) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

fn for_people(check: &CheckpointCheck, out: &mut dyn Write) -> io::Result<()> {
    let files = check.parts.iter().flat_map(|part| part.check.files.iter().map(move |file| (part, file)));
    let row = |(part, file): (&CheckedPart, &FileCheck)| {
        let condition = file.condition.to_string();
        vec![part.part.clone(), name(file).to_owned(), file.records.to_string(), size(file.bytes), condition]
    };
    let rows: Vec<Vec<String>> = files.map(row).collect();
    aligned(out, &["part", "file", ">records", ">size", "condition"], &rows)?;
    if check.is_good() {
        let files = check.parts.iter().flat_map(|part| &part.check.files);
        let spare = files.filter(|file| matches!(file.condition, FileCondition::Spare { .. })).count();
        let spare = if spare > 0 { format!(", but for {spare} that no start needs") } else { String::new() };
        writeln!(out, "\n{} files: good{spare}", rows.len())?;
    }
    Ok(())
}

/// What is wrong, and what helps.
fn said(folder: &str, check: &CheckpointCheck) -> String {
    let mut said = vec![format!("{folder} is damaged")];
    for CheckedPart { part, check } in &check.parts {
        let mut damaged = check.damaged();
        let Some(first) = damaged.next() else { continue };
        let (more, good) = (damaged.count(), check.good);
        let more = if more > 0 { format!(", and {more} more files") } else { String::new() };
        let good = good.map(|(segment, offset)| {
            format!("; the newest good point of the log is byte {offset} of segment {segment}")
        });
        said.push(format!("{part}: {} is {}{more}{}", name(first), first.condition, good.unwrap_or_default()));
    }
    said.extend(check.unread.iter().map(|why| {
        format!("snapshots of states and received blocks were not looked for, since the journal does not read: {why}")
    }));
    said.push(hint(check).to_owned());
    said.join("\n  ")
}

fn hint(check: &CheckpointCheck) -> &'static str {
    let is_spare = |part: &CheckedPart| part.part.starts_with("state/snapshots/");
    let only_spare = check.parts.iter().filter(|part| part.check.damaged().next().is_some()).all(is_spare);
    if check.unread.is_none() && only_spare {
        "a restart reads an older snapshot and the changes behind it, as far as they are there"
    } else {
        "restore the folder from a copy, or see `headwater checkpoint cut`"
    }
}

fn for_machines(check: &CheckpointCheck) -> Value {
    let parts = check.parts.iter().map(|CheckedPart { part, check }| {
        let good = check.good.map(|(segment, offset)| json!({"segment": segment, "offset": offset}));
        json!({"part": part, "files": check.files.iter().map(file).collect::<Vec<_>>(), "newest_good_point": good})
    });
    json!({"good": check.is_good(), "parts": parts.collect::<Vec<_>>(), "journal_unread": check.unread})
}

fn file(file: &FileCheck) -> Value {
    let (condition, offset, what) = match &file.condition {
        FileCondition::Good => ("good", None, None),
        FileCondition::TornTail { offset, bytes } => ("torn_tail", Some(offset), Some(format!("{bytes} bytes"))),
        FileCondition::Damaged { offset, what } => ("damaged", Some(offset), Some(what.clone())),
        FileCondition::Unneeded => ("not_needed", None, None),
        FileCondition::Spare { what } => ("spare", None, Some(what.clone())),
    };
    json!({
        "path": file.path, "bytes": file.bytes, "records": file.records, "condition": condition, "offset": offset,
        "what": what,
    })
}
