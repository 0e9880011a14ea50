//! Folders that earlier releases wrote: every later one reads them. `REWRITE=1` makes those of this release.
#![allow(clippy::disallowed_methods, reason = "a setting of the tests")]

use crate::support::{both, history, open, run};
use headwater_core::env::Storage;
use headwater_storage::{LocalStorage, MemoryStorage};

/// Where the files of format 1 are, by whether the store appends.
fn folder(appends: bool) -> String {
    let kind = if appends { "growing" } else { "whole" };
    format!("{}/tests/data/journal-1/{kind}", env!("CARGO_MANIFEST_DIR"))
}

const FOLDERS: [&str; 2] = ["run/fence", "run/journal"];

#[test]
fn a_journal_of_format_1_reads() {
    for storage in both() {
        let (local, folder) = (LocalStorage::new(), folder(storage.appends()));
        if std::env::var_os("REWRITE").is_some() {
            rewrite(&storage.copy(), &local, &folder);
        }
        for below in FOLDERS {
            for file in local.list(&format!("{folder}/{below}")).unwrap() {
                let bytes = local.read(&format!("{folder}/{below}/{}", file.name)).unwrap().unwrap();
                storage.put(&format!("{below}/{}", file.name), &bytes).unwrap();
            }
        }
        let (journal, recovery) = open(&storage, "this release").unwrap();
        assert_eq!(history(&journal), (0..31).collect::<Vec<_>>());
        assert!(recovery.snapshot.is_some() && recovery.events > 0, "both kinds of files are read: {recovery:?}");
        assert_eq!(recovery.warnings(), [""; 0]);
    }
}

fn rewrite(storage: &MemoryStorage, local: &LocalStorage, folder: &str) {
    run(&open(storage, "test").unwrap().0, 31, &mut 0).unwrap();
    for below in FOLDERS {
        for old in local.list(&format!("{folder}/{below}")).unwrap() {
            local.remove(&format!("{folder}/{below}/{}", old.name)).unwrap();
        }
    }
    for (path, _) in storage.paths() {
        local.put(&format!("{folder}/{path}"), &storage.read(&path).unwrap().unwrap()).unwrap();
    }
}
