//! A state that remembers all its events, and what tests do with its journal.

use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::{Fence, Journal, JournalEvent, JournalOptions, JournalRecovery, JournalState, MemoryStorage};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) const FENCE: &str = "run/fence";
pub(crate) const JOURNAL: &str = "run/journal";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Event(pub(crate) u32);

impl JournalEvent for Event {
    fn encode(&self) -> Vec<u8> {
        self.0.to_le_bytes().to_vec()
    }
    fn decode(bytes: &[u8]) -> Result<Event> {
        let wrong = |_| Error::new(ErrorKind::Data, "an event has four bytes");
        bytes.try_into().map(u32::from_le_bytes).map(Event).map_err(wrong)
    }
}

/// All events, in order.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct History(pub(crate) Vec<u32>);

impl JournalState for History {
    type Event = Event;
    fn apply(&mut self, event: &Event) {
        self.0.push(event.0);
    }
    fn snapshot(&self) -> Vec<u8> {
        self.0.iter().flat_map(|event| event.to_le_bytes()).collect()
    }
    fn restore(bytes: &[u8]) -> Result<History> {
        bytes.chunks(4).map(|event| Event::decode(event).map(|event| event.0)).collect::<Result<_>>().map(History)
    }
}

/// Small ones, so that a short run has snapshots and several segments.
pub(crate) fn options() -> JournalOptions {
    JournalOptions::new("test").snapshot_after(100).log_bytes_max(150).segment_bytes(120)
}

/// A new process on the storage: takes the fence and opens the journal.
pub(crate) fn open(
    storage: &(impl Storage + Clone + 'static),
    owner: &str,
) -> Result<(Journal<History>, JournalRecovery)> {
    open_with(storage, owner, options())
}

pub(crate) fn open_with(
    storage: &(impl Storage + Clone + 'static),
    owner: &str,
    options: JournalOptions,
) -> Result<(Journal<History>, JournalRecovery)> {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let fence = Fence::take(Arc::clone(&storage), FENCE, owner)?;
    Journal::open(storage, JOURNAL, options, Arc::new(fence), History::default)
}

pub(crate) fn history(journal: &Journal<History>) -> Vec<u32> {
    journal.read(|state| state.0.clone())
}

/// What a new process finds.
pub(crate) fn recovered(storage: &(impl Storage + Clone + 'static)) -> Vec<u32> {
    history(&open(storage, "recovery").unwrap().0)
}

/// Records `count` events in groups of one to three, each followed by a sync, from the number behind the history on.
/// Returns how many events the last good sync covered.
pub(crate) fn run(journal: &Journal<History>, count: u32, synced: &mut usize) -> Result<()> {
    let mut next = history(journal).len() as u32;
    *synced = next as usize;
    let end = next + count;
    while next < end {
        let group = next % 3 + 1;
        (next..next + group).try_for_each(|event| journal.record(&Event(event)))?;
        next += group;
        journal.sync()?;
        *synced = next as usize;
    }
    Ok(())
}

/// 0, 1, 2, ... with at least `synced` of them: nothing synced is lost, nothing is there twice.
pub(crate) fn assert_prefix(history: &[u32], synced: usize, what: &str) {
    assert!(history.len() >= synced, "{what}: {synced} events were synced, {} are there", history.len());
    assert!(history.iter().copied().eq(0..history.len() as u32), "{what}: {history:?}");
}

/// A store that appends, and one that does not.
pub(crate) fn both() -> [MemoryStorage; 2] {
    [MemoryStorage::new(), MemoryStorage::new().without_append()]
}

/// A folder of a test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("storage-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Folder(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}
impl Drop for Folder {
    #[expect(clippy::disallowed_methods, reason = "a test's own files")]
    fn drop(&mut self) {
        // What cannot be removed stays in the folder of the build.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}
