//! [`MemoryDeadLetters`]: the store of an application without a checkpoint folder. The newest letters are kept, in memory.

use super::letter::{DeadLetter, Letter, SetAside};
use super::store::{DeadLetterLimits, DeadLetterStore};
use crate::Result;
use crate::env::Console;
use crate::origin::OperatorId;
use crate::time::Time;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Letters that are kept in memory, at most; the oldest go.
const LETTERS_MAX: u64 = 10_000;
/// Bytes of letters that are kept in memory, at most; the oldest go.
const BYTES_MAX: u64 = 64 << 20;

/// Partitions of which it is known how many letters they have brought; the oldest go, and what such a partition brings again
/// counts as dropped.
const SEEN_MAX: usize = 100_000;

pub(crate) struct MemoryDeadLetters {
    limits: DeadLetterLimits,
    console: Arc<dyn Console>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// In the order of arrival.
    letters: VecDeque<DeadLetter>,
    bytes: u64,
    /// Letters so far.
    count: u64,
    /// How many each partition has brought. Partitions of batches up to `forgotten` are not here, but for the newest.
    seen: BTreeMap<(Time, OperatorId, usize), u64>,
    /// The newest batch of which letters had to go.
    forgotten: Option<Time>,
    /// Letters that had to go.
    dropped: u64,
    /// What the stream of letters has in the newest batch.
    streamed: Option<(Time, Vec<DeadLetter>)>,
}

impl MemoryDeadLetters {
    /// A store within `limits`, and within those of memory.
    pub(crate) fn new(limits: DeadLetterLimits, console: Arc<dyn Console>) -> MemoryDeadLetters {
        let limits = DeadLetterLimits { letters: limits.letters.min(LETTERS_MAX), bytes: limits.bytes.min(BYTES_MAX) };
        MemoryDeadLetters { limits, console, kept: Mutex::default() }
    }
    /// What is kept, oldest first.
    pub(crate) fn letters(&self) -> Vec<DeadLetter> {
        self.kept().letters.iter().cloned().collect()
    }
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeadLetterStore for MemoryDeadLetters {
    fn limits(&self) -> DeadLetterLimits {
        self.limits
    }
    fn drops_oldest(&self) -> bool {
        true
    }
    fn check_room(&self, _letters: u64, _bytes: u64) -> Result<()> {
        Ok(())
    }
    fn put(&self, found: SetAside) -> Result<()> {
        let mut kept = self.kept();
        let had_dropped = kept.dropped > 0;
        kept.take(found, self.limits);
        let drops_first = kept.dropped > 0 && !had_dropped;
        drop(kept);
        if drops_first {
            let DeadLetterLimits { letters, bytes } = self.limits;
            self.console.warn(&format!(
                "more records were set aside than memory has room for ({letters} dead letters, {bytes} bytes): from here \
                 on the oldest go, and this is not told again; a program with a checkpoint folder keeps them there"
            ));
        }
        Ok(())
    }
    fn put_anyway(&self, found: SetAside) -> Result<()> {
        self.put(found)
    }
    fn allocate(&self, time: Time, _operators: &[OperatorId], stream: Option<&[OperatorId]>) {
        let Some(behind) = stream else { return };
        let is_behind = |letter: &DeadLetter| behind.iter().any(|operator| operator.as_str() == letter.operator);
        let mut kept = self.kept();
        let (stay, go): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut kept.letters).into_iter().partition(is_behind);
        kept.letters = stay;
        kept.bytes = kept.letters.iter().map(|of| of.letter.bytes()).sum();
        // Where a batch could not be made its letters come with this one.
        let mut streamed = kept.streamed.take().map(|(_, left)| left).unwrap_or_default();
        streamed.extend(go);
        kept.streamed = Some((time, streamed));
    }
    fn streamed(&self, time: Time) -> Result<Vec<DeadLetter>> {
        let mut kept = self.kept();
        let of_batch = kept.streamed.take_if(|(batch, _)| *batch == time);
        Ok(of_batch.map(|(_, letters)| letters).unwrap_or_default())
    }
}

impl Kept {
    fn take(&mut self, found: SetAside, limits: DeadLetterLimits) {
        let SetAside { operator, batch, partition, skipped, letters, .. } = found;
        let all = skipped + letters.len() as u64;
        let key = (batch, operator, partition);
        let seen = self.seen.get(&key).copied();
        // What an older partition brings now was here already, or has no room.
        if seen.is_none() && self.forgotten.is_some_and(|forgotten| batch <= forgotten) {
            self.dropped += all;
            return;
        }
        let fresh = all.saturating_sub(seen.unwrap_or(0));
        self.dropped += fresh.saturating_sub(letters.len() as u64);
        self.seen.insert(key, all.max(seen.unwrap_or(0)));
        if self.seen.len() > SEEN_MAX
            && let Some(((oldest, ..), _)) = self.seen.pop_first()
        {
            self.forgotten = self.forgotten.max(Some(oldest));
        }
        let known = (letters.len() as u64).saturating_sub(fresh) as usize;
        for letter in letters.into_iter().skip(known) {
            self.count += 1;
            self.bytes += letter.bytes();
            let (number, operator) = (self.count, operator.to_string());
            self.letters.push_back(DeadLetter { number, operator, batch, partition, letter });
        }
        while !limits.allow(self.letters.len() as u64, self.bytes) {
            let Some(DeadLetter { batch, letter, .. }) = self.letters.pop_front() else { break };
            self.forget(batch, &letter);
        }
    }
    fn forget(&mut self, batch: Time, letter: &Letter) {
        self.bytes -= letter.bytes();
        self.dropped += 1;
        if self.forgotten < Some(batch) {
            self.forgotten = Some(batch);
            self.seen.retain(|(of, ..), _| *of >= batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Console;

    #[derive(Default)]
    struct Warnings(Mutex<Vec<String>>);
    impl Console for Warnings {
        fn print(&self, _text: &str) {}
        fn warn(&self, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }
    fn found(batch: i64, partition: usize, payloads: &[u8]) -> SetAside {
        let letter = |(index, byte): (usize, &u8)| Letter {
            index: index as u64,
            attempt: 1,
            error: "bad".to_owned(),
            source: None,
            payload: vec![*byte],
        };
        let letters = payloads.iter().enumerate().map(letter).collect();
        let (operator, batch) = (OperatorId::new("parse"), Time::from_millis(batch));
        SetAside { operator, batch, partition, job: Some(batch), skipped: 0, letters }
    }
    fn kept(store: &MemoryDeadLetters) -> Vec<(u64, i64, u8)> {
        let letters = store.letters().into_iter();
        letters.map(|of| (of.number, of.batch.milliseconds(), of.letter.payload[0])).collect()
    }

    #[test]
    fn a_partition_that_is_computed_again_counts_once() {
        let store = MemoryDeadLetters::new(DeadLetterLimits::default(), Arc::new(Warnings::default()));
        store.put(found(10, 0, &[1])).unwrap();
        store.put(found(10, 1, &[5])).unwrap();
        // All of it, behind a `take` that saw the beginning; and the beginning once more.
        store.put(found(10, 0, &[1, 2, 3])).unwrap();
        store.put(found(10, 0, &[1, 2])).unwrap();
        assert_eq!(kept(&store), [(1, 10, 1), (2, 10, 5), (3, 10, 2), (4, 10, 3)]);
    }

    #[test]
    fn the_oldest_go_with_one_warning() {
        let warnings = Arc::new(Warnings::default());
        let limits = DeadLetterLimits { letters: 3, bytes: u64::MAX };
        let store = MemoryDeadLetters::new(limits, warnings.clone());
        store.put(found(10, 0, &[1, 2])).unwrap();
        assert!(warnings.0.lock().unwrap().is_empty());
        store.put(found(20, 0, &[3, 4])).unwrap();
        store.put(found(30, 0, &[5])).unwrap();
        assert_eq!(kept(&store), [(3, 20, 3), (4, 20, 4), (5, 30, 5)]);
        // It went, and does not come again.
        store.put(found(10, 0, &[1, 2])).unwrap();
        store.put(SetAside { skipped: 2, ..found(40, 0, &[6, 7]) }).unwrap();
        assert_eq!(kept(&store), [(5, 30, 5), (6, 40, 6), (7, 40, 7)]);
        let said = warnings.0.lock().unwrap().clone();
        assert!(said.len() == 1 && said[0].contains("(3 dead letters, "), "{said:?}");
        assert!(store.kept().seen.len() <= 3, "what has gone is not remembered");
    }
}
