//! [`LetterLog`]: dead letters on disk, and in memory where each is. It has letters of committed batches only: what a process
//! wrote and did not commit is void by its numbers, which the journal knows.

mod tidying;

use super::super::driver_state::LetterState;
use super::super::numbers::Numbers;
use super::super::state_logs::check_end;
use super::piece::Piece;
use headwater_core::dead_letters::DeadLetter;
use headwater_core::env::Storage;
use headwater_core::time::Time;
use headwater_core::{Error, ErrorKind, Result};
use headwater_storage::{LogOptions, LogReader, LogWriter, Position, read_record};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Bytes that are appended before a sync, at most, and a piece.
const GROUP_BYTES: u64 = 32 << 20;

pub(super) struct LetterLog {
    storage: Arc<dyn Storage>,
    folder: String,
    options: LogOptions,
    /// None before this process writes its first letter.
    writer: Option<LogWriter>,
    /// By the first number.
    pieces: BTreeMap<u64, Stored>,
    /// Those of which all letters have gone.
    empty: BTreeSet<u64>,
    /// What each segment has, from the first that is needed on.
    segments: BTreeMap<u64, Segment>,
    /// Letters that are there, and their bytes.
    letters: u64,
    bytes: u64,
    /// The number of the next letter.
    next: u64,
    /// Segment and offset of the newest record.
    end: Option<(u64, u64)>,
    /// Numbers in the log that count for nothing, since their batch was not committed; until the journal says so.
    void: Numbers,
}

/// A piece, as far as it is known without reading it.
struct Stored {
    position: Position,
    operator: String,
    batch: Time,
    partition: u32,
    counted: u32,
    /// Of each number from the first on, the bytes of its letter; 0 of one that has gone.
    sizes: Vec<u32>,
}
struct Segment {
    bytes: u64,
    /// The lowest number in it.
    lowest: u64,
    /// Pieces that are needed and nowhere else.
    pieces: usize,
}

impl Stored {
    fn is_empty(&self) -> bool {
        self.sizes.iter().all(|size| *size == 0)
    }
}

impl LetterLog {
    /// Reads what a process has left.
    pub(super) fn open(
        storage: &Arc<dyn Storage>,
        folder: &str,
        (application, epoch): (&str, u64),
        left: &LetterState,
        warn: &dyn Fn(String),
    ) -> Result<LetterLog> {
        let options = LogOptions::new(application, epoch).first(left.first.max(1));
        let mut log = LetterLog {
            storage: storage.clone(),
            folder: folder.to_owned(),
            options: options.clone(),
            writer: None,
            pieces: BTreeMap::new(),
            empty: BTreeSet::new(),
            segments: BTreeMap::new(),
            letters: 0,
            bytes: 0,
            next: left.next.max(1),
            end: None,
            void: Numbers::default(),
        };
        let mut reader = LogReader::open(storage.clone(), folder, options)?;
        let mut next = log.next;
        while let Some((position, record)) = reader.next()? {
            let piece = Piece::decode(&record)?;
            next = next.max(piece.first + u64::from(piece.counted));
            if piece.first < log.next && !left.void.contains(piece.first) {
                log.added(position, &piece, &left.removed);
            } else {
                log.of_segment(position, piece.first);
            }
        }
        check_end(folder, left.first, left.end, log.end)?;
        reader.torn().into_iter().for_each(|torn| warn(torn.to_string()));
        log.void.insert(log.next, next);
        log.next = next;
        Ok(log)
    }
    /// Numbers that count for nothing and of which the journal does not know yet.
    pub(super) fn take_void(&mut self) -> Numbers {
        std::mem::take(&mut self.void)
    }
    pub(super) fn letters(&self) -> u64 {
        self.letters
    }
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
    pub(super) fn next(&self) -> u64 {
        self.next
    }
    pub(super) fn end(&self) -> Option<(u64, u64)> {
        self.end
    }
    /// Each partition of which a batch behind `time` has letters, and how many it had.
    pub(super) fn counted_behind(&self, time: Time) -> impl Iterator<Item = ((Time, String, u32), u64)> {
        let behind = self.pieces.values().filter(move |piece| piece.batch > time);
        behind.map(|of| ((of.batch, of.operator.clone(), of.partition), u64::from(of.counted)))
    }
    /// Of `numbers`, those whose letters are there and of which `wanted` is true, by their operator.
    pub(super) fn known(&self, numbers: &Numbers, wanted: impl Fn(&str) -> bool) -> Numbers {
        let mut known = Numbers::default();
        for (first, piece, from, until) in self.pieces_of(numbers).filter(|(_, piece, ..)| wanted(&piece.operator)) {
            (from..until).filter(|number| piece.sizes[(number - first) as usize] > 0).for_each(|number| {
                known.insert(number, number + 1);
            });
        }
        known
    }
    /// The pieces that have some of these numbers: the first number, the piece, and the range.
    fn pieces_of(&self, numbers: &Numbers) -> impl Iterator<Item = (u64, &Stored, u64, u64)> {
        let ranges: Vec<(u64, u64)> = numbers.ranges().collect();
        ranges.into_iter().flat_map(move |(from, until)| {
            let first = self.pieces.range(..=from).next_back().map_or(from, |(first, _)| *first);
            self.pieces.range(first..until.max(first)).filter_map(move |(first, piece)| {
                let range = (from.max(*first), until.min(first + piece.sizes.len() as u64));
                (range.0 < range.1).then_some((*first, piece, range.0, range.1))
            })
        })
    }
    /// The letters of these numbers that are there and whose operator `wanted` takes, as long as `more` says.
    pub(super) fn read(
        &self,
        numbers: &Numbers,
        wanted: impl Fn(&str) -> bool,
        mut more: impl FnMut(u64) -> bool,
    ) -> Result<Vec<DeadLetter>> {
        let mut read = Vec::new();
        for (first, stored, from, until) in self.pieces_of(numbers).filter(|(_, piece, ..)| wanted(&piece.operator)) {
            let are_there = (from..until).any(|number| stored.sizes[(number - first) as usize] > 0);
            if !are_there {
                continue;
            }
            let piece = Piece::decode(&read_record(&*self.storage, &self.folder, stored.position)?)?;
            let is_there = |number| (from..until).contains(&number) && stored.sizes[(number - first) as usize] > 0;
            for letter in piece.into_letters().filter(|of| is_there(of.number)) {
                if !more(letter.letter.bytes()) {
                    return Ok(read);
                }
                read.push(letter);
            }
        }
        Ok(read)
    }
    /// These have gone.
    pub(super) fn remove(&mut self, numbers: &Numbers) {
        for (from, until) in numbers.ranges() {
            let first = self.pieces.range(..=from).next_back().map_or(from, |(first, _)| *first);
            for (first, piece) in self.pieces.range_mut(first..until.max(first)) {
                let range = from.max(*first)..until.min(first + piece.sizes.len() as u64);
                for number in range {
                    let size = std::mem::take(&mut piece.sizes[(number - first) as usize]);
                    self.letters -= u64::from(size > 0);
                    self.bytes -= u64::from(size);
                }
                if piece.is_empty() {
                    self.empty.insert(*first);
                }
            }
        }
    }

    /// Writes and syncs `pieces`, which get their numbers, and are taken out as they are durable.
    pub(super) fn write(&mut self, pieces: &mut Vec<Piece>) -> Result<()> {
        self.writer()?;
        while !pieces.is_empty() {
            let (mut count, mut bytes, mut next) = (0, 0, self.next);
            for piece in pieces.iter_mut() {
                piece.first = next;
                next += u64::from(piece.counted);
                count += 1;
                bytes += piece.letters.iter().map(|(_, letter)| letter.bytes()).sum::<u64>();
                if bytes >= GROUP_BYTES {
                    break;
                }
            }
            let positions = self.append(&pieces[..count])?;
            for (position, piece) in positions.into_iter().zip(pieces.drain(..count)) {
                self.added(position, &piece, &Numbers::default());
            }
            self.next = next;
        }
        Ok(())
    }
    fn append(&mut self, pieces: &[Piece]) -> Result<Vec<Position>> {
        let writer = self.writer()?;
        let appended = pieces.iter().map(|piece| writer.append(&piece.encode())).collect::<Result<Vec<_>>>();
        let synced = appended.and_then(|positions| writer.sync().map(|()| positions));
        if synced.is_err() {
            writer.forget_unsynced();
        }
        synced
    }
    fn writer(&mut self) -> Result<&mut LogWriter> {
        if self.writer.is_none() {
            let (newest, options) = (self.end.map(|(segment, _)| segment), self.options.clone());
            let options = newest.map_or(options.clone(), |newest| options.first(newest));
            let mut reader = LogReader::open(self.storage.clone(), &self.folder, options)?;
            // A process that was replaced may have written behind what was read at the start.
            while let Some((position, record)) = reader.next()? {
                if Some((position.segment, position.offset)) > self.end {
                    let piece = Piece::decode(&record)?;
                    let behind = piece.first + u64::from(piece.counted);
                    self.void.insert(self.next.min(piece.first), behind);
                    self.next = self.next.max(behind);
                    self.of_segment(position, piece.first);
                }
            }
            let replaced = || Error::new(ErrorKind::Fenced, format!("another process writes to {}", self.folder));
            self.writer = Some(reader.write()?.ok_or_else(replaced)?);
        }
        Ok(self.writer.as_mut().expect("it has begun"))
    }
    /// A piece is in the log, for the first time or anew.
    fn added(&mut self, position: Position, piece: &Piece, removed: &Numbers) {
        self.of_segment(position, piece.first);
        let mut sizes = vec![0; piece.counted as usize];
        for (offset, letter) in &piece.letters {
            if !removed.contains(piece.first + u64::from(*offset)) {
                sizes[*offset as usize] = letter.bytes() as u32;
            }
        }
        let count = |sizes: &[u32]| {
            let there = sizes.iter().filter(|size| **size > 0);
            there.fold((0, 0), |(letters, bytes), size| (letters + 1, bytes + u64::from(*size)))
        };
        let (letters, bytes) = count(&sizes);
        let Piece { first, counted, batch, partition, operator, .. } = piece;
        let (operator, batch, partition, counted) = (operator.clone(), *batch, *partition, *counted);
        let stored = Stored { position, operator, batch, partition, counted, sizes };
        if letters == 0 {
            self.empty.insert(*first);
        }
        self.segments.entry(position.segment).and_modify(|segment| segment.pieces += 1);
        let before = self.pieces.insert(*first, stored);
        before.iter().for_each(|before| self.leaves(before.position.segment));
        let before = before.map_or((0, 0), |before| count(&before.sizes));
        self.letters = self.letters + letters - before.0;
        self.bytes = self.bytes + bytes - before.1;
    }
    fn leaves(&mut self, segment: u64) {
        self.segments.entry(segment).and_modify(|segment| segment.pieces -= 1);
    }
    fn of_segment(&mut self, position: Position, first: u64) {
        self.end = Some((position.segment, position.offset));
        let segment = self.segments.entry(position.segment).or_insert(Segment { bytes: 0, lowest: first, pieces: 0 });
        segment.bytes += u64::from(position.bytes);
        segment.lowest = segment.lowest.min(first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_core::dead_letters::Letter;
    use headwater_storage::MemoryStorage;

    fn piece(batch: i64, payloads: &[u8]) -> Piece {
        let letter = |(offset, byte): (usize, &u8)| {
            let (error, source, payload) = ("bad".to_owned(), None, vec![*byte]);
            (offset as u32, Letter { index: offset as u64, attempt: 1, error, source, payload })
        };
        let letters: Vec<(u32, Letter)> = payloads.iter().enumerate().map(letter).collect();
        let (first, counted, operator) = (0, letters.len() as u32, "parse".to_owned());
        Piece { first, counted, batch: Time::from_millis(batch), partition: 0, operator, letters }
    }
    fn open(storage: &Arc<dyn Storage>, epoch: u64, left: &LetterState) -> LetterLog {
        LetterLog::open(storage, "d", ("test", epoch), left, &|_| ()).unwrap()
    }
    fn write(log: &mut LetterLog, pieces: &[(i64, &[u8])]) {
        let mut pieces: Vec<Piece> = pieces.iter().map(|(batch, payloads)| piece(*batch, payloads)).collect();
        log.write(&mut pieces).unwrap();
        assert!(pieces.is_empty());
    }
    /// Number and payload of each letter that is there.
    fn letters(log: &LetterLog) -> Vec<(u64, u8)> {
        let all = Numbers::from_iter(1..100);
        let read = log.read(&all, |_| true, |_| true).unwrap();
        read.into_iter().map(|of| (of.number, of.letter.payload[0])).collect()
    }
    /// What the journal knows behind a commit.
    fn committed(log: &LetterLog, void: &Numbers) -> LetterState {
        LetterState { next: log.next(), end: log.end(), void: void.clone(), ..LetterState::default() }
    }

    #[test]
    fn what_was_not_committed_is_void_and_its_numbers_are_not_given_again() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut first = open(&storage, 1, &LetterState::default());
        write(&mut first, &[(10, &[1, 2])]);
        let left = committed(&first, &Numbers::default());
        write(&mut first, &[(20, &[3])]);

        let mut second = open(&storage, 2, &left);
        assert_eq!(letters(&second), [(1, 1), (2, 2)]);
        let void = second.take_void();
        assert_eq!(void.ranges().collect::<Vec<_>>(), [(3, 4)]);
        assert_eq!(second.counted_behind(Time::from_millis(0)).map(|(_, count)| count).sum::<u64>(), 2);
        write(&mut second, &[(20, &[4])]);
        let third = open(&storage, 3, &committed(&second, &void));
        assert_eq!(letters(&third), [(1, 1), (2, 2), (4, 4)]);
    }

    #[test]
    fn what_a_replaced_process_writes_late_is_void() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut first = open(&storage, 1, &LetterState::default());
        write(&mut first, &[(10, &[1])]);
        let left = committed(&first, &Numbers::default());
        let mut second = open(&storage, 2, &left);
        write(&mut first, &[(20, &[7, 8])]);
        write(&mut second, &[(20, &[2])]);
        let void = second.take_void();
        assert_eq!((letters(&second), void.ranges().collect()), (vec![(1, 1), (4, 2)], vec![(2, 4)]));
        // Behind the segment of the second nobody looks into what the first adds to its own.
        write(&mut first, &[(30, &[9])]);
        assert_eq!(letters(&open(&storage, 3, &committed(&second, &void))), [(1, 1), (4, 2)]);
    }

    #[test]
    fn a_failed_write_leaves_its_pieces_and_is_tried_again() {
        use headwater_storage::{Failure, FaultPlan, FaultyStorage};
        for step in 1..8 {
            let memory = MemoryStorage::new();
            let plan = FaultPlan::new(step).fail(step, Failure::DiskFull);
            let storage: Arc<dyn Storage> = Arc::new(FaultyStorage::new(memory.clone(), plan));
            let mut log = open(&storage, 1, &LetterState::default());
            let mut pieces = vec![piece(10, &[1, 2]), piece(10, &[3])];
            if log.write(&mut pieces).is_err() {
                assert_eq!((pieces.len(), log.letters()), (2, 0), "step {step}");
                log.write(&mut pieces).unwrap();
            }
            let mut last = vec![piece(20, &[4])];
            log.write(&mut last).or_else(|_| log.write(&mut last)).unwrap();
            let storage: Arc<dyn Storage> = Arc::new(memory);
            let again = open(&storage, 2, &committed(&log, &Numbers::default()));
            assert_eq!(letters(&again), [(1, 1), (2, 2), (3, 3), (4, 4)], "step {step}");
        }
    }
}
