//! [`DeadLetters`]: the dead-letter store of an application with a checkpoint folder. Tasks hand letters over, in memory;
//! before a batch is committed the driver writes those of its jobs. A letter that is to go through its operator once more
//! goes from the store into the batch's allocation, by one event.

mod log;
mod piece;
mod request;

pub(super) use piece::Piece;
pub(super) use request::LetterRequest;

use super::driver_state::{DriverState, LetterState};
use super::event::{Blob, DriverEvent, LettersEnd, Millis, from_bytes, to_bytes};
use super::numbers::Numbers;
use headwater_core::dead_letters::{DeadLetter, DeadLetterLimits, DeadLetterStore, Letter, Redriven, SetAside};
use headwater_core::env::Env;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, OperatorId, Result};
use headwater_storage::Journal;
use log::LetterLog;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of letters that wait for the commit of their batch; one that sets aside more fails.
const WAITING_BYTES_MAX: u64 = 256 << 20;
/// Bytes of a piece, unless one letter has more.
const PIECE_BYTES_MAX: u64 = 1 << 20;
/// Letters, and bytes of them, that a batch has once more at most; one letter in any case.
const REDRIVEN_MAX: u64 = 10_000;
const REDRIVEN_BYTES_MAX: u64 = 1 << 20;
/// How often somebody looks for requests.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What stands for an input in what is stored of a batch, for the letters that it has once more.
pub(super) const ALLOCATION: &str = "headwater/dead-letters";
/// What stands there for the operator, for those that the stream of letters has.
const STREAM: &str = "headwater/dead-letter-stream";

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
        let (waiting, waiting_letters, waiting_bytes, allocated, looked, done, told) = Default::default();
        let shared = Shared { log, waiting, waiting_letters, waiting_bytes, seen, allocated, looked, done, told };
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
    /// Gives batch `time` what an earlier process gave it, where `inputs` says so. Letters of an operator that the program has
    /// not any more are dead letters again, of that batch, if it is not done.
    pub(super) fn restore(&self, time: Time, inputs: &[(String, Blob)], is_done: bool) -> Result<()> {
        let Some((_, bytes)) = inputs.iter().find(|(name, _)| name == ALLOCATION) else { return Ok(()) };
        let all: Vec<(String, Redriven)> = from_bytes(&bytes.0, "allocation of dead letters")?;
        let is_known = |operator: &str| match operator {
            STREAM => self.has_stream,
            operator => self.operators.contains(operator),
        };
        let (known, gone): (Vec<_>, Vec<_>) = all.into_iter().partition(|(operator, _)| is_known(operator));
        let mut shared = self.shared();
        shared.allocated.entry(time).or_default().extend(known);
        for (operator, given) in gone.into_iter().filter(|_| !is_done) {
            shared.wait(time, given_back(time, operator, given)?);
        }
        Ok(())
    }

    /// What batch `time` has once more, for the event that says so.
    pub(super) fn allocation(&self, time: Time) -> (Option<(String, Blob)>, Numbers) {
        let shared = self.shared();
        let Some(given) = shared.allocated.get(&time).filter(|given| !given.is_empty()) else {
            return (None, Numbers::default());
        };
        let numbers = given.iter().map(|(_, letter)| letter.number).collect();
        (Some((ALLOCATION.to_owned(), Blob(to_bytes(given)))), numbers)
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
    /// Looks for requests, and records what they ask.
    fn look(&self, shared: &mut Shared) -> Result<()> {
        shared.looked = Some(self.env.clock.now());
        for (name, LetterRequest { redrive, drop }) in LetterRequest::waiting(&*self.env.storage, &self.folder)? {
            if shared.done.contains(&name) {
                continue;
            }
            let is_known = |operator: &str| self.operators.contains(operator);
            let (drop, mut wanted) = (shared.log.known(&drop, |_| true), shared.log.known(&redrive, is_known));
            let waits = shared.log.known(&redrive, |operator| !is_known(operator));
            wanted.remove_all(&self.journal.read(|state| state.letters.asked.clone()));
            if !drop.is_empty() || !wanted.is_empty() {
                self.journal.record(&DriverEvent::LettersAsked { redrive: wanted, drop: drop.clone() })?;
                shared.log.remove(&drop);
            }
            if waits.is_empty() {
                shared.done.push(name);
            } else {
                let count = waits.count();
                shared.tell(&self.env, format!(
                    "{count} dead letters cannot go through their operators once more, as the request {name} in {} asks: no \
                     operator of the program that sets records aside, and that an output reads, has their id (`headwater \
                     dead-letters list {}` tells it). The request waits for a program that has, by .uid(...)",
                    self.folder, self.checkpoint
                ));
            }
        }
        Ok(())
    }
    /// Takes letters that were asked for out of the store, for a batch of these operators.
    fn take(&self, shared: &mut Shared, operators: &[OperatorId]) -> Result<Vec<(String, Redriven)>> {
        let asked = self.journal.read(|state| state.letters.asked.clone());
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let more = up_to_limits();
        let wanted = |operator: &str| operators.iter().any(|known| known.as_str() == operator);
        let read = shared.log.read(&asked, wanted, more)?;
        shared.log.remove(&read.iter().map(|of| of.number).collect());
        let given = read.into_iter().map(|of| {
            let Letter { attempt, source, payload, .. } = of.letter;
            (of.operator, Redriven { number: of.number, attempt, source, payload })
        });
        Ok(given.collect())
    }
    /// Takes letters that are committed, and that nobody has asked for otherwise, out of the store for the stream of letters;
    /// those of the operators `behind` the stream stay, or they might go in circles.
    fn take_for_stream(&self, shared: &mut Shared, behind: &[OperatorId]) -> Result<Vec<(String, Redriven)>> {
        let (committed, asked) = self.journal.read(|state| (state.letters.next, state.letters.asked.clone()));
        let mut numbers = Numbers::default();
        numbers.insert(0, committed);
        numbers.remove_all(&asked);
        let wanted = |operator: &str| behind.iter().all(|behind| behind.as_str() != operator);
        let read = shared.log.read(&numbers, wanted, up_to_limits())?;
        shared.log.remove(&read.iter().map(|of| of.number).collect());
        let given = read.into_iter().map(|of| {
            let (number, attempt, source, payload) = (of.number, of.letter.attempt, None, to_bytes(&of));
            (STREAM.to_owned(), Redriven { number, attempt, source, payload })
        });
        Ok(given.collect())
    }
    fn redriven_of(&self, operator: &str, time: Time) -> Vec<Redriven> {
        let shared = self.shared();
        let given = shared.allocated.get(&time).into_iter().flatten();
        given.filter(|(of, _)| of == operator).map(|(_, letter)| letter.clone()).collect()
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
        let (DeadLetterLimits { letters, bytes }, folder) = (self.limits, &self.checkpoint);
        full(format!(
            "the dead-letter store in {folder} is full: it has {of_log} letters of {of_bytes} bytes, and the limits are \
             headwater.streaming.dead_letters_max = {letters} and headwater.streaming.dead_letter_bytes_max = {bytes}; make \
             room by `headwater dead-letters drop {folder}` or `headwater dead-letters re-drive {folder}`, or raise the limit"
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
    fn put(&self, SetAside { operator, batch, partition, job, letters, .. }: SetAside) -> Result<()> {
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
        self.check(&shared, fresh.len() as u64, fresh.iter().map(Letter::bytes).sum())?;
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
    fn allocate(&self, time: Time, operators: &[OperatorId], stream: Option<&[OperatorId]>) {
        // What an earlier process has fixed stays.
        if self.journal.read(|state| state.batches.contains_key(&Millis::from(time))) {
            return;
        }
        let mut shared = self.shared();
        let (now, mut result) = (self.env.clock.now(), Ok(()));
        if shared.looked.is_none_or(|looked| now >= looked + LOOK_EVERY || now < looked) {
            result = self.look(&mut shared);
        }
        let taken = result.and_then(|()| self.take(&mut shared, operators));
        let streamed = stream.map(|behind| self.take_for_stream(&mut shared, behind));
        for taken in [Some(taken), streamed].into_iter().flatten() {
            match taken {
                Ok(given) if given.is_empty() => {}
                Ok(given) => shared.allocated.entry(time).or_default().extend(given),
                Err(error) => shared.tell(&self.env, format!("no dead letter goes out of the store for now: {error}")),
            }
        }
    }
    fn streamed(&self, time: Time) -> Result<Vec<DeadLetter>> {
        let given = self.redriven_of(STREAM, time).into_iter();
        given.map(|letter| from_bytes(&letter.payload, "dead letter of the stream")).collect()
    }
    fn redriven(&self, operator: OperatorId, time: Time) -> Vec<Redriven> {
        self.redriven_of(operator.as_str(), time)
    }
}

/// Whether a batch has room for one more letter, of so many bytes.
fn up_to_limits() -> impl FnMut(u64) -> bool {
    let (mut letters, mut bytes) = (0, 0);
    move |of_letter| {
        letters += 1;
        bytes += of_letter;
        letters == 1 || (letters <= REDRIVEN_MAX && bytes <= REDRIVEN_BYTES_MAX)
    }
}
/// A letter that batch `time` had for an operator, or a stream, that the program has no more.
fn given_back(time: Time, operator: String, given: Redriven) -> Result<Piece> {
    if operator == STREAM {
        let DeadLetter { operator, batch, partition, letter, .. } = from_bytes(&given.payload, "dead letter")?;
        let letters = vec![(0, letter)];
        return Ok(Piece { first: 0, counted: 1, batch, partition: partition as u32, operator, letters });
    }
    let Redriven { number, attempt, source, payload } = given;
    let error = format!("the letter {number} was to go through {operator} once more, which the program has not");
    let letter = Letter { index: number, attempt, error, source, payload };
    Ok(Piece { first: 0, counted: 1, batch: time, partition: u32::MAX, operator, letters: vec![(0, letter)] })
}
