//! What is printed of a folder.

use crate::program::{folder, folder_of_graceful_stops, said};
use std::fs;

/// With the folder's path, the places in the program and what the clock says taken out.
pub(crate) fn normalised(text: &str, folder: &str) -> String {
    let mut lines = Vec::new();
    for line in text.replace(folder, "DIR").lines() {
        let line = match line.split_once("behind the clock") {
            Some((before, _)) => format!("{before}behind the clock     ..."),
            None => without_number(&without_number(line, "\"behind_clock_ms\": "), "program.rs:"),
        };
        lines.push(line);
    }
    lines.join("\n") + "\n"
}
/// Replaces the digits and colons behind each `before` by `N`.
fn without_number(line: &str, before: &str) -> String {
    let mut parts = line.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |said, rest| {
        let rest = rest.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == ':');
        format!("{said}{before}N{rest}")
    })
}

pub(crate) fn compare(name: &str, printed: &str) {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, printed).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(printed, expected, "{name} differs; UPDATE_GOLDEN=1 writes it");
}

#[test]
fn what_is_printed_is_as_it_was() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    let cases: [(&str, &[&str]); 8] = [
        ("show.txt", &["show", &run]),
        ("show.json", &["show", "--json", &run]),
        ("events.txt", &["show", &run, "--events"]),
        ("events.jsonl", &["show", &run, "--events", "--json"]),
        ("verify.txt", &["verify", &run]),
        ("verify.json", &["verify", &run, "--json"]),
        ("visits.jsonl", &["export-state", &run, "visits"]),
        ("recent.jsonl", &["export-state", &run, "recent/reduce_by_key_and_window_inverse"]),
    ];
    for (name, arguments) in cases {
        let (code, out, err) = said(&[&["checkpoint"], arguments].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{name}");
        compare(name, &normalised(&out, &folder));
    }
}

#[test]
fn help_is_as_it_was() {
    for command in ["show", "verify", "cut", "plan", "export-state"] {
        let (code, out, _) = said(&["checkpoint", command, "--help"]);
        assert_eq!(code, 0);
        compare(&format!("help-{command}.txt"), &out);
    }
}

#[test]
fn damage_is_named_and_has_its_exit_code() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    let path = format!("{run}/state/changes/00000000000000000001.log");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, out, err) = said(&["checkpoint", "verify", &run]);
    assert_eq!(code, 1, "{out}{err}");
    compare("damaged.txt", &normalised(&format!("{out}\n{err}"), &folder));
    let (code, out, err) = said(&["checkpoint", "show", &run]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("state/changes/00000000000000000001.log is damaged at byte"), "{err}");
    let (code, out, _) = said(&["checkpoint", "verify", "--json", &run]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["good"]), (1, &serde_json::Value::Bool(false)));
}

#[test]
fn what_no_start_needs_is_told_and_is_no_damage() {
    let folder = folder_of_graceful_stops();
    let run = format!("{}/run", &*folder);
    let mut logs: Vec<_> = fs::read_dir(format!("{run}/journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    fs::remove_file(&logs[0]).unwrap();
    let (code, out, err) = said(&["checkpoint", "verify", &run]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("not needed while the newest snapshot is good: it is missing"), "{out}");
    assert!(out.contains("files: good, but for 1 that no start needs"), "{out}");
    let (code, out, _) = said(&["checkpoint", "verify", "--json", &run]);
    assert!(code == 0 && out.contains(r#""condition": "spare""#), "{out}");
}
