//! [`BatchingWriter`]: several threads write to one log, and what came in while the log was busy becomes durable together.

use super::{RecordHandle, WriteAheadLog};
use crate::env::Clock;
use crate::{Error, ErrorKind, Result, panic_message};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of records that are queued, and not durable, at most; behind them [`BatchingWriter::push`] is an error.
pub const UNSYNCED_BYTES_MAX: usize = 128 << 20;
/// Records that are queued at most, and so threads that may wait for one.
pub const WAITING_RECORDS_MAX: usize = 4096;

/// Writes to a log in turns: the thread that finds nobody writing writes everything that is queued, with one sync, and
/// the others wait for it. `E` is what belongs to a record, and is handed on with its handle once it is durable, in the
/// order of the queue. A record that could not be written stays queued. Source: Spark's `BatchedWriteAheadLog`.
///
/// ```
/// use headwater::env::{Clock, ManualClock};
/// use headwater::{receiver::{BatchingWriter, WriteAheadLog}, time::Time};
/// use headwater_storage::{MemoryStorage, SegmentedWriteAheadLog};
/// use std::sync::Arc;
/// let log = Arc::new(SegmentedWriteAheadLog::new(Arc::new(MemoryStorage::new()), "lines", 1));
/// log.read_all(None, &mut |_, _| Ok(()))?;
/// let writer = BatchingWriter::new(log, Arc::new(ManualClock::new(Time::from_millis(0))));
/// let first = writer.push(|number| (b"to be".to_vec(), number))?;
/// let second = writer.push(|number| (b"or not".to_vec(), number))?;
/// let mut durable = Vec::new();
/// writer.flush(second, &mut |_handle, number| durable.push(number))?;
/// assert_eq!(durable, [first, second]);
/// # Ok::<(), headwater::Error>(())
/// ```
pub struct BatchingWriter<E> {
    log: Arc<dyn WriteAheadLog>,
    clock: Arc<dyn Clock>,
    state: Mutex<State<E>>,
}
struct State<E> {
    queued: VecDeque<Queued<E>>,
    /// Of all records that are not durable, also of those that are being written.
    bytes: usize,
    records: usize,
    is_writing: bool,
    /// Whether nothing is taken any more.
    is_closed: bool,
    /// The number of the next record.
    next: u64,
    /// Records below this number are durable.
    durable: u64,
}
struct Queued<E> {
    record: Vec<u8>,
    entry: E,
}

impl<E> BatchingWriter<E> {
    /// A writer of `log`, whose first record has the number 0.
    pub fn new(log: Arc<dyn WriteAheadLog>, clock: Arc<dyn Clock>) -> BatchingWriter<E> {
        BatchingWriter::starting_at(log, clock, 0)
    }
    /// A writer whose first record has the number `next`.
    pub fn starting_at(log: Arc<dyn WriteAheadLog>, clock: Arc<dyn Clock>, next: u64) -> BatchingWriter<E> {
        let (queued, bytes, records) = (VecDeque::new(), 0, 0);
        let state = State { queued, bytes, records, is_writing: false, is_closed: false, next, durable: next };
        BatchingWriter { log, clock, state: Mutex::new(state) }
    }

    /// Queues the record that `make` makes of its number, which it returns. An error of the kind `Resources`, which
    /// nothing is queued by, at [`UNSYNCED_BYTES_MAX`] and [`WAITING_RECORDS_MAX`], and of a record above
    /// [`RECORD_BYTES_MAX`](super::RECORD_BYTES_MAX).
    pub fn push(&self, make: impl FnOnce(u64) -> (Vec<u8>, E)) -> Result<u64> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(closed());
        }
        if state.bytes >= UNSYNCED_BYTES_MAX || state.records >= WAITING_RECORDS_MAX {
            let (records, bytes) = (state.records, state.bytes);
            let message = format!(
                "{records} records of {bytes} bytes wait for the write-ahead log: {WAITING_RECORDS_MAX} and \
                 {UNSYNCED_BYTES_MAX} are the limits"
            );
            return Err(Error::new(ErrorKind::Resources, message));
        }
        let number = state.next;
        let (record, entry) = make(number);
        if record.len() > super::RECORD_BYTES_MAX {
            let (bytes, limit) = (record.len(), super::RECORD_BYTES_MAX);
            let message = format!("a block has {bytes} bytes, and the write-ahead log takes {limit} at most");
            return Err(Error::new(ErrorKind::Resources, message));
        }
        state.next += 1;
        state.bytes += record.len();
        state.records += 1;
        state.queued.push_back(Queued { record, entry });
        Ok(number)
    }

    /// Returns when the record of this number is durable, or when an attempt of the calling thread to write all that is
    /// queued has failed. `durable` is called for each record that the thread has made durable, its own and others',
    /// before anybody's `flush` of it returns.
    pub fn flush(&self, number: u64, durable: &mut dyn FnMut(RecordHandle, E)) -> Result<()> {
        loop {
            let turn = {
                let mut state = self.lock();
                if number < state.durable {
                    return Ok(());
                }
                if state.is_closed {
                    return Err(closed());
                }
                if state.is_writing { None } else { Some(state.begin()) }
            };
            match turn {
                Some(turn) => self.write(turn, durable)?,
                None => drop(self.clock.wait(None, &mut || !self.lock().is_writing)),
            }
        }
    }
    /// Writes what is queued, if there is something and nobody else is about it.
    pub fn try_flush(&self, durable: &mut dyn FnMut(RecordHandle, E)) -> Result<()> {
        let turn = {
            let mut state = self.lock();
            if state.is_writing || state.queued.is_empty() { None } else { Some(state.begin()) }
        };
        turn.map_or(Ok(()), |turn| self.write(turn, durable))
    }
    /// Whether something is not durable yet.
    pub fn has_queued(&self) -> bool {
        self.lock().records > 0
    }
    /// Whether [`push`](BatchingWriter::push) takes a record.
    pub fn has_room(&self) -> bool {
        let state = self.lock();
        state.bytes < UNSYNCED_BYTES_MAX && state.records < WAITING_RECORDS_MAX
    }
    /// Gives up what is queued, and takes nothing any more: another process writes the log.
    pub fn close(&self) {
        let given_up = {
            let mut state = self.lock();
            state.is_closed = true;
            let queued = std::mem::take(&mut state.queued);
            state.records -= queued.len();
            state.bytes -= queued.iter().map(|queued| queued.record.len()).sum::<usize>();
            queued
        };
        // Outside of the lock: records may be the program's.
        drop(given_up);
        self.clock.notify();
    }

    fn write(&self, turn: VecDeque<Queued<E>>, durable: &mut dyn FnMut(RecordHandle, E)) -> Result<()> {
        let records: Vec<&[u8]> = turn.iter().map(|queued| &queued.record[..]).collect();
        // The log may be the program's own code.
        let written = catch_unwind(AssertUnwindSafe(|| self.log.write(&records))).unwrap_or_else(|panic| {
            let message = format!("the write-ahead log panicked: {}", panic_message(&*panic));
            Err(Error::new(ErrorKind::Data, message))
        });
        let result = match written {
            Ok(handles) if handles.len() == turn.len() => {
                let (count, bytes) = (turn.len(), turn.iter().map(|queued| queued.record.len()).sum::<usize>());
                handles.into_iter().zip(turn).for_each(|(handle, queued)| durable(handle, queued.entry));
                let mut state = self.lock();
                state.records -= count;
                state.bytes -= bytes;
                state.durable += count as u64;
                state.is_writing = false;
                Ok(())
            }
            other => {
                let mut state = self.lock();
                for queued in turn.into_iter().rev() {
                    state.queued.push_front(queued);
                }
                state.is_writing = false;
                let counts = |handles: Vec<_>| {
                    let message = format!("the write-ahead log returned {} handles", handles.len());
                    Err(Error::new(ErrorKind::Program, message))
                };
                other.and_then(counts)
            }
        };
        self.clock.notify();
        result
    }
    fn lock(&self) -> MutexGuard<'_, State<E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Fenced, "the write-ahead log is closed: another process writes it")
}

impl<E> State<E> {
    /// The caller writes from here on.
    fn begin(&mut self) -> VecDeque<Queued<E>> {
        self.is_writing = true;
        std::mem::take(&mut self.queued)
    }
}

#[cfg(test)]
mod tests;
