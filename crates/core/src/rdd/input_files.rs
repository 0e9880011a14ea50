//! The files that a path of an input means: a file, a folder's files, a pattern, or a list of those.

use crate::env::FileSystem;
use crate::glob::{NamePattern, alternatives, is_pattern, items};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// A file to read.
pub(super) struct InputFile {
    pub(super) path: String,
    pub(super) bytes: u64,
}

/// The files of `paths`: a path as it is, or else a list with commas of paths and of patterns (`dir/*.log`, `{a,b}`,
/// `?`, `[a-z]`). A folder stands for the files in it; names that begin with `.` or `_` are hidden. Files of a folder
/// or pattern come sorted. Source: Hadoop's `FileInputFormat`.
pub(super) fn input_files(files: &dyn FileSystem, paths: &str) -> Result<Vec<InputFile>> {
    // A list may be longer than a path can be.
    let items = if matches!(files.exists(paths), Ok(true)) { vec![paths] } else { items(paths) };
    let mut found = Vec::new();
    for item in items {
        for path in matching(files, item)? {
            add(files, path, &mut found)?;
        }
    }
    Ok(found)
}

/// The files and folders that `item` names.
fn matching(files: &dyn FileSystem, item: &str) -> Result<Vec<String>> {
    if item.is_empty() {
        return Err(Error::program("an input path is empty"));
    }
    match files.exists(item) {
        Ok(true) => return Ok(vec![item.to_owned()]),
        Ok(false) if !is_pattern(item) => return Err(Error::program(format!("input path does not exist: {item}"))),
        Err(error) if !is_pattern(item) => return Err(error),
        _ => {}
    }
    let mut found = BTreeSet::new();
    for alternative in alternatives(item)? {
        found.extend(walk(files, &alternative)?);
    }
    if found.is_empty() {
        return Err(Error::program(format!("input pattern {item} matches 0 files")));
    }
    Ok(found.into_iter().collect())
}

/// What a pattern without braces matches, folder by folder.
fn walk(files: &dyn FileSystem, pattern: &str) -> Result<Vec<String>> {
    let (root, names) = match pattern.strip_prefix('/') {
        Some(names) => ("/", names),
        None => ("", pattern),
    };
    let mut places = vec![root.to_owned()];
    for name in names.split('/').filter(|name| !name.is_empty()) {
        let name = NamePattern::new(name)?;
        let mut next = Vec::new();
        for place in &places {
            let slash = if place.is_empty() || place == "/" { "" } else { "/" };
            let below = |name: &str| format!("{place}{slash}{name}");
            match name.name() {
                Some(name) => next.extend(Some(below(&name)).filter(|path| matches!(files.exists(path), Ok(true)))),
                None => next.extend(names_in(files, place, &name)?.iter().map(|name| below(name))),
            }
        }
        places = next;
    }
    Ok(places)
}

/// The names in a folder that match; none in what is no folder.
fn names_in(files: &dyn FileSystem, folder: &str, pattern: &NamePattern) -> Result<Vec<String>> {
    let folder = if folder.is_empty() { "." } else { folder };
    if files.len(folder).is_ok() {
        return Ok(Vec::new());
    }
    let names = files.list(folder)?.into_iter().map(|entry| entry.name);
    Ok(names.filter(|name| (pattern.is_hidden() || !is_hidden(name)) && pattern.matches(name)).collect())
}

/// Adds a file, or the files of a folder.
fn add(files: &dyn FileSystem, path: String, found: &mut Vec<InputFile>) -> Result<()> {
    let entries = match files.len(&path) {
        Ok(bytes) => {
            found.push(InputFile { path, bytes });
            return Ok(());
        }
        // What is neither a file nor a folder is a file that cannot be opened.
        Err(no_file) => files.list(&path).map_err(|_| no_file)?,
    };
    let folder = path.trim_end_matches('/');
    for entry in entries.into_iter().filter(|entry| !is_hidden(&entry.name)) {
        let path = format!("{folder}/{}", entry.name);
        if entry.is_folder {
            return Err(Error::program(format!(
                "{path} is a folder, not a file; the files of a folder are read, those of its folders by {folder}/*"
            )));
        }
        let bytes = files.len(&path)?;
        found.push(InputFile { path, bytes });
    }
    Ok(())
}

/// What other programs leave behind: `_SUCCESS`, `_temporary`, checksums.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_'])
}
