//! The file of a snapshot; see [`super`] for its bytes.

use crate::format::{self, Fields, Wrong};
use crate::path;
use headwater_core::Result;
use headwater_core::env::Storage;

const MAGIC: &[u8; 8] = b"HWSNAPSH";
const VERSION: u16 = 1;
const SUFFIX: &str = ".snapshot";

/// A snapshot as it was written.
pub(super) struct Snapshot {
    /// The first segment behind it.
    pub(super) segment: u64,
    /// Of the process that wrote it.
    pub(super) epoch: u64,
    pub(super) application: String,
    pub(super) state: Vec<u8>,
}

pub(super) fn path_of(folder: &str, segment: u64) -> String {
    path::join(folder, &format!("{segment:020}{SUFFIX}"))
}

/// The segments that snapshots in the folder stand before, sorted.
pub(super) fn snapshots(storage: &dyn Storage, folder: &str) -> Result<Vec<u64>> {
    let files = storage.list(folder)?;
    let mut numbers: Vec<u64> = files.iter().filter_map(|file| path::number(file.name.strip_suffix(SUFFIX)?)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

impl Snapshot {
    pub(super) fn encode(segment: u64, epoch: u64, application: &str, state: &[u8]) -> Vec<u8> {
        let mut bytes = format::preamble(MAGIC, VERSION);
        bytes.extend(segment.to_le_bytes());
        bytes.extend(epoch.to_le_bytes());
        format::push_name(&mut bytes, application);
        bytes.extend((state.len() as u64).to_le_bytes());
        bytes.extend(state);
        format::seal(&mut bytes);
        bytes
    }
    /// Reads the snapshot before a segment. The inner error says how it is damaged.
    pub(super) fn read(storage: &dyn Storage, folder: &str, segment: u64) -> Result<Result<Snapshot, String>> {
        let path = path_of(folder, segment);
        let damaged = |what: &str| Ok(Err(format!("the snapshot {path} is damaged: {what}")));
        let Some(bytes) = storage.read(&path)? else { return damaged("it was removed while it was read") };
        let fields = match format::behind_preamble(&bytes, MAGIC, VERSION) {
            Ok(fields) => fields,
            Err(Wrong::Damaged(what)) => return damaged(what),
            Err(Wrong::Version(found)) => return Err(format::other_version(&path, found, VERSION)),
        };
        match decode(fields) {
            _ if !format::is_sealed(&bytes) => damaged("it has a wrong checksum"),
            Some(snapshot) if snapshot.segment == segment => Ok(Ok(snapshot)),
            _ => damaged("it is another one under a wrong name"),
        }
    }
}

fn decode(mut fields: Fields) -> Option<Snapshot> {
    let (segment, epoch, application) = (fields.u64()?, fields.u64()?, fields.name()?);
    let length = fields.u64()?;
    let state = fields.bytes(length as usize)?.to_vec();
    Some(Snapshot { segment, epoch, application, state })
}
