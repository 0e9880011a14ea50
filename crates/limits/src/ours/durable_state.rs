//! `map_with_state` and `update_state_by_key` with a checkpoint folder and without one: what each batch takes.

use super::batches::Batches;
use super::spilled_state::OPERATIONS;
use super::state::{running_sums, sums_of_all};
use crate::disk::{self, Counting, Written};
use headwater::prelude::*;
use std::sync::Arc;
use std::time::Instant;

/// A batch.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    /// Whether a snapshot was written meanwhile.
    pub(crate) beside_snapshot: bool,
}

/// A stream with state.
pub(crate) struct Stream {
    stream: Batches,
    storage: Arc<Counting>,
    folder: Option<String>,
}

impl Stream {
    /// With `fill` in its state.
    pub(crate) fn new(
        operation: &str,
        fill: impl Iterator<Item = Vec<(u64, u64)>>,
        folder: Option<String>,
        local: usize,
    ) -> Stream {
        let program = if operation == OPERATIONS[0] { running_sums } else { sums_of_all };
        let storage = Arc::new(Counting::new());
        let stream = match &folder {
            Some(folder) => Batches::durable(local, (folder, storage.clone()), program),
            None => Batches::start(local, program),
        };
        let mut stream = Stream { stream, storage, folder };
        for records in fill {
            stream.batch(&records);
        }
        stream.settle();
        stream
    }

    /// One batch; and its result.
    pub(crate) fn batch(&mut self, records: &[(u64, u64)]) -> (Took, u64) {
        let records = self.stream.records(records);
        let (before, start) = (self.written(), Instant::now());
        let result = self.stream.run(records);
        let seconds = start.elapsed().as_secs_f64();
        (Took { seconds, beside_snapshot: self.written().snapshots > before.snapshots }, result)
    }

    /// Batches of which each waits for the one before, as where a program is busy; the seconds of all, and the results.
    pub(crate) fn busy(&mut self, batches: &[Vec<(u64, u64)>]) -> (f64, Vec<u64>) {
        let records = batches.iter().map(|records| self.stream.records(records)).collect();
        let start = Instant::now();
        let results = self.stream.run_all(records);
        (start.elapsed().as_secs_f64(), results)
    }

    /// Waits until no snapshot is written, so that the other stream has the machine for itself.
    pub(crate) fn settle(&self) {
        while self.folder.is_some() {
            let before = self.written();
            std::thread::sleep(Duration::from_millis(100));
            if self.written() == before {
                break;
            }
        }
    }

    pub(crate) fn written(&self) -> Written {
        self.storage.written()
    }

    /// Bytes that the journal and the states have on disk now.
    pub(crate) fn folder_bytes(&self) -> [u64; 2] {
        let folder = self.folder.as_deref().unwrap_or_default();
        ["journal", "state"].map(|name| disk::bytes_below(&format!("{folder}/{name}")))
    }
}
