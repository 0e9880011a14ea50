//! The files of the checkout that tidy looks at, without asking git: a source archive has no history.

use std::fs;
use std::path::Path;

/// Marks a build folder, whatever its name: cargo writes this file into each.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// All files below `root` as paths relative to it with `/`, sorted; hidden and build folders are left out.
pub(crate) fn below(root: &Path) -> Result<Vec<String>, String> {
    let (mut folders, mut files) = (vec![String::new()], Vec::new());
    while let Some(folder) = folders.pop() {
        let failed = |error| format!("cannot list ./{folder}: {error}");
        for entry in fs::read_dir(root.join(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            if !is_folder {
                files.push(path);
            } else if !name.starts_with('.') && !entry.path().join(CACHE_TAG).exists() {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_this_file_and_no_build_output() {
        let files = below(&crate::step::root()).unwrap();
        assert!(files.contains(&"xtask/src/tidy/files.rs".to_string()));
        assert!(!files.iter().any(|file| file.starts_with("target/") || file.starts_with(".git/")));
    }
}
