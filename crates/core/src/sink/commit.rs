//! [`Commit`]: what is left to do for a batch whose partitions are prepared, and [`SinkCommits`], which makes it.

use super::{Sink, SinkBatch, SinkOutput};
use crate::dead_letters::{Letter, SetAside};
use crate::origin::OperatorId;
use crate::rdd::RddContext;
use crate::time::Time;
use crate::{Error, ErrorKind, Record, Result};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A batch of a sink that is prepared: it is committed or aborted, after all batches of the sink before it.
pub struct Commit {
    time: Time,
    parts: Vec<Vec<u8>>,
    /// Records that the sink has refused. They are dead letters if the batch is committed.
    refused: Vec<SetAside>,
    context: RddContext,
    sink: Arc<dyn AnySinkCommits>,
}
impl Commit {
    /// Makes the batch visible; may be called again after an error.
    pub fn commit(&self) -> Result<()> {
        self.sink.commit(self.time, &self.parts)
    }
    /// Behind the commit: what the sink has refused becomes dead letters.
    pub fn set_refused_aside(self) -> Result<()> {
        let Commit { refused, context, .. } = self;
        refused.into_iter().try_for_each(|refused| context.dead_letters().put_anyway(refused))
    }
    /// Throws it away.
    pub fn abort(&self) -> Result<()> {
        self.sink.abort(self.time, &self.parts)
    }
}

/// What a task leaves of a partition that it has prepared.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PreparedPart {
    pub(crate) bytes: Vec<u8>,
    pub(crate) refused: Option<SetAside>,
}

/// The driver's side of a sink, whatever its records.
pub(crate) trait AnySinkCommits: Send + Sync {
    /// `begun` is the newest batch that the sink may have; where it has later ones, whether it goes on all the same.
    fn recover(&self, of: (&str, OperatorId), committed: Option<Time>, begun: (Option<Time>, bool)) -> Result<()>;
    /// Whether an earlier process may have committed the batch.
    fn may_have(&self, time: Time) -> bool;
    fn commit(&self, time: Time, parts: &[Vec<u8>]) -> Result<()>;
    fn abort(&self, time: Time, parts: &[Vec<u8>]) -> Result<()>;
}

/// A sink and what it serves.
pub(crate) struct SinkCommits<T, S> {
    sink: Arc<S>,
    context: RddContext,
    /// Known from the start on.
    known: OnceLock<Known>,
    /// The newest batch that an earlier process may have committed.
    earlier: Mutex<Option<Time>>,
    records: std::marker::PhantomData<fn(T)>,
}
struct Known {
    application: String,
    operator: OperatorId,
    committed: Option<Time>,
}

impl<T: Record, S: Sink<T>> SinkCommits<T, S> {
    pub(crate) fn new(sink: Arc<S>, context: RddContext) -> SinkCommits<T, S> {
        SinkCommits {
            sink,
            context,
            known: OnceLock::new(),
            earlier: Mutex::new(None),
            records: std::marker::PhantomData,
        }
    }
    /// Of what the tasks have left, if none has failed. An error, too, where there is no room for all that was refused: behind
    /// the commit it would be too late.
    pub(crate) fn prepared(self: &Arc<Self>, time: Time, prepared: Result<Vec<PreparedPart>>) -> Result<Commit> {
        let prepared = prepared.inspect_err(|_| self.throw_away(time, &[]))?;
        let (mut parts, mut refused): (_, Vec<SetAside>) = (Vec::with_capacity(prepared.len()), Vec::new());
        for part in prepared {
            parts.push(part.bytes);
            refused.extend(part.refused);
        }
        let letters = || refused.iter().flat_map(|part| &part.letters);
        if letters().next().is_some() {
            let bytes = letters().map(Letter::bytes).sum();
            let room = self.context.dead_letters().check_room(letters().count() as u64, bytes);
            room.inspect_err(|_| self.throw_away(time, &parts))?;
        }
        Ok(Commit { time, parts, refused, context: self.context.clone(), sink: self.clone() })
    }
    /// What tasks have prepared is not committed, and the program may go on for long.
    fn throw_away(&self, time: Time, parts: &[Vec<u8>]) {
        if let Err(error) = AnySinkCommits::abort(self, time, parts) {
            let what = format!("what was prepared of batch {time} is left behind");
            self.context.env().console.warn(&error.within(what).to_string());
        }
    }
    fn earlier(&self) -> MutexGuard<'_, Option<Time>> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn output<'a>(&'a self, known: &'a Known) -> SinkOutput<'a> {
        let Known { application, operator, committed } = known;
        SinkOutput { application, operator: operator.as_str(), committed: *committed, env: self.context.env() }
    }
    fn batch<R>(&self, time: Time, body: impl FnOnce(&SinkBatch<'_>) -> Result<R>) -> Result<R> {
        let unknown = || Error::new(ErrorKind::Internal, "a batch is committed before its sink is recovered");
        let output = self.output(self.known.get().ok_or_else(unknown)?);
        body(&SinkBatch { output, time })
    }
}

impl<T: Record, S: Sink<T>> AnySinkCommits for SinkCommits<T, S> {
    fn recover(
        &self,
        (application, operator): (&str, OperatorId),
        committed: Option<Time>,
        (begun, goes_on): (Option<Time>, bool),
    ) -> Result<()> {
        let known = self.known.get_or_init(|| Known { application: application.to_owned(), operator, committed });
        let output = self.output(known);
        self.sink.recover(&output)?;
        let newest = self.sink.newest(&output)?;
        *self.earlier() = newest.max(begun);
        match (newest, begun) {
            (Some(newest), Some(begun)) if newest > begun && !goes_on => Err(is_ahead(newest, begun)),
            _ => Ok(()),
        }
    }
    fn may_have(&self, time: Time) -> bool {
        *self.earlier() >= Some(time)
    }
    fn commit(&self, time: Time, parts: &[Vec<u8>]) -> Result<()> {
        self.batch(time, |batch| self.sink.commit(batch, parts))
    }
    fn abort(&self, time: Time, parts: &[Vec<u8>]) -> Result<()> {
        self.batch(time, |batch| self.sink.abort(batch, parts))
    }
}

fn is_ahead(newest: Time, begun: Time) -> Error {
    Error::program(format!(
        "it has batch {newest} of this output, and the checkpoint folder knows of none behind {begun}: the folder is an older \
         copy, or was cut. Records that came meanwhile might be written twice, or not at all. Go on with the newest copy of the \
         folder; or, where the inputs give each batch the same records again, set headwater.streaming.restart_behind_sinks = \
         true for one start, which writes nothing of batches up to {newest} again"
    ))
}
