//! Files that Hadoop 3.5.0 wrote, in `tests/data`. `REWRITE=1` with the test of `hadoop.rs` makes them anew.
#![allow(clippy::disallowed_methods, reason = "files of the repository")]

use super::cases::{COMPRESSIONS, Case, Settings, parts};
use headwater_files::sequence_file::VLong;
use headwater_files::text_output::write_line;
use std::fs;

/// The bytes of a part, where a file is read in parts.
pub(crate) const PART_BYTES: u64 = 97;

pub(crate) fn data(file: &str) -> String {
    format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// Small files: one pair of types in all compressions, the others in one.
pub(crate) fn cases() -> Vec<(Case, Settings)> {
    let settings = |compression| Settings { compression, sync_interval: 150, block_bytes: 100 };
    let pair = || Case::new::<String, i32>(24);
    let mut cases: Vec<_> = COMPRESSIONS.into_iter().map(|compression| (pair(), settings(compression))).collect();
    cases.push((Case::new::<VLong, Vec<u8>>(24), settings(COMPRESSIONS[0])));
    cases.push((Case::new::<f32, f64>(24), settings(COMPRESSIONS[0])));
    cases.push((Case::new::<(), bool>(24), settings(COMPRESSIONS[3])));
    cases
}

/// Keys and values of lines; what is `None` is Java's `null`, a `NullWritable` or both.
pub(crate) const LINES: [(Option<&str>, Option<i32>); 5] =
    [(Some("the"), Some(2)), (None, Some(-3)), (Some("key"), None), (None, None), (Some(""), Some(0))];

#[test]
fn files_of_hadoops_read_and_are_ours() {
    for (case, settings) in cases() {
        let name = case.name(settings);
        let file = fs::read(data(&format!("{name}.seq"))).unwrap();
        case.compare(settings, &file);
        let in_parts = fs::read_to_string(data(&format!("{name}.parts"))).unwrap();
        let ours = parts(file.len(), PART_BYTES, |options| case.read(&file, options));
        assert_eq!(ours, in_parts.lines().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn lines_are_hadoops() {
    let mut out = Vec::new();
    LINES.iter().for_each(|(key, value)| write_line(&mut out, key.as_ref(), value.as_ref()).unwrap());
    assert_eq!(String::from_utf8(out).unwrap(), fs::read_to_string(data("lines.txt")).unwrap());
}
