//! [`Gathering`]: what one computation of a partition sets aside, until it is through.

use super::letter::{Letter, LetterSource, SetAside, cut, error_text};
use super::outlet::OutletOfBatch;
use super::store::DeadLetterLimits;
use crate::rdd::Task;
use crate::{Error, ErrorKind, Result, panic_message};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of a record that can be set aside: a journal takes it whole when it is driven once more.
const PAYLOAD_BYTES_MAX: usize = 8 << 20;

pub(crate) struct Gathering<'a> {
    outlet: &'a OutletOfBatch,
    limits: DeadLetterLimits,
    letters: VecDeque<Letter>,
    bytes: u64,
    /// Letters that had no room.
    skipped: u64,
    /// Records that were read so far.
    read: u64,
}

/// Why a record is set aside.
pub(crate) enum Failure {
    /// The closure returned this.
    Error(Box<dyn std::error::Error + Send + Sync>),
    /// It panicked with this message.
    Panic(String),
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(outlet: &'a OutletOfBatch) -> Gathering<'a> {
        let limits = outlet.store().limits();
        Gathering { outlet, limits, letters: VecDeque::new(), bytes: 0, skipped: 0, read: 0 }
    }
    /// So many records are done, those that were set aside among them.
    pub(crate) fn advance(&mut self, records: usize) {
        self.read += records as u64;
    }
    /// Sets the record aside that is `offset` records behind those that are done. An error where there is no room for it, or
    /// where it cannot be written.
    #[cold]
    pub(crate) fn set_aside(
        &mut self,
        offset: usize,
        (attempt, source): (u32, Option<LetterSource>),
        failure: Failure,
        write: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let error = match failure {
            // Showing it is the user's code too.
            Failure::Error(error) => catch_unwind(AssertUnwindSafe(|| error_text(&*error)))
                .unwrap_or_else(|panic| cut(format!("its error panicked when shown: {}", panic_message(&*panic)))),
            Failure::Panic(message) => cut(format!("panicked: {message}")),
        };
        let mut payload = Vec::new();
        let written = write(&mut payload).and_then(|()| match payload.len() {
            0..=PAYLOAD_BYTES_MAX => Ok(()),
            bytes => Err(Error::new(
                ErrorKind::Resources,
                format!(
                    "it has {bytes} bytes, and {PAYLOAD_BYTES_MAX} are the limit: cut such records, or filter them out, before \
                     this operator"
                ),
            )),
        });
        written.map_err(|unwritten| {
            unwritten.within(format!("a record on which the closure failed ({error}) cannot be set aside"))
        })?;
        let letter = Letter { index: self.read + offset as u64, attempt, error, source, payload };
        self.bytes += letter.bytes();
        self.letters.push_back(letter);
        if self.outlet.store().drops_oldest() {
            while !self.limits.allow(self.letters.len() as u64, self.bytes) {
                let Some(oldest) = self.letters.pop_front() else { break };
                self.bytes -= oldest.bytes();
                self.skipped += 1;
            }
            return Ok(());
        }
        self.outlet.store().check_room(self.letters.len() as u64, self.bytes)
    }
    /// The computation is through, or as far as somebody wants it: what it has set aside goes with the task.
    pub(crate) fn hand_over(self, task: &Task<'_>) -> Result<()> {
        let outlet = self.outlet;
        self.found(task).map_or(Ok(()), |found| outlet.hand_over(found))
    }
    /// What a computation that is through has set aside.
    pub(crate) fn found(mut self, task: &Task<'_>) -> Option<SetAside> {
        self.find_offsets();
        let Gathering { outlet, letters, skipped, .. } = self;
        if letters.is_empty() && skipped == 0 {
            return None;
        }
        let (operator, batch, job) = (outlet.operator, outlet.batch, task.context().batch_time());
        let (partition, letters) = (outlet.partition(task.partition()), letters.into());
        Some(SetAside { operator, batch, partition, job, skipped, letters })
    }
    /// Where all of a range was read, and there were as many records as offsets, each has its own.
    fn find_offsets(&mut self) {
        for letter in self.letters.iter_mut().filter(|_| self.outlet.reads_input) {
            if let Some(source) = letter.source.as_mut().filter(|source| source.until - source.from == self.read) {
                source.offset = Some(source.from + letter.index);
            }
        }
    }
}
