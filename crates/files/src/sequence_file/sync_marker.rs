//! [`SyncMarker`]: the 16 bytes by which a reader finds the beginning of a record in the middle of a file.

use headwater_core::env::Random;

/// Before a marker, in the place of a record's length (`SequenceFile.SYNC_ESCAPE`).
pub(super) const ESCAPE: [u8; 4] = [255; 4];
/// The bytes of a marker in a file, with its escape (`SequenceFile.SYNC_SIZE`).
pub(super) const SYNC_BYTES: usize = 20;
/// The bytes between two markers by default, at least (`SequenceFile.SYNC_INTERVAL`).
pub const SYNC_INTERVAL: u64 = 5 * 1024 * SYNC_BYTES as u64;

/// What marks places in one file at which a record, or a block of records, begins. It stands in the header and from
/// then on between records.
///
/// Records that hold a file's own marker are taken for a place to begin at by who reads the file in parts, so that it
/// must be [`random`](SyncMarker::random), or one that nobody else uses. The same marker makes the same file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncMarker([u8; 16]);

impl SyncMarker {
    /// A marker from the environment's seeds.
    pub fn random(random: &dyn Random) -> SyncMarker {
        let mut marker = [0; 16];
        marker[..8].copy_from_slice(&random.next_u64().to_be_bytes());
        marker[8..].copy_from_slice(&random.next_u64().to_be_bytes());
        SyncMarker(marker)
    }
    /// This marker: for files that must come out the same again.
    pub fn from_bytes(marker: [u8; 16]) -> SyncMarker {
        SyncMarker(marker)
    }
    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
    /// As it stands between records.
    pub(super) fn escaped(self) -> [u8; SYNC_BYTES] {
        let mut bytes = [0; SYNC_BYTES];
        bytes[..4].copy_from_slice(&ESCAPE);
        bytes[4..].copy_from_slice(&self.0);
        bytes
    }
}
