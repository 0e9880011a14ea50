//! [`Place`]: where an output is told to write, as it is before anything is made there; and whether what is there has lost a
//! batch that the journal knows.

use super::manifest::Manifest;
use super::part_names::PartNames;
use super::store::manifest_folder;
use crate::sink::disk::Disk;
use crate::sink::staging::Staging;
use headwater_core::Result;
use headwater_core::sink::SinkOutput;

/// A table, as one of its outputs is told to write to it.
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a str,
    pub(crate) suffix: &'a str,
    pub(crate) accepts_lost_ledger: bool,
}
impl Place<'_> {
    pub(super) fn names(&self, disk: Disk<'_>, staging: &Staging, newest: u64) -> Result<PartNames> {
        PartNames::open(disk, self.folder, self.suffix, staging.hash(), newest)
    }
    /// An error where the manifest has lost what the journal knows.
    pub(super) fn check(&self, disk: Disk<'_>, staging: &Staging, output: &SinkOutput<'_>) -> Result<()> {
        let manifest = Manifest::read(disk, &manifest_folder(staging))?;
        if manifest.ledger.lost(output).is_none() {
            return Ok(());
        }
        let unlisted = manifest.unlisted(&self.names(disk, staging, manifest.number)?.list(disk)?);
        let what = format!("the manifest {} of the table {}", manifest_folder(staging), self.folder);
        manifest.ledger.check(&what, unlisted.as_deref(), output)
    }
}
