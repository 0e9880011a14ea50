//! What a reader of folders of batches sees: it passes over hidden names and over folders without `_SUCCESS`.
#![allow(clippy::disallowed_methods, reason = "the reader is another program")]

use headwater::Result;
use std::collections::BTreeMap;

/// The files of each batch, by its time in milliseconds, as bytes and in the order of their names.
pub(crate) fn batches(prefix: &str) -> BTreeMap<i64, Vec<(String, Vec<u8>)>> {
    let (parent, name) = prefix.rsplit_once('/').unwrap();
    let Ok(folders) = std::fs::read_dir(parent) else { return BTreeMap::new() };
    let mut batches = BTreeMap::new();
    for folder in folders {
        let folder = folder.unwrap();
        let shown = folder.file_name().into_string().unwrap();
        if shown.starts_with(['_', '.']) {
            continue;
        }
        let time = shown.strip_prefix(name).unwrap().trim_start_matches('-').split('.').next().unwrap();
        assert!(folder.path().join("_SUCCESS").exists(), "{shown} is seen and not whole");
        let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        let shown =
            files.into_iter().filter(|file| !file.file_name().unwrap().to_str().unwrap().starts_with(['_', '.']));
        let file = |path: std::path::PathBuf| (path.to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        assert!(batches.insert(time.parse().unwrap(), shown.map(file).collect()).is_none(), "two folders of {time}");
    }
    batches
}

/// All records of all batches, in files of lines.
pub(crate) fn records_of_lines<T>(prefix: &str, record: impl Fn(&str) -> T) -> Result<Vec<T>> {
    let files = batches(prefix).into_values().flatten();
    let texts = files.map(|(_, bytes)| String::from_utf8(bytes).unwrap());
    Ok(texts.flat_map(|text| text.lines().map(&record).collect::<Vec<_>>()).collect())
}

/// What is in a folder, sorted.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
