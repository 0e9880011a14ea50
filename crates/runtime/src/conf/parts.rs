//! What the parts of the runtime are told of a [`Conf`].

use super::{Conf, keys};
use crate::durable::{DownTime, OpenOptions};
use headwater_core::dead_letters::DeadLetterLimits;
use headwater_core::rdd::{BlockStoreLimits, StateLimits};
use headwater_core::receiver::StoreLimits;

impl Conf {
    pub(crate) fn open_options(&self) -> OpenOptions {
        let down_time = match self.text(&keys::DOWN_TIME).trim() {
            "merge" => DownTime::Merge,
            "skip" => DownTime::Skip,
            "all-at-once" => DownTime::AllAtOnce,
            _ => DownTime::InOrder,
        };
        let (application, dropped) = (self.name().to_owned(), self.text(&keys::DROP_STATE).trim().to_owned());
        OpenOptions {
            application,
            down_time,
            dropped,
            loses_inputs: self.flag(&keys::RESTART_WITHOUT_INPUTS),
            snapshot_after: self.count(&keys::STATE_SNAPSHOT_AFTER) as u64,
            dead_letters: self.dead_letter_limits(),
        }
    }
    pub(crate) fn block_store_limits(&self) -> BlockStoreLimits {
        BlockStoreLimits {
            memory_bytes: self.count(&keys::STORAGE_MEMORY_MAX),
            disk_bytes: self.count(&keys::STORAGE_DISK_MAX) as u64,
            local_dir: self.folder(),
        }
    }
    pub(crate) fn state_limits(&self) -> StateLimits {
        StateLimits {
            memory_bytes: self.count(&keys::STATE_MEMORY_MAX) as u64,
            local_dir: self.folder(),
            shards: self.count(&keys::STATE_SHARDS),
        }
    }
    pub(crate) fn dead_letter_limits(&self) -> DeadLetterLimits {
        let (letters, bytes) = (self.count(&keys::DEAD_LETTERS_MAX), self.count(&keys::DEAD_LETTER_BYTES_MAX));
        DeadLetterLimits { letters: letters as u64, bytes: bytes as u64 }
    }
    fn folder(&self) -> Option<String> {
        let local_dir = self.text(&keys::LOCAL_DIR);
        (!local_dir.is_empty()).then(|| local_dir.to_owned())
    }
    pub(crate) fn store_limits(&self) -> StoreLimits {
        let (line, buffered) = (&keys::LINE_BYTES_MAX, &keys::BUFFERED_BYTES_MAX);
        StoreLimits { line_bytes_max: self.count(line), buffered_bytes_max: self.count(buffered) }
    }
}
