//! `headwater dead-letters` on the folder of a program that sets records aside.

use crate::golden::{compare, normalised};
use crate::program::{alone, said};
use headwater::prelude::*;
use headwater::testkit::{TemporaryFolder, TestEnv, temporary_folder};
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct Line {
    number: u64,
    text: String,
}

/// Runs so many batches of a program that parses three texts a batch; what it parsed.
fn run(env: &TestEnv, folder: &str, batches: u64, is_mended: bool) -> Vec<u64> {
    let _no_child = alone();
    let conf = Conf::new().master("local[1]").app_name("parser").checkpoint_dir(format!("{folder}/run"));
    let ssc = StreamingContext::with_env(conf, seconds(1), env.env()).unwrap();
    let lines =
        ssc.rate_stream(3, 1, |n| Line { number: n, text: if n % 2 == 0 { n.to_string() } else { format!("{n}x") } });
    let parse = move |line: &Line| match line.text.trim_end_matches(if is_mended { 'x' } else { ' ' }).parse::<u64>() {
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{}: {error}", line.text)),
    };
    let (sender, told) = std::sync::mpsc::channel();
    lines.uid("lines").set_aside().try_map(parse).uid("parse").foreach_rdd(move |rdd, _| {
        rdd.collect().unwrap().into_iter().for_each(|number| sender.send(number).unwrap());
    });
    let running = ssc.start().unwrap();
    for batch in 1..=batches {
        env.clock.advance(seconds(1));
        running.await_batches(batch).unwrap();
    }
    running.stop_gracefully().unwrap();
    told.try_iter().collect()
}
fn folder() -> (TemporaryFolder, TestEnv, String) {
    let (folder, env) = (temporary_folder(), TestEnv::new());
    assert_eq!(run(&env, &folder, 2, false), [0, 2, 4]);
    let dir = format!("{}/run", &*folder);
    (folder, env, dir)
}
fn good(arguments: &[&str]) -> String {
    let (code, out, err) = said(&[&["dead-letters"], arguments].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}: {out}");
    out
}

#[test]
fn letters_are_listed_shown_re_driven_and_dropped() {
    let (folder, env, dir) = folder();
    let cases: [(&str, &[&str]); 4] = [
        ("letters.txt", &["list", &dir]),
        ("letters.jsonl", &["list", &dir, "--json", "--operator", "parse"]),
        ("letter.txt", &["show", &dir, "2"]),
        ("letter.json", &["show", &dir, "2", "--json"]),
    ];
    for (name, arguments) in cases {
        compare(name, &normalised(&good(arguments), &folder));
    }
    assert_eq!(good(&["list", &dir, "--operator", "another"]), "0 dead letters\n");

    let asked = good(&["re-drive", &dir, "--operator", "parse", "--letter", "1", "--letter", "3"]);
    assert!(asked.starts_with("2 dead letters are asked to go through their operators once more: "), "{asked}");
    let asked = good(&["drop", &dir, "--letter", "2"]);
    assert!(asked.starts_with("1 dead letters are asked to go for good: "), "{asked}");
    let listed = good(&["list", &dir]);
    assert!(
        listed.ends_with(
            "3 dead letters; requests wait for the program: 2 to go through their operators once more, 1 to go\n"
        ),
        "{listed}"
    );
    assert_eq!(run(&env, &folder, 1, true), [6, 7, 8, 1, 5]);
    assert_eq!(good(&["list", &dir]), "0 dead letters\n");
    let (code, out, err) = said(&["checkpoint", "verify", &dir]);
    assert_eq!(code, 0, "{out}{err}");
}

#[test]
fn what_cannot_be_done_says_why_and_has_its_exit_code() {
    let (folder, _env, dir) = folder();
    let none = format!("{}/none", &*folder);
    let cases: [(&[&str], &str); 7] = [
        (&["list", &none], "there is no folder "),
        (&["list", &*folder], "there is no checkpoint in "),
        (&["show", &dir, "9"], "there is no dead letter 9 in "),
        (&["drop", &dir], "say which letters: --operator ID, --letter NUMBER (several times), or --all"),
        (&["drop", &dir, "--letter", "9"], "no dead letter in "),
        (&["re-drive", &dir, "--operator", "another"], "no dead letter in "),
        (&["drop", &dir, "--all", "--letter", "1"], "cannot be used with"),
    ];
    for (arguments, part) in cases {
        let (code, out, err) = said(&[&["dead-letters"], arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
    let log = format!("{dir}/dead-letters/log/00000000000000000001.log");
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    for command in
        [&["dead-letters", "list", &dir][..], &["dead-letters", "show", &dir, "3"], &["checkpoint", "verify", &dir]]
    {
        assert_eq!(said(command).0, 1, "{command:?}");
    }
}

#[test]
fn help_is_as_it_was() {
    for command in ["list", "show", "re-drive", "drop"] {
        compare(&format!("help-letters-{command}.txt"), &good(&[command, "--help"]));
    }
}
