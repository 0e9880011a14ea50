//! What an output that is exactly once is made of: [`Sink`], which a connector implements, and what it is told. At the end of
//! a batch's way: tasks prepare, then the driver commits, one batch after the other.

mod commit;
mod failure_policy;

pub use commit::Commit;
pub(crate) use commit::{AnySinkCommits, PreparedPart, SinkCommits};
pub use failure_policy::FailurePolicy;

use crate::env::Env;
use crate::rdd::PartitionRecords;
use crate::time::Time;
use crate::{Error, Record, Result};

/// Where the records of a stream go, each batch as a whole and once; [`DStream::write_to`](crate::DStream::write_to) is the
/// operator. Source: the two-phase commit of Flink's sinks, over the ids of Spark's guide ("unique id and transaction").
///
/// # The protocol
/// For each batch tasks [`prepare`](Sink::prepare) its partitions side by side: what they write is nowhere to be seen yet,
/// and what must be known to make it visible is the bytes that they return. Then the driver calls [`commit`](Sink::commit)
/// with the bytes of all partitions, which makes all of them visible. Commits of a sink come one at a time, in the order of
/// the batches, while tasks compute the next batches.
///
/// A process may end at any moment, also between a commit and the note in the journal that says so. Then the next one
/// computes the batch again, with the same records and the same batch time, prepares it again, maybe in another number of
/// partitions, and commits it again. So `commit` must see from what is stored that this batch, or a later one, is there
/// already, and then throw the new one away. Two ways to see that:
/// - A **ledger** beside the data, changed in the same transaction: a row (application, output, newest batch). It stays one
///   row, however many batches there are. Databases have it so.
/// - **Names**: what is committed has a name with the batch time in it, made by one atomic step such as a rename.
///
/// Operators must make the same of the same records for that: no clock, no chance, no answers of other services that change.
///
/// # Example
/// A sink that keeps its ledger beside the data, under one lock.
///
/// ```
/// use headwater::sink::{Sink, SinkBatch, SinkOutput, SinkPart};
/// use headwater::{prelude::*, rdd::PartitionRecords, testkit};
/// use std::collections::HashMap;
/// use std::sync::{Arc, Mutex};
///
/// /// All numbers, and the newest batch by application and output.
/// #[derive(Clone, Default)]
/// struct Table(Arc<Mutex<(Vec<u64>, HashMap<(String, String), Time>)>>);
///
/// impl Sink<u64> for Table {
///     fn recover(&self, output: &SinkOutput<'_>) -> headwater::Result<()> {
///         let before_all = Time::from_millis(i64::MIN);
///         self.0.lock().unwrap().1.entry(output.key()).or_insert(before_all);
///         Ok(())
///     }
///     fn prepare(&self, _: &SinkPart<'_>, numbers: PartitionRecords<u64>) -> headwater::Result<Vec<u8>> {
///         Ok(numbers.flat_map(u64::to_le_bytes).collect())
///     }
///     fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> headwater::Result<()> {
///         let mut table = self.0.lock().unwrap();
///         let (numbers, ledger) = &mut *table;
///         let newest = ledger.get_mut(&batch.output.key()).expect("recover was called");
///         if *newest < batch.time {
///             *newest = batch.time;
///             let bytes = parts.iter().flat_map(|part| part.chunks(8));
///             numbers.extend(bytes.map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap())));
///         }
///         Ok(())
///     }
/// }
///
/// let table = Table::default();
/// let (ssc, clock) = testkit::streaming_context();
/// ssc.rate_stream(3, 1, |n| n).write_to(table.clone()).uid("numbers");
/// let running = ssc.start()?;
/// clock.advance(seconds(2));
/// running.await_batches(2)?;
/// assert_eq!(table.0.lock().unwrap().0, [0, 1, 2, 3, 4, 5]);
/// // The rules that any sink must keep are a test:
/// let seen = |table: &Table| Ok(table.0.lock().unwrap().0.clone());
/// testkit::SinkTest::new(Table::default, Table::clone, |n| n, seen).run();
/// # Ok::<(), headwater::Error>(())
/// ```
pub trait Sink<T: Record>: Send + Sync + 'static {
    /// Called on the driver before the first batch of each process, also of the first process: looks whether the outside is
    /// there and fits, makes what is missing, and throws away what an earlier process has prepared and not committed. An
    /// error fails the start, after the tries of the output's [`FailurePolicy`].
    fn recover(&self, output: &SinkOutput<'_>) -> Result<()>;
    /// The newest batch of the output that is visible, as far as what is stored says. Asked behind [`recover`](Sink::recover).
    /// Where the checkpoint folder knows of no such batch it is an older copy, or was cut, and the start fails: batches might
    /// be made anew of other records than those that are visible. A sink that cannot tell says none.
    fn newest(&self, _output: &SinkOutput<'_>) -> Result<Option<Time>> {
        Ok(None)
    }
    /// Called in a task: writes a partition so that nobody sees it, and returns what [`commit`](Sink::commit) needs, which
    /// travels to the driver and is held in memory until then. Tasks are tried again, so a partition may be prepared more
    /// than once; of one attempt the bytes come to a commit. On a cluster this may be a process in which
    /// [`recover`](Sink::recover) was not called. A record that it cannot take whenever it is asked, it
    /// [refuses](SinkPart::refuse).
    fn prepare(&self, part: &SinkPart<'_>, records: PartitionRecords<T>) -> Result<Vec<u8>>;
    /// Makes the whole batch visible at once, with what its partitions returned, in their order; and nothing where this
    /// batch or a later one of the output is visible already. On return it is durable. It may be called again after an
    /// error, which may have come behind its effect; but an error of kind [`Data`](crate::ErrorKind::Data) says that nothing
    /// of the batch is there, nor will be: it is refused. An empty batch is committed too.
    fn commit(&self, batch: &SinkBatch<'_>, parts: &[Vec<u8>]) -> Result<()>;
    /// The batch is not committed by this process, or not by this try: it throws away what was prepared. There are no parts
    /// where a task has failed; then it is what others may have left. What it leaves, [`recover`](Sink::recover) removes. It
    /// is not called where a process ends at once.
    fn abort(&self, _batch: &SinkBatch<'_>, _parts: &[Vec<u8>]) -> Result<()> {
        Ok(())
    }
}

/// The output operation that a sink serves.
#[derive(Clone, Copy)]
pub struct SinkOutput<'a> {
    /// The application: with a checkpoint folder, a name that lives as long as the folder; without one, a name of this
    /// process alone.
    pub application: &'a str,
    /// The stable id of the output operation, given by `.uid("...")` or derived from its place in the program.
    pub operator: &'a str,
    /// The newest batch that this output has committed, as far as the journal knows: later ones may be, too. None before the
    /// first, and without a checkpoint folder.
    pub committed: Option<Time>,
    /// Clock, disk and network.
    pub env: &'a Env,
}
impl SinkOutput<'_> {
    /// Application and operator: what a ledger is keyed by.
    pub fn key(&self) -> (String, String) {
        (self.application.to_owned(), self.operator.to_owned())
    }
}

/// A batch of an output.
#[derive(Clone, Copy)]
pub struct SinkBatch<'a> {
    /// Of which output.
    pub output: SinkOutput<'a>,
    /// The batch time.
    pub time: Time,
}

/// A partition of a batch, in its task.
#[derive(Clone, Copy)]
pub struct SinkPart<'a> {
    /// The stable id of the output operation.
    pub operator: &'a str,
    /// The batch time.
    pub time: Time,
    /// The number of the partition, from 0.
    pub partition: usize,
    /// 0 for the first try of the task; two tries may run at the same time.
    pub attempt: usize,
    /// Clock, disk and network.
    pub env: &'a Env,
    /// Takes the records that the sink refuses, where the output sets them aside.
    refusals: Option<&'a (dyn Fn(usize, Error) + Sync)>,
}
impl<'a> SinkPart<'a> {
    /// A partition, as [`prepare`](Sink::prepare) gets it, of an output that sets nothing aside.
    pub fn new(operator: &'a str, time: Time, (partition, attempt): (usize, usize), env: &'a Env) -> SinkPart<'a> {
        SinkPart { operator, time, partition, attempt, env, refusals: None }
    }
    pub(crate) fn refusing(self, refusals: &'a (dyn Fn(usize, Error) + Sync)) -> SinkPart<'a> {
        SinkPart { refusals: Some(refusals), ..self }
    }
    /// The sink cannot take the record at `index` among those of the partition, from 0, whenever it is asked. Where the output
    /// sets records aside ([`SettingAside::write_to`](crate::dstream::SettingAside::write_to)), this one becomes a dead letter
    /// if [`prepare`](Sink::prepare) goes on and succeeds, without it; otherwise the error comes back, for `?`.
    pub fn refuse(&self, index: usize, error: Error) -> Result<()> {
        match self.refusals {
            Some(take) => take(index, error),
            None => return Err(error),
        }
        Ok(())
    }
}
