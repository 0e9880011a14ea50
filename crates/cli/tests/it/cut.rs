//! A damaged folder, cut so that a start goes on.

use crate::program::{folder, said};
use headwater::env::StorageLock;
use headwater::testkit::TestEnv;
use std::fs;

/// The folder below the temporary one, with a byte damaged so many quarters into the first segment of `part`.
fn damage(folder: &str, part: &str, quarters: usize) -> String {
    let run = format!("{folder}/run");
    let path = format!("{run}/{part}/00000000000000000001.log");
    let mut bytes = fs::read(&path).unwrap();
    let byte = bytes.len() * quarters / 4;
    bytes[byte] ^= 1;
    fs::write(&path, bytes).unwrap();
    run
}

#[test]
fn a_cut_is_told_and_done_by_a_word() {
    let newest = "00:00:01.000 UTC (1000 ms)";
    for (part, quarters) in [("journal", 3), ("state/windows", 2)] {
        let folder = folder();
        let run = damage(&folder, part, quarters);
        let (code, told, err) = said(&["checkpoint", "cut", &run]);
        assert_eq!(code, 3, "{told}{err}");
        assert!(told.contains(&format!("{part} would be cut at byte ")) && err.contains("--yes"), "{told}{err}");
        assert!(told.contains(&format!("still there: 1970-01-01 {newest}")), "{told}");
        assert_eq!(said(&["checkpoint", "verify", &run]).0, 1, "nothing was changed");

        let lock = TestEnv::new().storage.lock(&format!("{run}/lock")).unwrap();
        assert!(matches!(lock, StorageLock::Held(_)));
        let (code, _, err) = said(&["checkpoint", "cut", &run, "--yes"]);
        assert!(code == 2 && err.contains("a process runs in the checkpoint folder"), "{code}: {err}");
        drop(lock);

        // A child that another test starts may have the lock's file for a moment, until it is the program that it becomes.
        let is_locked = |said: &(i32, String, String)| said.2.contains("a process runs in the checkpoint folder");
        let cut = || said(&["checkpoint", "cut", &run, "--yes"]);
        let (code, told, err) = (0..100).map(|_| cut()).find(|said| !is_locked(said)).expect("the lock is dropped");
        assert_eq!((code, err.as_str()), (0, ""), "{told}");
        assert!(told.contains(&format!("{part} is cut at byte ")) && told.contains(&format!("{run}/cut-1")), "{told}");
        assert!(fs::exists(format!("{run}/cut-1/{part}/00000000000000000001.log")).unwrap());
        assert_eq!(said(&["checkpoint", "verify", &run]).0, 0);
        let (code, shown, _) = said(&["checkpoint", "show", &run]);
        assert!(code == 0 && shown.contains(&format!("newest committed     1970-01-01 {newest}")), "{shown}");
        let (code, told, _) = said(&["checkpoint", "cut", &run]);
        assert!(code == 0 && told.starts_with("nothing is damaged"), "{told}");
    }
}

#[test]
fn a_folder_with_no_good_point_says_so() {
    let folder = folder();
    let run = format!("{}/run", &*folder);
    fs::write(format!("{run}/journal/00000000000000000001.log"), "no log").unwrap();
    let (code, out, err) = said(&["checkpoint", "cut", &run, "--yes"]);
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
}
