//! Every storage does what the trait says.

use crate::support::Folder;
use headwater_core::env::Storage;
use headwater_storage::{FaultPlan, FaultyStorage, LocalStorage, MemoryStorage};

fn conforms(storage: &dyn Storage, root: &str) {
    whole_files(storage, root);
    folders(storage, root);
    if storage.appends() { growing_files(storage, root) } else { assert!(storage.append("log").is_err()) }
}

fn whole_files(storage: &dyn Storage, root: &str) {
    let path = &format!("{root}/a/b/file");
    assert_eq!(storage.read(path).unwrap(), None);
    assert_eq!(storage.read_range(path, 0, 1).unwrap(), None);
    storage.put(path, b"first").unwrap();
    storage.put(path, b"second").unwrap();
    assert_eq!(storage.read(path).unwrap().unwrap(), b"second");
    assert!(!storage.put_new(path, b"third").unwrap());
    assert_eq!(storage.read(path).unwrap().unwrap(), b"second");
    let range = |offset, length| storage.read_range(path, offset, length).unwrap().unwrap();
    assert_eq!([range(0, 3), range(3, 100), range(6, 1), range(100, 1)], [&b"sec"[..], b"ond", b"", b""]);
    storage.remove(path).unwrap();
    storage.remove(path).unwrap();
    assert_eq!(storage.read(path).unwrap(), None);
    assert!(storage.put_new(path, b"").unwrap());
    assert_eq!(storage.read(path).unwrap().unwrap(), b"");
    assert_eq!(storage.read(&format!("{path}/below")).unwrap(), None);
    storage.remove(path).unwrap();
}

fn folders(storage: &dyn Storage, root: &str) {
    let names = |folder: &str| -> Vec<(String, u64)> {
        let files = storage.list(&format!("{root}/{folder}")).unwrap();
        files.into_iter().map(|file| (file.name, file.bytes)).collect()
    };
    assert_eq!(names("list"), []);
    for name in ["list/b", "list/a", "list/c/d", "list.txt", "list2/e", "list/a!"] {
        storage.put(&format!("{root}/{name}"), name.as_bytes()).unwrap();
    }
    let expected = [("a", 6), ("a!", 7), ("b", 6)].map(|(name, bytes)| (name.to_owned(), bytes));
    assert_eq!(names("list"), expected);
    assert_eq!(names("list/"), expected);
    assert_eq!(names("list/c"), [("d".to_owned(), 8)]);
    assert_eq!(names("list/none"), []);
    storage.remove(&format!("{root}/list/a!")).unwrap();
    assert_eq!(names("list").len(), 2);
}

fn growing_files(storage: &dyn Storage, root: &str) {
    let path = &format!("{root}/logs/log");
    let mut file = storage.append(path).unwrap();
    assert_eq!(storage.read(path).unwrap().unwrap(), b"");
    file.append(b"one ").unwrap();
    file.append(b"two ").unwrap();
    file.sync().unwrap();
    drop(file);
    let mut file = storage.append(path).unwrap();
    file.sync().unwrap();
    file.append(b"three").unwrap();
    file.sync().unwrap();
    assert_eq!(storage.read(path).unwrap().unwrap(), b"one two three");
    assert_eq!(storage.list(&format!("{root}/logs")).unwrap()[0].bytes, 13);
    assert!(!storage.put_new(path, b"").unwrap());
    // What was made whole can grow.
    assert!(storage.put_new(&format!("{path}2"), b"header ").unwrap());
    let mut file = storage.append(&format!("{path}2")).unwrap();
    file.append(b"record").unwrap();
    file.sync().unwrap();
    assert_eq!(storage.read(&format!("{path}2")).unwrap().unwrap(), b"header record");
    // Whoever writes to a file that was removed is told.
    storage.remove(&format!("{path}2")).unwrap();
    let error = file.append(b"lost").and_then(|()| file.sync()).unwrap_err();
    assert_eq!(error.kind(), headwater_core::ErrorKind::Program);
    assert!(error.to_string().contains("log2") && error.to_string().contains("was removed"), "{error}");
    assert!(file.sync().is_err() || storage.read(&format!("{path}2")).unwrap().is_none());
}

#[test]
fn local() {
    let folder = Folder::new();
    conforms(&LocalStorage::new(), &folder.path("root"));
}
#[test]
fn memory() {
    conforms(&MemoryStorage::new(), "root");
    conforms(&MemoryStorage::new().without_append(), "/root");
}
#[test]
fn faulty_without_faults() {
    for files in [MemoryStorage::new(), MemoryStorage::new().without_append()] {
        conforms(&FaultyStorage::new(files, FaultPlan::new(1)), "root");
    }
}
