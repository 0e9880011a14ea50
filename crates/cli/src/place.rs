//! The checkpoint folder that the command line names.

use crate::failure::Failure;
use headwater::checkpoint::CheckpointFolder;
use headwater::env::{Env, Storage};
use headwater::system_env;
use std::sync::Arc;

/// The files of this machine, if the folder is there.
pub(crate) fn storage(folder: &str) -> Result<Arc<dyn Storage>, Failure> {
    let Env { files, storage, .. } = system_env();
    if !files.exists(folder)? {
        return Err(Failure::refused(format!(
            "there is no folder {folder}; give the one that the program names by checkpoint(...) or \
             headwater.streaming.checkpoint_dir"
        )));
    }
    Ok(storage)
}

pub(crate) fn look(folder: &str) -> Result<CheckpointFolder, Failure> {
    Ok(CheckpointFolder::look(storage(folder)?, folder)?)
}
