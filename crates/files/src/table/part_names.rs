//! [`PartNames`]: what the files of one output in a table are called. No name comes twice, also where the manifest has lost
//! what it knew and counts from the beginning: the names that are in the folder say how far it was.

use crate::sink::disk::Disk;
use headwater_core::{Error, Result};

/// The names `part-<output>-<number>-<number>[.suffix]` in a folder.
pub(crate) struct PartNames {
    folder: String,
    suffix: String,
    /// What tells the output's files from others.
    beginning: String,
    /// How far the numbers of the names are before those of the events.
    ahead: u64,
}

impl PartNames {
    /// Those of the output with this hash, whose newest event has this number.
    pub(crate) fn open(disk: Disk<'_>, folder: &str, suffix: &str, hash: &str, newest: u64) -> Result<PartNames> {
        let suffix = if suffix.is_empty() { String::new() } else { format!(".{suffix}") };
        let (folder, beginning) = (folder.to_owned(), format!("part-{hash}-"));
        let names = PartNames { folder, suffix, beginning, ahead: 0 };
        let ahead = names.highest(disk)?.saturating_sub(newest);
        Ok(PartNames { ahead, ..names })
    }
    /// Names for so many files of an event that nothing has, nor had. Asked by the one process that may commit.
    pub(crate) fn free(&mut self, disk: Disk<'_>, event: u64, files: usize) -> Result<Vec<String>> {
        let names = self.of(event, files);
        for name in &names {
            if disk.exists(&self.path(name))? {
                // Somebody has put it there since the start.
                self.ahead = self.highest(disk)?.saturating_sub(event - 1);
                return Ok(self.of(event, files));
            }
        }
        Ok(names)
    }
    /// Moves a file to where it is seen, unless that is done. What has its name is never replaced.
    pub(crate) fn give(&self, disk: Disk<'_>, from: &str, name: &str) -> Result<()> {
        let to = self.path(name);
        if disk.exists(&to)? {
            if !disk.exists(from)? {
                return Ok(());
            }
            // The batch counts already, so this is no error of kind `Data`, which would refuse it.
            return Err(Error::program(format!(
                "{to} is there already, and a file of a committed batch, {from}, is to have the name: move it away"
            )));
        }
        match disk.rename(from, &to) {
            Err(error) if !disk.exists(&to)? => Err(error),
            _ => Ok(()),
        }
    }
    /// Where a file is to be seen.
    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }
    /// The output's files in the folder, whether they count or not.
    pub(crate) fn list(&self, disk: Disk<'_>) -> Result<Vec<String>> {
        let files = disk.list_if_there(&self.folder)?.into_iter().filter(|entry| !entry.is_folder);
        Ok(files.map(|file| file.name).filter(|name| name.starts_with(&self.beginning)).collect())
    }

    fn of(&self, event: u64, files: usize) -> Vec<String> {
        let (beginning, number) = (&self.beginning, event.saturating_add(self.ahead));
        (0..files).map(|at| format!("{beginning}{number:010}-{at:05}{}", self.suffix)).collect()
    }
    /// The highest number that a name has.
    fn highest(&self, disk: Disk<'_>) -> Result<u64> {
        let number = |name: &String| name[self.beginning.len()..].split('-').next()?.parse::<u64>().ok();
        Ok(self.list(disk)?.iter().filter_map(number).max().unwrap_or(0))
    }
}
