//! `write_to`: each batch into a sink, once.

use super::node::Tick;
use super::{DStream, OutputOperation};
use crate::rdd::Rdd;
use crate::sink::{Commit, PreparedPart, Sink, SinkCommits, SinkPart};
use crate::time::Time;
use crate::{Record, Result};
use std::sync::Arc;

impl<T: Record> DStream<T> {
    /// An output operation: writes each batch into `sink`, as a whole and in the order of the batches. With a checkpoint
    /// folder each record is there exactly once, whatever process ends when; without one, a batch that a process had not
    /// committed when it ended is not there. Committing a batch overlaps computing the next ones, of which up to two wait
    /// prepared. Give the output a name for good with `.uid("...")`: the sink's ledger is kept by it.
    ///
    /// [`Sink`] has an example. A sink that fails is tried again where
    /// [`on_failure`](OutputOperation::on_failure) says so; behind [`set_aside`](DStream::set_aside), records that it does not
    /// take become dead letters.
    #[track_caller]
    pub fn write_to(&self, sink: impl Sink<T>) -> OutputOperation {
        let sink = Arc::new(sink);
        let commits = Arc::new(SinkCommits::new(sink.clone(), self.context().clone()));
        let prepare = move |rdd: Rdd<T>, tick: &Tick| {
            let (sink, env) = (sink.clone(), rdd.context().env().clone());
            let (operator, time) = (tick.operator, tick.time);
            rdd.partitions_done("write_to", move |records, task| {
                let place = (task.partition_id(), task.attempt_number());
                let bytes = sink.prepare(&SinkPart::new(operator.as_str(), time, place, &env), records)?;
                Ok(PreparedPart { bytes, refused: None })
            })
        };
        self.output_in_two("write_to", prepare, prepared(commits.clone()), Some(commits))
    }
}

/// The body of a job that prepares a batch.
pub(super) fn prepared<T: Record, S: Sink<T>>(
    commits: Arc<SinkCommits<T, S>>,
) -> impl Fn(Rdd<PreparedPart>, Time) -> Result<Option<Commit>> {
    move |parts, time| commits.prepared(time, parts.collect()).map(Some)
}
