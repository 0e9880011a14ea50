//! [`DeadLetters`]: the dead-letter store of an application with a checkpoint folder. Tasks hand letters over, in memory;
//! before a batch is committed the driver writes those of its jobs. A letter that is to go through its operator once more
//! goes from the store into the batch's allocation, by one event.

mod again;
mod log;
mod piece;
mod request;

pub(super) use again::ALLOCATION;
pub(super) use piece::Piece;
pub(super) use request::LetterRequest;

use super::driver_state::{DriverState, LetterState};
use super::event::{DriverEvent, LettersEnd};
use super::numbers::Numbers;
use headwater_core::dead_letters::{DeadLetter, DeadLetterLimits, DeadLetterStore, Letter, Redriven, SetAside};
use headwater_core::env::Env;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use headwater_storage::Journal;
use log::LetterLog;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of letters that wait for the commit of their batch; one that sets aside more fails.
const WAITING_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a piece, unless one letter has more.
const PIECE_BYTES_MAX: u64 = 1 << 20;

/// In the folder of the application.
pub(super) fn folder_of(checkpoint: &str) -> String {
    format!("{checkpoint}/dead-letters")
}
pub(super) fn log_of(checkpoint: &str) -> String {
    format!("{}/log", folder_of(checkpoint))
}

pub(super) struct DeadLetters {
    env: Env,
    /// `DIR`, and `DIR/dead-letters`.
    checkpoint: String,
    folder: String,
    limits: DeadLetterLimits,
    journal: Arc<Journal<DriverState>>,
    /// The operators that can have letters once more.
    operators: BTreeSet<&'static str>,
    /// Whether the program has a stream of letters.
    has_stream: bool,
    shared: Mutex<Shared>,
}

struct Shared {
    log: LetterLog,
    /// Letters of batches that are not committed: by the batch in whose job they came, in the order in which they came.
    waiting: BTreeMap<Time, Vec<Piece>>,
    waiting_letters: u64,
    waiting_bytes: u64,
    /// How many letters each partition has brought, for as long as somebody may compute it again.
    seen: BTreeMap<(Time, String, u32), u64>,
    /// What batches have once more, for as long as somebody may ask.
    allocated: BTreeMap<Time, Vec<(String, Redriven)>>,
    /// When somebody looked for requests last.
    looked: Option<Time>,
    /// What requests ask for that wait for their operators.
    waiting_requests: Numbers,
    /// Requests whose event is recorded: they go when it is synced.
    done: Vec<String>,
    /// Requests of which something waits, and errors, that the user was told of.
    told: BTreeSet<String>,
}

/// What is needed to open the store.
pub(super) struct LetterOptions<'a> {
    pub(super) application: &'a str,
    pub(super) epoch: u64,
    pub(super) limits: DeadLetterLimits,
    pub(super) operators: BTreeSet<&'static str>,
    pub(super) has_stream: bool,
    /// Batches behind this one may be computed again.
    pub(super) forget: Time,
}

impl DeadLetters {
    /// Goes on with what is in the folder, and carries out what was asked while nothing ran.
    pub(super) fn open(
        env: &Env,
        checkpoint: &str,
        journal: Arc<Journal<DriverState>>,
        options: LetterOptions<'_>,
    ) -> Result<DeadLetters> {
        let left: LetterState = journal.read(|state| state.letters.clone());
        let warn = |message: String| env.console.warn(&message);
        let of = (options.application, options.epoch);
        let log = LetterLog::open(&env.storage, &log_of(checkpoint), of, &left, &warn)?;
        let seen = log.counted_behind(options.forget).fold(BTreeMap::new(), |mut seen, (key, count)| {
            *seen.entry(key).or_default() += count;
            seen
        });
        let (waiting, waiting_letters, waiting_bytes, allocated) = Default::default();
        let (looked, waiting_requests, done, told) = Default::default();
        let shared = Shared {
            log,
            waiting,
            waiting_letters,
            waiting_bytes,
            seen,
            allocated,
            looked,
            waiting_requests,
            done,
            told,
        };
        let (env, checkpoint, folder) = (env.clone(), checkpoint.to_owned(), folder_of(checkpoint));
        let LetterOptions { limits, operators, has_stream, .. } = options;
        let shared = Mutex::new(shared);
        let letters = DeadLetters { env, checkpoint, folder, limits, journal, operators, has_stream, shared };
        let mut shared = letters.shared();
        letters.record_void(&mut shared)?;
        letters.look(&mut shared)?;
        drop(shared);
        Ok(letters)
    }

    /// Writes and syncs the letters of jobs of batches up to `until`, which are committed next.
    pub(super) fn sync(&self, until: Time) -> Result<Option<LettersEnd>> {
        let mut shared = self.shared();
        while let Some(mut first) = shared.waiting.first_entry().filter(|first| *first.key() <= until) {
            let mut pieces = std::mem::take(first.get_mut());
            let written = shared.log.write(&mut pieces);
            let is_written = pieces.is_empty();
            if let Some(mut first) = shared.waiting.first_entry() {
                *first.get_mut() = pieces;
                if is_written {
                    first.remove();
                }
            }
            shared.count_waiting();
            written?;
        }
        self.record_void(&mut shared)?;
        let next = shared.log.next();
        Ok(shared.log.end().map(|(segment, offset)| LettersEnd { next, segment, offset }))
    }
    /// The events before are synced.
    pub(super) fn synced(&self) {
        let mut shared = self.shared();
        for name in std::mem::take(&mut shared.done) {
            if let Err(error) = LetterRequest::remove(&*self.env.storage, &self.folder, &name) {
                shared.tell(&self.env, format!("the request {name} in {} stays for now: {error}", self.folder));
            }
        }
    }
    /// Batches up to `forget` are not computed again. From which segment on the log is needed, and its lowest number, where
    /// that has changed.
    pub(super) fn tidy(&self, forget: Time) -> Result<Option<(u64, u64)>> {
        let mut shared = self.shared();
        shared.seen.retain(|(batch, ..), _| *batch > forget);
        shared.allocated.retain(|batch, _| *batch > forget);
        shared.log.tidy(forget)
    }
    pub(super) fn remove_before(&self, segment: u64) -> Result<()> {
        self.shared().log.remove_before(segment)
    }

    fn record_void(&self, shared: &mut Shared) -> Result<()> {
        let numbers = shared.log.take_void();
        if numbers.is_empty() {
            return Ok(());
        }
        self.journal.record(&DriverEvent::LettersVoided { numbers, next: shared.log.next() })
    }
    /// See [`DeadLetterStore::put`]; `checks` is whether it must be within the limits.
    fn take_over(&self, found: SetAside, checks: bool) -> Result<()> {
        let SetAside { operator, batch, partition, job, letters, .. } = found;
        // What nobody commits is not kept: the user looks at a batch outside of all jobs.
        let Some(job) = job else { return Ok(()) };
        let (operator, partition) = (operator.as_str(), partition as u32);
        let key = (batch, operator.to_owned(), partition);
        let mut shared = self.shared();
        let seen = shared.seen.get(&key).copied().unwrap_or(0);
        let all = letters.len() as u64;
        if all <= seen {
            return Ok(());
        }
        let fresh: Vec<Letter> = letters.into_iter().skip(seen as usize).collect();
        if checks {
            self.check(&shared, fresh.len() as u64, fresh.iter().map(Letter::bytes).sum())?;
        }
        shared.seen.insert(key, all);
        let (mut letters, mut bytes) = (Vec::new(), 0);
        let mut waits = |letters: Vec<(u32, Letter)>| {
            let (first, counted, operator) = (0, letters.len() as u32, operator.to_owned());
            shared.wait(job, Piece { first, counted, batch, partition, operator, letters });
        };
        for letter in fresh {
            if bytes + letter.bytes() > PIECE_BYTES_MAX && !letters.is_empty() {
                waits(std::mem::take(&mut letters));
                bytes = 0;
            }
            bytes += letter.bytes();
            letters.push((letters.len() as u32, letter));
        }
        waits(letters);
        Ok(())
    }
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn check(&self, shared: &Shared, letters: u64, bytes: u64) -> Result<()> {
        let full = |what: String| Err(Error::new(ErrorKind::Resources, what));
        if shared.waiting_bytes + bytes > WAITING_BYTES_MAX {
            return full(format!(
                "the batches that are not committed have set aside more than {WAITING_BYTES_MAX} bytes of records, the limit"
            ));
        }
        let (of_log, of_bytes) = (shared.log.letters(), shared.log.bytes());
        if self.limits.allow(of_log + shared.waiting_letters + letters, of_bytes + shared.waiting_bytes + bytes) {
            return Ok(());
        }
        let more = format!("{letters} more letters of {bytes} bytes");
        let (DeadLetterLimits { letters, bytes }, folder) = (self.limits, &self.checkpoint);
        full(format!(
            "the dead-letter store in {folder} is full: it has {of_log} letters of {of_bytes} bytes and no room for {more}; \
             the limits are headwater.streaming.dead_letters_max = {letters} and headwater.streaming.dead_letter_bytes_max = {bytes}; make \
             room by `headwater dead-letters drop {folder} --all`, or `re-drive` with some of them, or raise the limit"
        ))
    }
}

impl Shared {
    fn wait(&mut self, job: Time, piece: Piece) {
        self.waiting_letters += piece.letters.len() as u64;
        self.waiting_bytes += piece.letters.iter().map(|(_, letter)| letter.bytes()).sum::<u64>();
        self.waiting.entry(job).or_default().push(piece);
    }
    fn count_waiting(&mut self) {
        let letters = || self.waiting.values().flatten().flat_map(|piece| &piece.letters);
        (self.waiting_letters, self.waiting_bytes) =
            (letters().count() as u64, letters().map(|(_, letter)| letter.bytes()).sum());
    }
    /// Tells the user once.
    fn tell(&mut self, env: &Env, message: String) {
        /// Messages that are remembered; behind so many they may come again.
        const TOLD_MAX: usize = 100;
        if self.told.len() == TOLD_MAX {
            self.told.clear();
        }
        if self.told.insert(message.clone()) {
            env.console.warn(&message);
        }
    }
}

impl DeadLetterStore for DeadLetters {
    fn limits(&self) -> DeadLetterLimits {
        self.limits
    }
    fn drops_oldest(&self) -> bool {
        false
    }
    fn check_room(&self, letters: u64, bytes: u64) -> Result<()> {
        self.check(&self.shared(), letters, bytes)
    }
    fn put(&self, found: SetAside) -> Result<()> {
        self.take_over(found, true)
    }
    fn put_anyway(&self, found: SetAside) -> Result<()> {
        self.take_over(found, false)
    }
    fn allocate(&self, time: Time, operators: &[OperatorId], stream: Option<&[OperatorId]>) {
        self.give(time, operators, stream);
    }
    fn streamed(&self, time: Time) -> Result<Vec<DeadLetter>> {
        self.given_to_stream(time)
    }
    fn redriven(&self, operator: OperatorId, time: Time) -> Vec<Redriven> {
        self.given_to(operator.as_str(), time)
    }
}
