//! [`Commit`]: what is left to do for a batch whose partitions are prepared, and [`SinkCommits`], which makes it.

use super::{Sink, SinkBatch, SinkOutput};
use crate::env::Env;
use crate::origin::OperatorId;
use crate::time::Time;
use crate::{Error, ErrorKind, Record, Result};
use std::sync::{Arc, OnceLock};

/// A batch of a sink that is prepared: it is committed or aborted, after all batches of the sink before it.
pub struct Commit {
    time: Time,
    parts: Vec<Vec<u8>>,
    sink: Arc<dyn AnySinkCommits>,
}
impl Commit {
    /// Makes the batch visible; may be called again after an error.
    pub fn commit(&self) -> Result<()> {
        self.sink.commit(self.time, &self.parts)
    }
    /// Throws it away.
    pub fn abort(&self) -> Result<()> {
        self.sink.abort(self.time, &self.parts)
    }
}

/// The driver's side of a sink, whatever its records.
pub(crate) trait AnySinkCommits: Send + Sync {
    fn recover(&self, application: &str, operator: OperatorId, committed: Option<Time>) -> Result<()>;
    fn commit(&self, time: Time, parts: &[Vec<u8>]) -> Result<()>;
    fn abort(&self, time: Time, parts: &[Vec<u8>]) -> Result<()>;
}

/// A sink and what it serves.
pub(crate) struct SinkCommits<T, S> {
    sink: Arc<S>,
    env: Env,
    /// Known from the start on.
    known: OnceLock<Known>,
    records: std::marker::PhantomData<fn(T)>,
}
struct Known {
    application: String,
    operator: OperatorId,
    committed: Option<Time>,
}

impl<T: Record, S: Sink<T>> SinkCommits<T, S> {
    pub(crate) fn new(sink: Arc<S>, env: Env) -> SinkCommits<T, S> {
        SinkCommits { sink, env, known: OnceLock::new(), records: std::marker::PhantomData }
    }
    pub(crate) fn prepared(self: &Arc<Self>, time: Time, parts: Vec<Vec<u8>>) -> Commit {
        Commit { time, parts, sink: self.clone() }
    }
    fn output<'a>(&'a self, known: &'a Known) -> SinkOutput<'a> {
        let Known { application, operator, committed } = known;
        SinkOutput { application, operator: operator.as_str(), committed: *committed, env: &self.env }
    }
    fn batch<R>(&self, time: Time, body: impl FnOnce(&SinkBatch<'_>) -> Result<R>) -> Result<R> {
        let unknown = || Error::new(ErrorKind::Internal, "a batch is committed before its sink is recovered");
        let output = self.output(self.known.get().ok_or_else(unknown)?);
        body(&SinkBatch { output, time })
    }
}

impl<T: Record, S: Sink<T>> AnySinkCommits for SinkCommits<T, S> {
    fn recover(&self, application: &str, operator: OperatorId, committed: Option<Time>) -> Result<()> {
        let known = self.known.get_or_init(|| Known { application: application.to_owned(), operator, committed });
        self.sink.recover(&self.output(known))
    }
    fn commit(&self, time: Time, parts: &[Vec<u8>]) -> Result<()> {
        self.batch(time, |batch| self.sink.commit(batch, parts))
    }
    fn abort(&self, time: Time, parts: &[Vec<u8>]) -> Result<()> {
        self.batch(time, |batch| self.sink.abort(batch, parts))
    }
}
