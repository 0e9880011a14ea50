//! The step of `set_aside().write_to(sink)`: a task prepares its partition, and takes note of what the sink refuses. That
//! goes to the driver with what was prepared, for it counts when the batch is committed.

use super::{Aside, Rdd};
use crate::dead_letters::{Failure, Gathering};
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
            // With the records, from where on they come from which source: nobody knows it any more behind them.
            let (mut all, mut sources) = (Vec::new(), Vec::new());
            parent.compute(task, &mut |chunk| {
                sources.push((all.len(), task.source()));
                all.append(chunk);
                Ok(())
            })?;
            task.enter(origin);
            let refused: Mutex<BTreeMap<usize, Error>> = Mutex::default();
            let refuse = |at: usize, error| drop(locked(&refused).insert(at, error));
            let (mut records, mut places) = (Vec::with_capacity(all.len()), Vec::with_capacity(all.len()));
            for (at, record) in all.iter().enumerate() {
                match read(record) {
                    Ok(record) => {
                        records.push(record);
                        places.push(at);
                    }
                    Err(error) => refuse(at, error),
                }
            }
            let take = |index: usize, error| refuse(places.get(index).copied().unwrap_or(usize::MAX), error);
            let context = task.context();
            let place = (context.partition_id(), context.attempt_number());
            let part = SinkPart::new(aside.outlet.operator_name(), time, place, &env).refusing(&take);
            let bytes = sink.prepare(&part, records.into_iter()).map_err(|error| error.within(origin))?;
            let mut gathering = Gathering::new(&aside.outlet);
            for (at, error) in std::mem::take(&mut *locked(&refused)) {
                let no_record = || Error::program("a sink refuses a record by an index that the partition has not");
                let record = all.get(at).ok_or_else(no_record)?;
                let of_task = || sources[..sources.partition_point(|(from, _)| *from <= at)].last()?.1.clone();
                let source = (aside.source)(record).or_else(of_task);
                let write = |bytes: &mut Vec<u8>| (aside.write)(record, bytes);
                gathering.set_aside(at, ((aside.attempt)(record), source), Failure::Error(Box::new(error)), write)?;
            }
            gathering.advance(all.len());
            out(&mut vec![PreparedPart { bytes, refused: gathering.found(task) }])
        })
    }
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
