//! Letters on their way out of the store into a batch: through their operators once more, as somebody asked, or into the
//! stream of letters. What a batch has of them is in its allocation, by the event by which they leave the store.

use super::super::event::{Blob, DriverEvent, Millis, from_bytes, to_bytes};
use super::super::numbers::Numbers;
use super::{DeadLetters, LetterRequest, Piece, Shared};
use headwater_core::dead_letters::{DeadLetter, Letter, Redriven};
use headwater_core::time::Time;
use headwater_core::{OperatorId, Result};
use std::time::Duration;

/// Letters, and bytes of them, that a batch has once more at most; one letter in any case.
const REDRIVEN_MAX: u64 = 10_000;
const REDRIVEN_BYTES_MAX: u64 = 1 << 20;
/// How often somebody looks for requests.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What stands for an input in what is stored of a batch, for the letters that it has once more.
pub(in super::super) const ALLOCATION: &str = "headwater/dead-letters";
/// What stands there for the operator, for those that the stream of letters has.
const STREAM: &str = "headwater/dead-letter-stream";

impl DeadLetters {
    /// Gives batch `time` what an earlier process gave it, where `inputs` says so. Letters of an operator that the program has
    /// not any more are dead letters again, of that batch, if it is not done.
    pub(in super::super) fn restore(&self, time: Time, inputs: &[(String, Blob)], is_done: bool) -> Result<()> {
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
    pub(in super::super) fn allocation(&self, time: Time) -> (Option<(String, Blob)>, Numbers) {
        let shared = self.shared();
        let Some(given) = shared.allocated.get(&time).filter(|given| !given.is_empty()) else {
            return (None, Numbers::default());
        };
        let numbers = given.iter().map(|(_, letter)| letter.number).collect();
        (Some((ALLOCATION.to_owned(), Blob(to_bytes(given)))), numbers)
    }
    /// Takes letters out of the store for batch `time`. See [`allocate`](headwater_core::dead_letters::DeadLetterStore::allocate).
    pub(super) fn give(&self, time: Time, operators: &[OperatorId], stream: Option<&[OperatorId]>) {
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
    /// Looks for requests, and records what they ask.
    pub(super) fn look(&self, shared: &mut Shared) -> Result<()> {
        shared.looked = Some(self.env.clock.now());
        shared.waiting_requests = Numbers::default();
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
                shared.waiting_requests.insert_all(&waits);
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
        if shared.log.letters() == 0 {
            return Ok(Vec::new());
        }
        // What somebody asks for otherwise is not for the stream, also where the request waits for its operator.
        self.look(shared)?;
        let (committed, mut asked) = self.journal.read(|state| (state.letters.next, state.letters.asked.clone()));
        asked.insert_all(&shared.waiting_requests);
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
    /// What batch `time` has for an operator.
    pub(super) fn given_to(&self, operator: &str, time: Time) -> Vec<Redriven> {
        let shared = self.shared();
        let given = shared.allocated.get(&time).into_iter().flatten();
        given.filter(|(of, _)| of == operator).map(|(_, letter)| letter.clone()).collect()
    }
    /// What it has for the stream of letters.
    pub(super) fn given_to_stream(&self, time: Time) -> Result<Vec<DeadLetter>> {
        let given = self.given_to(STREAM, time).into_iter();
        given.map(|letter| from_bytes(&letter.payload, "dead letter of the stream")).collect()
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
        // Not as of its partition, which has brought it once already.
        let DeadLetter { operator, batch, letter, .. } = from_bytes(&given.payload, "dead letter")?;
        let letters = vec![(0, letter)];
        return Ok(Piece { first: 0, counted: 1, batch, partition: u32::MAX, operator, letters });
    }
    let Redriven { number, attempt, source, payload } = given;
    let error = format!("the letter {number} was to go through {operator} once more, which the program has not");
    let letter = Letter { index: number, attempt, error, source, payload };
    Ok(Piece { first: 0, counted: 1, batch: time, partition: u32::MAX, operator, letters: vec![(0, letter)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of 8 MiB must fit into an event of the journal, in which it may be twice enclosed.
    #[test]
    fn a_record_takes_no_more_room_than_it_has() {
        let (source, payload) = (None, vec![0xff; 10_000]);
        let letter = Letter { index: 7, attempt: 1, error: "bad".to_owned(), source, payload };
        let (operator, batch) = ("parse".to_owned(), Time::from_millis(1000));
        let letter = DeadLetter { number: 1, operator, batch, partition: 0, letter };
        let payload = to_bytes(&letter);
        let given = vec![(STREAM.to_owned(), Redriven { number: 1, attempt: 1, source: None, payload })];
        let bytes = to_bytes(&given);
        assert!(bytes.len() < 10_500, "{} bytes", bytes.len());
        assert_eq!(from_bytes::<Vec<(String, Redriven)>>(&bytes, "allocation").unwrap(), given);
    }
}
