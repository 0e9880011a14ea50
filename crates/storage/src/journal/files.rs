//! [`JournalFiles`]: the log and the snapshots of a journal that is open, and when there is a new one.

use super::snapshot::{self, Snapshot};
use super::{JOURNAL_SEGMENTS_MAX, JournalOptions, LogWriter};
use headwater_core::Result;
use headwater_core::env::Storage;
use std::sync::Arc;

pub(super) struct JournalFiles {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) folder: String,
    pub(super) options: JournalOptions,
    pub(super) epoch: u64,
    pub(super) log: LogWriter,
    /// The snapshots that are known to be good, at most two, the older one first.
    pub(super) good: Vec<u64>,
    /// Bytes of the newest of them.
    pub(super) snapshot_bytes: u64,
    /// Bytes of log behind it.
    pub(super) log_bytes: u64,
    /// Whether a snapshot that should be there is damaged, so that a new one must take its place.
    pub(super) lacks_one: bool,
}

impl JournalFiles {
    /// Whether a snapshot is due once `more` bytes of log are written.
    pub(super) fn is_due(&self, more: u64) -> bool {
        let JournalOptions { snapshot_after, log_bytes_max, .. } = self.options;
        let limit = snapshot_after.max(self.snapshot_bytes).min(log_bytes_max);
        let segments = self.log.segment() - self.good.last().unwrap_or(&1);
        self.lacks_one || self.log_bytes + more > limit || segments >= JOURNAL_SEGMENTS_MAX
    }
    /// Makes the events durable, which have so many bytes with frames.
    pub(super) fn write(&mut self, events: &[Vec<u8>], bytes: u64) -> Result<()> {
        let appended = events.iter().try_for_each(|event| self.log.append(event).map(drop));
        let result = appended.and_then(|()| self.log.sync());
        match result {
            Ok(()) => self.log_bytes += bytes,
            Err(_) => self.log.forget_unsynced(),
        }
        result
    }
    /// Writes a snapshot of the state as of the end of the log, and removes what is behind the two newest.
    pub(super) fn compact(&mut self, state: &[u8]) -> Result<()> {
        let segment = self.log.roll()?;
        let bytes = Snapshot::encode(segment, self.epoch, &self.options.application, state);
        self.storage.put(&snapshot::path_of(&self.folder, segment), &bytes)?;
        self.good.retain(|good| *good != segment);
        self.good.push(segment);
        self.good.drain(..self.good.len().saturating_sub(2));
        (self.snapshot_bytes, self.log_bytes, self.lacks_one) = (bytes.len() as u64, 0, false);
        self.remove_old()
    }

    /// Before the second snapshot the whole log stands in for it. Snapshots with higher numbers would be those of a
    /// process that has replaced this one.
    fn remove_old(&mut self) -> Result<()> {
        let newest = self.good.last().copied().unwrap_or(0);
        let all = snapshot::snapshots(&*self.storage, &self.folder)?;
        for old in all.into_iter().filter(|number| *number < newest && !self.good.contains(number)) {
            self.storage.remove(&snapshot::path_of(&self.folder, old))?;
        }
        match self.good[..] {
            [older, _] => self.log.remove_before(older),
            _ => Ok(()),
        }
    }
}
