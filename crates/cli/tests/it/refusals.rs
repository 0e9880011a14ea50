//! What cannot be done, and says why.

use crate::program::{folder, said};
use std::fs;

#[test]
fn what_cannot_be_done_says_why() {
    let folder = folder();
    let (run, empty, file) = (format!("{}/run", &*folder), format!("{}/empty", &*folder), format!("{}/file", &*folder));
    fs::create_dir(&empty).unwrap();
    fs::write(&file, "").unwrap();
    let none = format!("{}/none", &*folder);
    let cases: [(&[&str], &str); 9] = [
        (&["show", &none], "there is no folder "),
        (&["verify", &none], "there is no folder "),
        (&["show", &empty], "there is no checkpoint in "),
        (&["verify", &empty], "there is no checkpoint in "),
        (&["show", &file], "there is no checkpoint in "),
        (&["plan", &empty, "--", "true"], "there is no checkpoint in "),
        (&["plan", &run, "--", "./no-such-program"], "cannot start ./no-such-program: "),
        (&["export-state", &run, "visit"], "no state of an operator \"visit\"; those that have one: visits, recent"),
        (&["show"], "required arguments were not provided"),
    ];
    for (arguments, part) in cases {
        let (code, out, err) = said(&[&["checkpoint"], arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(part), "{arguments:?}: {err}");
    }
}

#[test]
fn a_newer_release_is_named() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    // A log's first bytes: HWLOGSEG, version 2, and their checksum.
    let newer = [&b"HWLOGSEG"[..], &[2, 0], &checksum(b"HWLOGSEG\x02\x00").to_le_bytes()].concat();
    for entry in fs::read_dir(format!("{run}/journal")).unwrap() {
        let path = entry.unwrap().path();
        match path.extension().is_some_and(|extension| extension == "log") {
            true => fs::write(path, &newer).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
    for command in ["show", "verify"] {
        let (code, _, err) = said(&["checkpoint", command, &run]);
        assert_eq!(code, 2, "{err}");
        assert!(
            err.contains("was written by a newer release of Headwater (format 2; this one reads format 1)"),
            "{err}"
        );
    }
}

/// CRC-32C, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32| if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), |sum, _| step(sum)))
}
