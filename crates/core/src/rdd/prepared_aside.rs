//! The step of `set_aside().write_to(sink)`: a task prepares its partition, and takes note of what the sink refuses. That
//! goes to the driver with what was prepared, for it counts when the batch is committed.

use super::{Aside, Node, Rdd, Stop, Task};
use crate::dead_letters::{Failure, Gathering, LetterSource};
use crate::origin::Origin;
use crate::sink::{PreparedPart, Sink, SinkPart};
use crate::time::Time;
use crate::{Closure, Error, Record, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

impl<R: Record> Rdd<R> {
    /// What `sink` prepares of each partition of batch `time`, of the records that `read` makes.
    pub(crate) fn prepared_aside<T: Record, S: Sink<T>>(
        &self,
        aside: Aside<R>,
        read: impl Fn(&R) -> Result<T> + Closure,
        sink: Arc<S>,
        time: Time,
    ) -> Rdd<PreparedPart> {
        let (origin, env) = (Origin::here("write_to"), self.context().env().clone());
        self.narrow(false, move |parent, task, out| {
            let whole = Whole::read(parent, task)?;
            task.enter(origin);
            let refused = Mutex::new(BTreeMap::new());
            let refuse = |at: usize, error: Error| {
                refused.lock().unwrap_or_else(PoisonError::into_inner).insert(at, error);
            };
            let (mut records, mut places) = (Vec::with_capacity(whole.records.len()), Vec::new());
            for (at, record) in whole.records.iter().enumerate() {
                match read(record) {
                    Ok(record) => {
                        records.push(record);
                        places.push(at);
                    }
                    Err(error) => refuse(at, error),
                }
            }
            // An index that the partition has not is told below.
            let of_sink = |index: usize, error| refuse(places.get(index).copied().unwrap_or(usize::MAX), error);
            let context = task.context();
            let place = (context.partition_id(), context.attempt_number());
            let part = SinkPart::new(aside.outlet.operator_name(), time, place, &env).refusing(&of_sink);
            let bytes = sink.prepare(&part, records.into_iter()).map_err(|error| error.within(origin))?;
            let refused = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut gathering = Gathering::new(&aside.outlet);
            whole.set_aside(refused, &aside, &mut gathering).map_err(|error| error.within(origin))?;
            out(&mut vec![PreparedPart { bytes, refused: gathering.found(task) }])
        })
    }
}

/// The records of a partition.
struct Whole<R> {
    records: Vec<R>,
    /// From where on they come from which source: nobody knows it any more behind them.
    sources: Vec<(usize, Option<LetterSource>)>,
}
impl<R: Record> Whole<R> {
    fn read(parent: &dyn Node<R>, task: &Task<'_>) -> Result<Whole<R>, Stop> {
        let (mut records, mut sources) = (Vec::new(), Vec::new());
        parent.compute(task, &mut |chunk| {
            sources.push((records.len(), task.source()));
            records.append(chunk);
            Ok(())
        })?;
        Ok(Whole { records, sources })
    }
    fn source(&self, at: usize) -> Option<LetterSource> {
        let behind = self.sources.partition_point(|(from, _)| *from <= at);
        self.sources[..behind].last()?.1.clone()
    }
    /// Those that were `refused`, by their places.
    fn set_aside(
        &self,
        refused: BTreeMap<usize, Error>,
        aside: &Aside<R>,
        gathering: &mut Gathering<'_>,
    ) -> Result<()> {
        for (at, error) in refused {
            let Some(record) = self.records.get(at) else {
                let records = self.records.len();
                let message = format!("the sink refuses a record by an index beyond the {records} of the partition");
                return Err(Error::program(message).because(error));
            };
            let source = (aside.source)(record).or_else(|| self.source(at));
            let write = |bytes: &mut Vec<u8>| (aside.write)(record, bytes);
            gathering.set_aside(at, ((aside.attempt)(record), source), Failure::Error(Box::new(error)), write)?;
        }
        gathering.advance(self.records.len());
        Ok(())
    }
}
