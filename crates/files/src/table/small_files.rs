//! [`small_files`]: which files of a table are merged next, and what is told of those that somebody has removed.

use super::manifest::FileEntry;
use super::store::Store;
use crate::sink::disk::Disk;
use headwater_core::Result;
use headwater_core::env::Env;

/// So many small files are merged, whatever their size.
const MERGED_FILES_MAX: usize = 64;

/// The files to merge into one of about `target_bytes`; none where there are not enough. A file that is missing is told once,
/// and left out from then on, so that the others are merged all the same.
pub(crate) fn small_files(env: &Env, store: &mut Store, target_bytes: u64) -> Result<Vec<String>> {
    loop {
        let chosen = choose(store, target_bytes);
        let mut missing = None;
        for file in &chosen {
            if !Disk(&*env.files).exists(&store.path(&file.name))? {
                let error = file.missing(&store.path(&file.name));
                env.console.warn(&format!("{error}; small files are merged without it"));
                missing = Some(file.name.clone());
                break;
            }
        }
        match missing {
            Some(name) => store.missing.insert(name),
            None => return Ok(chosen.into_iter().map(|file| file.name.clone()).collect()),
        };
    }
}

/// Those that are smaller than half of the target, as soon as they come to it together, or are many.
fn choose(store: &Store, target_bytes: u64) -> Vec<&FileEntry> {
    let (mut small, mut bytes) = (Vec::new(), 0);
    let is_small = |file: &&FileEntry| file.bytes < target_bytes / 2 && !store.missing.contains(&file.name);
    for file in store.manifest.files.iter().filter(is_small) {
        small.push(file);
        bytes += file.bytes;
        if bytes >= target_bytes || small.len() == MERGED_FILES_MAX {
            break;
        }
    }
    let are_enough = small.len() > 1 && (bytes >= target_bytes || small.len() == MERGED_FILES_MAX);
    if are_enough { small } else { Vec::new() }
}
