//! [`JournalOptions`]: how a journal is opened, and its limits.

/// Bytes that wait for a sync at most, with 16 for each event; behind them recording is an error.
pub const JOURNAL_UNSYNCED_BYTES_MAX: u64 = 64 << 20;
/// Segments behind a snapshot at most, before there is another: each start makes one, and on a store without append
/// each sync does.
pub const JOURNAL_SEGMENTS_MAX: u64 = 256;

const SNAPSHOT_AFTER: u64 = 64 << 10;
const LOG_BYTES_MAX: u64 = 64 << 20;
const SEGMENT_BYTES: u64 = 8 << 20;

/// How a journal is opened.
///
/// ```
/// use headwater_storage::JournalOptions;
/// let options = JournalOptions::new("counts").snapshot_after(1 << 20);
/// ```
#[derive(Clone, Debug)]
pub struct JournalOptions {
    pub(super) application: String,
    pub(super) segment_bytes: u64,
    pub(super) snapshot_after: u64,
    pub(super) log_bytes_max: u64,
}

impl JournalOptions {
    /// Of the application, whose name has up to 255 bytes; a folder of another one is refused.
    pub fn new(application: &str) -> JournalOptions {
        let (segment_bytes, snapshot_after, log_bytes_max) = (SEGMENT_BYTES, SNAPSHOT_AFTER, LOG_BYTES_MAX);
        JournalOptions { application: application.to_owned(), segment_bytes, snapshot_after, log_bytes_max }
    }
    /// A segment of the log ends behind so many bytes; 8 MiB by default.
    pub fn segment_bytes(self, bytes: u64) -> JournalOptions {
        JournalOptions { segment_bytes: bytes, ..self }
    }
    /// A snapshot is taken when the log behind the last one has more bytes than this, 64 KiB by default, and than that
    /// snapshot has.
    pub fn snapshot_after(self, bytes: u64) -> JournalOptions {
        JournalOptions { snapshot_after: bytes, ..self }
    }
    /// A snapshot is taken when the log behind the last one has more bytes than this in any case; 64 MiB by default.
    pub fn log_bytes_max(self, bytes: u64) -> JournalOptions {
        JournalOptions { log_bytes_max: bytes, ..self }
    }
}
