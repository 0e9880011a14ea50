//! A journal: the state of a program as a log of events. State changes one way: an event is recorded, then applied, and
//! recovery applies the same events again, to what a snapshot of the state says.
//!
//! ```text
//! FOLDER/NUMBER.log        events; see the log
//! FOLDER/NUMBER.snapshot   the state before the first event of segment NUMBER
//! snapshot = "HWSNAPSH" version:u16 checksum segment:u64 epoch:u64 name length:u64 state:[u8; length] checksum
//! ```

mod check;
mod cut;
mod files;
mod options;
mod recovery;
mod snapshot;
mod state;

pub use check::check_journal;
pub use cut::{JournalPoint, cut_journal, find_journal_point};
pub use options::{JOURNAL_SEGMENTS_MAX, JOURNAL_UNSYNCED_BYTES_MAX, JournalOptions};
pub use recovery::JournalRecovery;
pub use state::{JournalEvent, JournalState};

use crate::log::{FRAME_BYTES, LOG_RECORD_BYTES_MAX};
use crate::{Fence, LogWriter};
use files::JournalFiles;
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A state and the journal that makes it durable. Threads may record while another syncs: what is recorded meanwhile
/// waits for the next sync.
///
/// The two newest snapshots are kept, and the log behind the older one.
///
/// **Size.** With S the bytes of the largest snapshot, G those of the largest group of events between two syncs (each
/// event is 16 bytes longer than its own), L = min(max([`JournalOptions::snapshot_after`], S),
/// [`JournalOptions::log_bytes_max`]), M = [`JOURNAL_SEGMENTS_MAX`], and H = 51 bytes and the application's name, the
/// folder holds at most `3 S + 2 (L + G) + 2 (M + 2) H` bytes: while the third snapshot is written the other two are
/// there, each with up to L + G bytes of log behind it. A sync that fails leaves up to G more, and a removal that fails
/// what it was to remove, until the next snapshots. What is written in all is at most (1 + S / L) times the log: twice,
/// where the snapshot is below `log_bytes_max` and less than M segments lie behind it.
///
/// ```
/// use headwater_core::Result;
/// use headwater_storage::{Fence, Journal, JournalEvent, JournalOptions, JournalState, MemoryStorage};
/// use std::sync::Arc;
///
/// struct Added(u64);
/// impl JournalEvent for Added {
///     fn encode(&self) -> Vec<u8> {
///         self.0.to_string().into_bytes()
///     }
///     fn decode(bytes: &[u8]) -> Result<Added> {
///         let number = String::from_utf8_lossy(bytes).parse();
///         number.map(Added).map_err(|error| headwater_core::Error::outside("no number", error))
///     }
/// }
/// #[derive(Default)]
/// struct Sum(u64);
/// impl JournalState for Sum {
///     type Event = Added;
///     fn apply(&mut self, event: &Added) {
///         self.0 += event.0;
///     }
///     fn snapshot(&self) -> Vec<u8> {
///         Added(self.0).encode()
///     }
///     fn restore(bytes: &[u8]) -> Result<Sum> {
///         Added::decode(bytes).map(|sum| Sum(sum.0))
///     }
/// }
///
/// let storage = Arc::new(MemoryStorage::new());
/// let open = || {
///     let fence = Fence::take(storage.clone(), "run/fence", "the example")?;
///     Journal::open(storage.clone(), "run/journal", JournalOptions::new("sums"), Arc::new(fence), Sum::default)
/// };
/// let (journal, _) = open()?;
/// journal.record(&Added(3))?;
/// journal.record(&Added(4))?;
/// journal.sync()?;
/// journal.record(&Added(100))?; // Never synced.
/// let (journal, recovery) = open()?;
/// assert_eq!((journal.read(|sum| sum.0), recovery.events), (7, 2));
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub struct Journal<S> {
    fence: Arc<Fence>,
    folder: String,
    live: Mutex<Live<S>>,
    /// Locked for a whole sync, and before `live`.
    files: Mutex<JournalFiles>,
}

/// What recording changes.
struct Live<S> {
    state: S,
    /// Events that are applied and not synced.
    unsynced: Vec<Vec<u8>>,
    /// Their bytes with frames.
    unsynced_bytes: u64,
}

impl<S: JournalState> Journal<S> {
    /// Recovers the state from the folder, which begins empty with `initial`, and goes on behind it. The fence must have
    /// been taken for this; nobody else's commits are read once it is.
    ///
    /// Errors: of the kind `Data` if what was durable is damaged or missing (see [`crate::LogDamage`]), `Program` if the
    /// folder belongs to another application or was written by another release, `Fenced` if another process has come
    /// later.
    pub fn open(
        storage: Arc<dyn Storage>,
        folder: &str,
        options: JournalOptions,
        fence: Arc<Fence>,
        initial: impl Fn() -> S,
    ) -> Result<(Journal<S>, JournalRecovery)> {
        let recovered = recovery::recover(&storage, folder, &options, fence.epoch(), &initial)?;
        let (state, mut files, recovery) = recovered;
        // Whoever was overtaken while it read has read too little, or what was removed since.
        fence.check()?;
        if files.is_due(0) {
            files.compact(&state.snapshot())?;
        }
        let live = Mutex::new(Live { state, unsynced: Vec::new(), unsynced_bytes: 0 });
        Ok((Journal { fence, folder: folder.to_owned(), live, files: Mutex::new(files) }, recovery))
    }
    /// The state as far as it was written by now, and the name of the application, without taking the journal over: the
    /// process that owns it may go on meanwhile. `None` where the folder has no journal.
    ///
    /// Errors: of the kind `Data` if what was durable is damaged or missing (see [`crate::LogDamage`]), `Program` if another
    /// release wrote it.
    pub fn look(
        storage: Arc<dyn Storage>,
        folder: &str,
        initial: impl Fn() -> S,
    ) -> Result<Option<(String, S, JournalRecovery)>> {
        recovery::look(&storage, folder, &initial)
    }
    /// Takes over an event and applies it to the state: as it reads back from its bytes, so that a recovery does the
    /// same. It is durable with the next [`sync`](Journal::sync). An error of the kind `Resources` says that the event,
    /// or what waits for a sync ([`JOURNAL_UNSYNCED_BYTES_MAX`]), is too long; nothing has changed then.
    pub fn record(&self, event: &S::Event) -> Result<()> {
        let bytes = event.encode();
        let event = S::Event::decode(&bytes).map_err(|error| error.within("an event does not read back"))?;
        let length = bytes.len() as u64 + FRAME_BYTES;
        let mut live = self.live();
        let waiting = live.unsynced_bytes;
        if bytes.len() > LOG_RECORD_BYTES_MAX || waiting + length > JOURNAL_UNSYNCED_BYTES_MAX {
            let message = format!(
                "cannot record an event of {} bytes in the journal {}, where {waiting} bytes wait for a sync: an event \
                 may have {LOG_RECORD_BYTES_MAX}, and {JOURNAL_UNSYNCED_BYTES_MAX} may wait",
                bytes.len(),
                self.folder
            );
            return Err(Error::new(ErrorKind::Resources, message));
        }
        live.state.apply(&event);
        live.unsynced.push(bytes);
        live.unsynced_bytes += length;
        Ok(())
    }
    /// Looks at the state, with all that was recorded.
    pub fn read<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.live().state)
    }
    /// Commits what was recorded before the call: makes it durable with one write, and makes sure that this process
    /// may. Now and then it takes a snapshot besides and removes what is not needed any more.
    ///
    /// After an error sync again when what it says is mended: nothing that was recorded is lost or written twice by that.
    /// After one of the kind `Fenced` nothing is committed any more, and the process should end.
    ///
    /// ```
    /// # use headwater_core::Result;
    /// # use headwater_storage::*;
    /// # use std::sync::Arc;
    /// # struct Name(String);
    /// # impl JournalEvent for Name {
    /// #     fn encode(&self) -> Vec<u8> { self.0.clone().into_bytes() }
    /// #     fn decode(bytes: &[u8]) -> Result<Name> { Ok(Name(String::from_utf8_lossy(bytes).into())) }
    /// # }
    /// # #[derive(Default)]
    /// # struct Names(String);
    /// # impl JournalState for Names {
    /// #     type Event = Name;
    /// #     fn apply(&mut self, event: &Name) { self.0 += &event.0 }
    /// #     fn snapshot(&self) -> Vec<u8> { self.0.clone().into_bytes() }
    /// #     fn restore(bytes: &[u8]) -> Result<Names> { Name::decode(bytes).map(|names| Names(names.0)) }
    /// # }
    /// let storage = FaultyStorage::new(MemoryStorage::new(), FaultPlan::new(7).fail(4, Failure::DiskFull));
    /// let open = |storage: &FaultyStorage| {
    ///     let fence = Fence::take(Arc::new(storage.clone()), "fence", "the example")?;
    ///     Journal::open(Arc::new(storage.clone()), "journal", JournalOptions::new("names"), fence.into(), Names::default)
    /// };
    /// let (journal, _) = open(&storage)?;
    /// journal.record(&Name("a".into()))?;
    /// assert_eq!(journal.sync().unwrap_err().kind(), headwater_core::ErrorKind::Resources);
    /// journal.record(&Name("b".into()))?;
    /// journal.sync()?;
    /// let (recovered, _) = open(&storage)?;
    /// assert_eq!(recovered.read(|names| names.0.clone()), "ab");
    /// # Ok::<(), headwater_core::Error>(())
    /// ```
    pub fn sync(&self) -> Result<()> {
        self.commit(false)
    }
    /// Commits as [`sync`](Journal::sync) does and takes a snapshot in any case, so that the next start has no events to
    /// read.
    pub fn snapshot(&self) -> Result<()> {
        self.commit(true)
    }

    fn commit(&self, with_snapshot: bool) -> Result<()> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (events, bytes, snapshot) = {
            let mut live = self.live();
            let snapshot = (with_snapshot || files.is_due(live.unsynced_bytes)).then(|| live.state.snapshot());
            (std::mem::take(&mut live.unsynced), std::mem::take(&mut live.unsynced_bytes), snapshot)
        };
        if let Err(error) = files.write(&events, bytes) {
            let mut live = self.live();
            live.unsynced.splice(..0, events);
            live.unsynced_bytes += bytes;
            return Err(self.cause(error));
        }
        // Behind the write: see the fence.
        self.fence.check()?;
        let compacted = snapshot.map_or(Ok(()), |snapshot| files.compact(&snapshot));
        compacted.map_err(|error| self.cause(error))
    }
    /// A process that was replaced may find its files removed; what it is told is that it was replaced.
    fn cause(&self, error: Error) -> Error {
        self.fence.check().err().filter(|fenced| fenced.kind() == ErrorKind::Fenced).unwrap_or(error)
    }
    fn live(&self) -> MutexGuard<'_, Live<S>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
