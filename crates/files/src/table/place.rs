//! [`Place`]: where an output is told to write, as it is before anything is made there; and whether it can go on with what
//! is there.

use super::manifest::Manifest;
use super::part_names::PartNames;
use super::store::manifest_folder;
use crate::sink::disk::Disk;
use crate::sink::staging::Staging;
use headwater_core::sink::SinkOutput;
use headwater_core::{Error, Result};

/// A table, as one of its outputs is told to write to it.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a str,
    pub(crate) suffix: &'a str,
    /// The name of the format that its files are in.
    pub(crate) data_format: &'a str,
    pub(crate) accepts_lost_ledger: bool,
}
impl Place<'_> {
    pub(super) fn names(&self, disk: Disk<'_>, staging: &Staging, newest: u64) -> Result<PartNames> {
        PartNames::open(disk, self.folder, self.suffix, staging.hash(), newest)
    }
    /// An error where the output has files of another format.
    pub(super) fn check_format(&self, manifest: &Manifest, output: &SinkOutput<'_>) -> Result<()> {
        let Place { folder, data_format, .. } = self;
        match &manifest.data_format {
            Some(known) if known != data_format && !manifest.files.is_empty() => Err(Error::program(format!(
                "the table {folder} has files of the output {:?} in the format {known:?}, and it is to write {data_format:?} \
                 now, which nobody could read together: go on in {known:?}, or choose another folder",
                output.operator
            ))),
            _ => Ok(()),
        }
    }
    /// An error where the output cannot go on with what is there, or has lost what the journal knows.
    pub(super) fn check(&self, disk: Disk<'_>, staging: &Staging, output: &SinkOutput<'_>) -> Result<()> {
        let manifest = Manifest::read(disk, &manifest_folder(staging))?;
        self.check_format(&manifest, output)?;
        if self.accepts_lost_ledger || manifest.ledger.lost(output).is_none() {
            return Ok(());
        }
        let unlisted = manifest.unlisted(&self.names(disk, staging, manifest.number)?.list(disk)?);
        let what = format!("the manifest {} of the table {}", manifest_folder(staging), self.folder);
        manifest.ledger.check(&what, unlisted.as_deref(), output)
    }
}
