//! How far a damaged journal is good ([`find_journal_point`]), and the cut there ([`cut_journal`]), behind which it goes on.
//! What stands behind the point is copied to another folder first: a cut deletes nothing for good.

use super::snapshot::{self, Snapshot};
use super::{JournalEvent, JournalState, recovery};
use crate::log::{LogDamage, LogOptions, LogReader, copy_log, cut_log};
use crate::path;
use headwater_core::env::Storage;
use headwater_core::{Error, ErrorKind, Result};
use std::error::Error as _;
use std::sync::Arc;

/// A place in a journal, and what it comes to there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalPoint<S> {
    /// The application's name.
    pub application: String,
    /// The state behind all events before it.
    pub state: S,
    /// The segment and the offset that [`cut_journal`] takes; none at the end of the journal.
    pub cut: Option<(u64, u64)>,
}

/// The newest point of the journal in the folder up to which it reads, and behind which the state `fits`. `None` where there
/// is none: no snapshot is good and the log is not whole before it either. Nothing is taken over.
pub fn find_journal_point<S: JournalState + Clone>(
    storage: &Arc<dyn Storage>,
    folder: &str,
    initial: impl Fn() -> S,
    fits: impl Fn(&S) -> bool,
) -> Result<Option<JournalPoint<S>>> {
    let Some(application) = recovery::application(storage, folder)? else { return Ok(None) };
    let numbers = snapshot::snapshots(&**storage, folder)?;
    for number in numbers.into_iter().rev().map(Some).chain([None]) {
        let (first, state) = match number.map(|number| Snapshot::read(&**storage, folder, number)).transpose()? {
            None => (1, initial()),
            Some(Ok(snapshot)) => (snapshot.segment, S::restore(&snapshot.state)?),
            Some(Err(_damaged)) => continue,
        };
        let log = LogOptions::new(&application, u64::MAX).first(first);
        let reader = match LogReader::open(Arc::clone(storage), folder, log) {
            Ok(reader) => reader,
            Err(error) if error.kind() == ErrorKind::Data => continue,
            Err(error) => return Err(error),
        };
        if reader.newest() > 0 && fits(&state) {
            let (state, cut) = follow(reader, state, &fits)?;
            return Ok(Some(JournalPoint { application, state, cut }));
        }
    }
    Ok(None)
}

/// Applies events as long as they read and the state fits; where that ends before the log does.
fn follow<S: JournalState + Clone>(
    mut reader: LogReader,
    mut state: S,
    fits: &impl Fn(&S) -> bool,
) -> Result<(S, Option<(u64, u64)>)> {
    loop {
        match reader.next() {
            Ok(None) => return Ok((state, None)),
            Ok(Some((position, event))) => {
                let before = state.clone();
                state.apply(&S::Event::decode(&event)?);
                if !fits(&state) {
                    return Ok((before, Some((position.segment, position.offset))));
                }
            }
            Err(error) => return good_point(&error).map(|good| (state, Some(good))).ok_or(error),
        }
    }
}

/// Where the log is good to that this error is about.
fn good_point(error: &Error) -> Option<(u64, u64)> {
    error.source().and_then(|source| source.downcast_ref::<LogDamage>())?.good
}

/// Cuts the journal in the folder at a point that [`find_journal_point`] has found: what stands behind it is copied to the
/// folder `aside`, with the segment that is cut, and removed. How many files were copied. Nobody may be writing; after a
/// crash or an error find the point again.
///
/// ```
/// # use headwater_core::{Result, env::Storage};
/// # use headwater_storage::*;
/// # use std::sync::Arc;
/// # #[derive(Clone)]
/// # struct Name(String);
/// # impl JournalEvent for Name {
/// #     fn encode(&self) -> Vec<u8> { self.0.clone().into_bytes() }
/// #     fn decode(bytes: &[u8]) -> Result<Name> { Ok(Name(String::from_utf8_lossy(bytes).into())) }
/// # }
/// # #[derive(Clone, Default)]
/// # struct Names(String);
/// # impl JournalState for Names {
/// #     type Event = Name;
/// #     fn apply(&mut self, event: &Name) { self.0 += &event.0 }
/// #     fn snapshot(&self) -> Vec<u8> { self.0.clone().into_bytes() }
/// #     fn restore(bytes: &[u8]) -> Result<Names> { Name::decode(bytes).map(|names| Names(names.0)) }
/// # }
/// let memory = MemoryStorage::new();
/// let storage: Arc<dyn Storage> = Arc::new(memory.clone());
/// let open = || {
///     let fence = Fence::take(storage.clone(), "fence", "the example")?;
///     Journal::open(storage.clone(), "journal", JournalOptions::new("names"), fence.into(), Names::default)
/// };
/// let (journal, _) = open()?;
/// for name in ["a", "b", "c"] {
///     journal.record(&Name(name.into()))?;
///     journal.sync()?;
/// }
/// let log = &memory.paths()[1].0;
/// memory.flip_bit(log, 8 * (56 + 17 + 12));
/// assert!(open().is_err());
/// let point = find_journal_point(&storage, "journal", Names::default, |_| true)?.unwrap();
/// assert_eq!((point.state.0.as_str(), point.cut), ("a", Some((1, 56 + 17))));
/// cut_journal(&*storage, "journal", point.cut.unwrap(), "aside")?;
/// assert_eq!(open()?.0.read(|names| names.0.clone()), "a");
/// # Ok::<(), headwater_core::Error>(())
/// ```
pub fn cut_journal(storage: &dyn Storage, folder: &str, (segment, offset): (u64, u64), aside: &str) -> Result<usize> {
    let behind = snapshot::snapshots(storage, folder)?.into_iter().filter(|number| *number > segment);
    let behind: Vec<String> = behind.map(|number| snapshot::path_of(folder, number)).collect();
    for path in &behind {
        storage.put(&path::join(aside, path::split(path).1), &storage.read(path)?.unwrap_or_default())?;
    }
    let copied = copy_log(storage, folder, segment, aside)?;
    // Before the log: a snapshot is good only with the segments that it stands before.
    behind.iter().try_for_each(|path| storage.remove(path))?;
    cut_log(storage, folder, segment, offset)?;
    Ok(copied + behind.len())
}
